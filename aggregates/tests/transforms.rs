//! Transforms: what holds for every document and every value.
#![expect(clippy::unwrap_used, reason = "tests")]

use aggregates::transform::{Transform, VALUE_LIMIT};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

/// Texts that mean something somewhere: in patterns, templates, forms of dates, replacements.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => select(vec![
            "a", "b", " ", "é", "😀", "\u{130}", "\0", "$a", "${b}", "$!a", "$1", "$", "#if", "\\", "'", "''", "yyyy", "MM", "dd", "MMM",
            "EEE", "hh", "a", "X", "Z", "S", ":", "-", ".", "*", "+", "?", "(", ")", "(?i)", "[", "]", "[^", "{2}", "|", "^",
            "\\w", "\\p{Alpha}", " eq ", "2026", "03", "31", "12", "Mar", "PM", "+01:00", "ISO8601", "-1", "default",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,3}",
    ];
    prop_oneof![
        4 => vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        1 => select(vec!["ISO8601", "EPOCH_TIME_JAVA", "EPOCH_TIME_WIN32", "LDAP", "yyyyMMdd", "true", "0", "-1", "$a eq $b"])
            .prop_map(str::to_owned),
    ]
}

/// A setting that isn't a transform.
fn plain() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => text().prop_map(Value::String),
        3 => (-2..5_i64).prop_map(|number| json!(number)),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => select(vec![json!(true), json!(null), json!([]), json!(1.5), json!({})]),
    ]
}

/// Each operation with what it needs, and now and then with what it doesn't.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = (select(vec!["accountAttribute", "identityAttribute", "lower", "trim"]), select(vec!["a", "b", "c"]))
        .prop_map(|(kind, name)| json!({"type": kind, "attributes": {"attributeName": name, "name": name}}));
    leaf.prop_recursive(5, 24, 4, |inner| {
        let value = prop_oneof![2 => inner, 1 => plain()];
        let kinds = vec![
            "lower",
            "upper",
            "trim",
            "concat",
            "split",
            "substring",
            "replace",
            "lookup",
            "static",
            "dateFormat",
            "conditional",
            "firstValid",
            "rfc5646",
        ];
        let texts = ["delimiter", "regex", "replacement", "inputFormat", "outputFormat", "value", "expression"];
        let texts = vec(text(), texts.len()).prop_map(move |values| {
            let named = texts.iter().zip(values).map(|(name, value)| ((*name).to_owned(), Value::String(value)));
            named.collect::<Map<_, _>>()
        });
        let numbers = vec(plain(), 6);
        let values = vec(value, 7);
        (select(kinds), texts, numbers, values, any::<u8>()).prop_map(
            |(kind, mut attributes, numbers, values, sparse)| {
                for (name, number) in
                    ["index", "begin", "end", "beginOffset", "endOffset", "throws"].iter().zip(numbers)
                {
                    attributes.insert((*name).to_owned(), number);
                }
                let [a, b, input, positive, negative, first, second] = values.try_into().unwrap();
                let table = json!({"a": attributes["value"], "default": attributes["regex"]});
                let rest = [
                    ("a", a),
                    ("b", b),
                    ("input", input),
                    ("positiveCondition", positive),
                    ("negativeCondition", negative),
                    ("values", json!([first, second])),
                    ("table", table),
                    ("ignoreErrors", json!(sparse % 2 == 0)),
                ];
                for (index, (name, value)) in rest.into_iter().enumerate() {
                    // Without an input the row's value is taken.
                    if index != 2 || sparse % 3 > 0 {
                        attributes.insert(name.to_owned(), value);
                    }
                }
                if sparse % 5 > 0 {
                    attributes.insert("expression".to_owned(), json!("$a eq $b"));
                    attributes.insert("throws".to_owned(), json!(sparse > 128));
                    attributes.insert("index".to_owned(), json!(sparse % 4));
                    attributes.insert("begin".to_owned(), json!(sparse % 3));
                    attributes.remove("beginOffset");
                    attributes.remove("end");
                }
                json!({"type": kind, "attributes": attributes})
            },
        )
    })
}

/// Any JSON.
fn anything() -> impl Strategy<Value = Value> {
    plain().prop_recursive(6, 48, 4, |inner| {
        let key = select(vec!["type", "attributes", "values", "input", "value", "table", "a"]).prop_map(str::to_owned);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What a document makes is bounded, and the same each time.
fn run(document: &Value, input: Option<&str>, attribute: &str) -> Result<bool, TestCaseError> {
    let Ok(transform) = Transform::read(document) else { return Ok(false) };
    let row = |name: &str| (name != "c").then(|| attribute.to_owned());
    let made = transform.run(input, &row);
    if let Ok(Some(made)) = &made {
        prop_assert!(made.len() <= VALUE_LIMIT);
    }
    prop_assert_eq!(made, transform.run(input, &row));
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_document_and_no_value_makes_it_panic(
        document in prop_oneof![4 => documents(), 1 => anything()],
        input in prop::option::of(text()),
        attribute in text(),
    ) {
        run(&document, input.as_deref(), &attribute)?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_long_stays_bounded(document in documents(), repeated in text(), times in 1000..40_000_usize) {
        let long: String = repeated.chars().cycle().take(if repeated.is_empty() { 0 } else { times }).collect();
        run(&document, Some(&long), &long)?;
    }
}

#[test]
fn many_of_those_documents_can_be_executed() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let documents = documents();
    let drawn = (0..300).filter(|_| {
        let document = documents.new_tree(&mut runner).unwrap().current();
        run(&document, Some("a"), "b").unwrap()
    });
    let executed = drawn.count();
    assert!(executed > 60, "{executed} of 300");
}
