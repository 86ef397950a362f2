//! Filters: what holds for every text and every filter, and how fast rows are held against one.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Instant;

use aggregates::certification_row;
use aggregates::filter::{Catalogue, Comparison, Filter, Kind, Literal, Operator, Path, Row, Value, fold};
use proptest::collection::vec;
use proptest::prelude::*;
use scim_v2::filter as scim;

/// A name as RFC 7644 has them. `not` is a word of the language.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,6}".prop_filter("a word of the language", |name| !name.eq_ignore_ascii_case("not"))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,8}", "\\PC{0,8}", Just("\"\\\n\t\u{7f}é😀".to_owned())]
}

fn any_number() -> BoxedStrategy<f64> {
    prop_oneof![any::<i32>().prop_map(f64::from), any::<f64>().prop_filter("finite", |number| number.is_finite())]
        .boxed()
}

/// Without the last digits of a double, which `serde_json`, by which `scim_v2` reads numbers, rounds as it likes.
fn plain_number() -> BoxedStrategy<f64> {
    any::<i32>().prop_map(|number| f64::from(number) / 8.0).boxed()
}

fn literal(number: BoxedStrategy<f64>) -> impl Strategy<Value = Literal> {
    prop_oneof![
        text().prop_map(Literal::Text),
        number.prop_map(Literal::Number),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Null),
    ]
}

/// Filters with these paths and numbers.
fn filters(path: BoxedStrategy<Path>, number: BoxedStrategy<f64>) -> BoxedStrategy<Filter> {
    let comparison =
        (path.clone(), prop::sample::select(&Operator::ALL), literal(number)).prop_map(|(path, operator, literal)| {
            Filter::Compare(Comparison { path: path.into(), operator: operator.into(), literal: literal.into() })
        });
    let simple = prop_oneof![path.clone().prop_map(|path| Filter::Present(path.into())), comparison].boxed();
    let inner = nested(simple.clone(), 2);
    let within = (path, inner).prop_map(|(path, inner)| Filter::Within(path.into(), Box::new(inner)));
    nested(prop_oneof![4 => simple, 1 => within].boxed(), 4)
}

fn nested(leaf: BoxedStrategy<Filter>, depth: u32) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(depth, 32, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            vec(inner.clone(), 2..4).prop_map(Filter::And),
            vec(inner, 2..4).prop_map(Filter::Or),
        ]
    })
    .boxed()
}

fn any_path() -> BoxedStrategy<Path> {
    let schema = prop::option::of("urn:[a-z]{1,5}:2\\.0:[A-Z][a-z]{0,3}");
    let quoted = text().prop_filter("not empty", |text| !text.is_empty());
    (schema, name(), vec(prop_oneof![3 => name(), 1 => quoted], 0..4))
        .prop_map(|(schema, first, rest)| Path { schema, names: std::iter::once(first).chain(rest).collect() })
        .boxed()
}

/// One sub-attribute at most, nothing in quotes.
fn rfc_path() -> BoxedStrategy<Path> {
    let schema = prop::option::of("urn:[a-z]{1,5}:2\\.0:[A-Z][a-z]{0,3}");
    (schema, name(), prop::option::of(name()))
        .prop_map(|(schema, first, rest)| Path { schema, names: std::iter::once(first).chain(rest).collect() })
        .boxed()
}

/// Pieces that filters are made of, in any order.
fn rubble() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "(", ")", "[", "]", "\"", "\\", " ", ".", ":", "not", "and", "or", "eq", "pr", "a", "a.b", "\"x\"", "-1", "1e5",
            "true", "null", "urn:a:b:", ".\"q r\"", "\u{0}", "é",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,3}",
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_shown_is_the_same_filter(filter in filters(any_path(), any_number())) {
        let shown = filter.to_string();
        prop_assert_eq!(&shown.parse::<Filter>().map_err(|error| TestCaseError::fail(format!("{shown}: {error}")))?, &filter);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), rubble()]) {
        let length = text.chars().count();
        match text.parse::<Filter>() {
            Ok(filter) => {
                prop_assert_eq!(&filter.to_string().parse::<Filter>().unwrap(), &filter);
                let catalogue = Catalogue::new().attribute("a", Kind::Text, ()).open("a.b", ());
                let _ = filter.check(&catalogue);
            }
            Err(error) => prop_assert!((1..=length + 1).contains(&error.position), "{error} of {length} characters"),
        }
    }

    #[test]
    fn a_part_of_a_text_is_found_in_it_whatever_the_case(before in text(), part in "[ΣσςİßA-z ]{0,5}", after in text()) {
        let whole = fold(&format!("{before}{part}{after}"));
        prop_assert!(whole.contains(&fold(&part.to_uppercase().to_lowercase())) || part.contains(['ß', 'İ']));
        prop_assert_eq!(&whole, &(fold(&before) + &fold(&part) + &fold(&after)));
        prop_assert_eq!(fold(&whole), whole);
    }

    /// `scim_v2` reads what the RFC has and we write it; we read it as what it shows.
    #[test]
    fn another_parser_reads_our_filters_as_we_do(filter in filters(rfc_path(), plain_number())) {
        let shown = filter.to_string();
        let theirs: scim::Filter = shown.parse().map_err(|error| TestCaseError::fail(format!("{shown}: {error}")))?;
        prop_assert_eq!(translated(&theirs), flat(&filter), "{}", shown);
        prop_assert_eq!(flat(&theirs.to_string().parse().unwrap()), flat(&filter), "{}", theirs);
    }
}

/// Their tree as ours.
fn translated(filter: &scim::Filter) -> Filter {
    match filter {
        scim::Filter::Attr(simple) => expression(simple),
        scim::Filter::ValuePath(within) => {
            Filter::Within(path(&within.attr).into(), Box::new(translated_inside(&within.filter)))
        }
        scim::Filter::Not(inner) => Filter::Not(Box::new(translated(inner))),
        scim::Filter::And(parts) => Filter::And(parts.iter().map(translated).collect()),
        scim::Filter::Or(parts) => Filter::Or(parts.iter().map(translated).collect()),
    }
}

fn translated_inside(filter: &scim::ValFilter) -> Filter {
    match filter {
        scim::ValFilter::Attr(simple) => expression(simple),
        scim::ValFilter::Not(inner) => Filter::Not(Box::new(translated_inside(inner))),
        scim::ValFilter::And(parts) => Filter::And(parts.iter().map(translated_inside).collect()),
        scim::ValFilter::Or(parts) => Filter::Or(parts.iter().map(translated_inside).collect()),
    }
}

fn expression(expression: &scim::AttrExp) -> Filter {
    match expression {
        scim::AttrExp::Present(of) => Filter::Present(path(of).into()),
        scim::AttrExp::Comparison(of, operator, value) => {
            let operator = operator.to_string();
            let operator = Operator::ALL.into_iter().find(|known| known.name() == operator).unwrap();
            let literal = match value {
                scim::CompValue::True => Literal::Boolean(true),
                scim::CompValue::False => Literal::Boolean(false),
                scim::CompValue::Null => Literal::Null,
                scim::CompValue::Number(number) => Literal::Number(number.to_string().parse().unwrap()),
                scim::CompValue::Str(text) => Literal::Text(text.clone()),
            };
            Filter::Compare(Comparison { path: path(of).into(), operator: operator.into(), literal: literal.into() })
        }
    }
}

fn path(path: &scim::AttrPath) -> Path {
    Path { schema: path.uri.clone(), names: std::iter::once(path.name.clone()).chain(path.sub_attr.clone()).collect() }
}

/// Without groups of the same operator inside each other, which they don't keep.
fn flat(filter: &Filter) -> Filter {
    let merged = |parts: &[Filter], inner: fn(Filter) -> Result<Vec<Filter>, Filter>| {
        parts.iter().map(flat).flat_map(|part| inner(part).unwrap_or_else(|other| vec![other])).collect()
    };
    match filter {
        Filter::And(parts) => {
            Filter::And(merged(parts, |part| if let Filter::And(parts) = part { Ok(parts) } else { Err(part) }))
        }
        Filter::Or(parts) => {
            Filter::Or(merged(parts, |part| if let Filter::Or(parts) = part { Ok(parts) } else { Err(part) }))
        }
        Filter::Not(inner) => Filter::Not(Box::new(flat(inner))),
        Filter::Within(path, inner) => Filter::Within(path.clone(), Box::new(flat(inner))),
        simple => simple.clone(),
    }
}

/// What both parsers must refuse, and do.
#[test]
fn what_the_rfc_refuses_both_parsers_refuse() {
    for text in [
        r#"1abc eq "x""#,
        r#"_abc eq "x""#,
        "userName eq bjensen",
        r#"title pr "x""#,
        "userName eq",
        r#"(userName eq "x""#,
        r#"userName eq "x")"#,
        "",
        r#"userName eq "x"#,
        r#"emails[type eq "work"].value eq "x""#,
        r#"emails[type eq "work"][primary eq true]"#,
        "name. pr",
        r#"userName eq "\q""#,
        "not title pr",
    ] {
        assert!(text.parse::<Filter>().is_err(), "{text}");
        assert!(text.parse::<scim::Filter>().is_err(), "{text}");
    }
}

/// Every line of a `filter` block in the guide is a filter; an indented line is what is said of the one above it.
#[test]
fn the_guide_tells_the_truth() {
    let guide = include_str!("../../docs/FILTERS.md");
    let mut lines =
        guide.split("```filter\n").skip(1).flat_map(|block| block.split("```").next().unwrap().lines()).peekable();
    let mut examples = 0;
    while let Some(line) = lines.next() {
        let said = certification_row::filter(line).err().map(|error| format!("    {error}"));
        assert_eq!(said.as_deref(), lines.next_if(|next| next.starts_with(' ')), "{line}");
        examples += 1;
    }
    assert_eq!(examples, 14);
}

struct Person {
    name: String,
    department: Option<String>,
    is_active: bool,
}

#[derive(Clone, Copy)]
enum Field {
    Name,
    Department,
    IsActive,
}

impl Row for Person {
    type Attribute = Field;

    fn value(&self, attribute: Field, _key: &str) -> Option<Value<'_>> {
        match attribute {
            Field::Name => Some(Value::Text(&self.name)),
            Field::Department => self.department.as_deref().map(Value::Text),
            Field::IsActive => Some(Value::Boolean(self.is_active)),
        }
    }
}

/// Prints how many rows a second one core holds against a filter:
/// `cargo test --release -p aggregates --test filters rows_a_second -- --nocapture`.
#[test]
fn the_rows_a_second_are_told_and_the_right_ones_match() {
    let catalogue = Catalogue::new()
        .attribute("source.name", Kind::Text, Field::Name)
        .attribute("source.department", Kind::Text, Field::Department)
        .attribute("source.isActive", Kind::Boolean, Field::IsActive);
    let rows: Vec<Person> = (0..100_000)
        .map(|number| Person {
            name: fold(&format!("Person Number {number}")),
            department: (number % 10 > 0).then(|| fold(&format!("Department {}", number % 10))),
            is_active: number % 2 == 0,
        })
        .collect();
    for (text, expected) in [
        (r#"source.isActive eq true and source.department ne "Department 4" and source.name ew "8""#, 10_000),
        (r#"source.name co "number 77" or source.department sw "x" or not (source.department pr)"#, 11_000),
    ] {
        let filter = text.parse::<Filter>().unwrap().check(&catalogue).unwrap();
        let rounds = if cfg!(debug_assertions) { 1 } else { 50 };
        let began = Instant::now();
        let matched: usize = (0..rounds).map(|_| rows.iter().filter(|row| filter.matches(*row)).count()).sum();
        let seconds = began.elapsed().as_secs_f64();
        println!("{:.1} million rows/s: {text}", (rounds * rows.len()) as f64 / seconds / 1e6);
        assert_eq!(matched, expected * rounds, "{text}");
    }
}
