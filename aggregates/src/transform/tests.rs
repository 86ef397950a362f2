#![expect(clippy::needless_pass_by_value, reason = "documents are written where they are used")]

use serde_json::json;

use super::*;

/// The row that transforms of these tests ask.
fn ann(name: &str) -> Option<String> {
    let known = [
        ("FirstName", "Ann"),
        ("LastName", "Keller"),
        ("mail", "Ann.Keller@Example.COM"),
        ("department", "Science"),
        ("empType", "Employee"),
        ("spaced", "  a\u{a0}b "),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

#[track_caller]
fn read(document: &Value) -> Transform {
    Transform::read(document).unwrap_or_else(|refused| panic!("{refused}"))
}

/// What a document makes of an input and Ann's row.
#[track_caller]
fn made(document: &Value, input: Option<&str>) -> Result<Option<String>, Unfit> {
    read(document).run(input, &ann)
}

#[track_caller]
fn makes(kind: &str, attributes: Value, input: &str, expected: &str) {
    let document = json!({"name": "Test", "type": kind, "attributes": attributes});
    assert_eq!(made(&document, Some(input)), Ok(Some(expected.to_owned())), "{document}");
}

#[track_caller]
fn fails(kind: &str, attributes: Value, input: &str, expected: Unfit) {
    assert_eq!(made(&json!({"type": kind, "attributes": attributes}), Some(input)), Err(expected));
}

#[track_caller]
fn is_refused(document: Value, path: &str, reason: &str) {
    let refused = Transform::read(&document).unwrap_err();
    assert_eq!(refused.path, path, "{document}: {refused}");
    assert!(refused.reason.contains(reason), "{document}: {refused}");
}

fn account(name: &str) -> Value {
    json!({"type": "accountAttribute", "attributes": {"sourceName": "HR Source", "attributeName": name}})
}

#[test]
fn an_explicit_input_wins_over_the_implicit_one() {
    let document = json!({
        "name": "Email lower", "type": "lower", "attributes": {"input": account("mail")}, "requiresPeriodicRefresh": false
    });
    assert_eq!(made(&document, Some("ELSE")), Ok(Some("ann.keller@example.com".to_owned())));
    makes("lower", json!({}), "ELSE", "else");
    makes("upper", json!({"input": {"type": "trim", "attributes": {}}}), " else ", "ELSE");
    assert_eq!(made(&json!({"type": "upper"}), Some("ß")), Ok(Some("SS".to_owned())));
}

#[test]
fn no_value_makes_no_value() {
    for (kind, attributes) in [
        ("lower", json!({})),
        ("split", json!({"delimiter": ",", "index": 0, "throws": true})),
        ("substring", json!({"begin": 2})),
        ("lookup", json!({"table": {"a": "b"}})),
        ("dateFormat", json!({})),
        ("accountAttribute", json!({"attributeName": "absent"})),
    ] {
        assert_eq!(made(&json!({"type": kind, "attributes": attributes}), None), Ok(None), "{kind}");
    }
}

#[test]
fn trim_takes_what_java_takes() {
    makes(
        "trim",
        json!({"input": {"type": "static", "attributes": {"value": " Vice President"}}}),
        "",
        "Vice President",
    );
    makes("trim", json!({"input": "Austin, Texas "}), "", "Austin, Texas");
    makes("trim", json!({}), "\t\u{1}a  b\r\n", "a  b");
    makes("trim", json!({}), "\u{a0}a", "\u{a0}a");
}

#[test]
fn concat_joins_texts_and_what_transforms_make() {
    makes("concat", json!({"values": ["John", " ", "Smith"]}), "", "John Smith");
    let values = json!([account("FirstName"), " ", account("absent"), account("LastName"), " (Contractor)"]);
    makes("concat", json!({"values": values}), "", "Ann Keller (Contractor)");
    makes("concat", json!({"values": [1, "-", true]}), "", "1-true");
}

#[test]
fn split_takes_one_part() {
    makes("split", json!({"delimiter": ":", "index": 1}), "abc:123", "123");
    let fox = "The quick brown fox jumped over 10 lazy dogs";
    makes("split", json!({"input": fox, "delimiter": " ", "index": 3, "throws": true}), "", "fox");
    // A character is itself, more than one are a pattern.
    makes("split", json!({"delimiter": "|", "index": "1"}), "a|b", "b");
    makes("split", json!({"delimiter": ".", "index": 1}), "a.b", "b");
    makes("split", json!({"delimiter": "[,;] *", "index": 2}), "a,b; c", "c");
    makes("split", json!({"delimiter": ",", "index": 0}), "", "");
}

#[test]
fn split_has_the_parts_that_javas_has() {
    let document = |index| json!({"type": "split", "attributes": {"delimiter": ",", "index": index}});
    assert_eq!(made(&document(1), Some("a,")), Ok(None));
    assert_eq!(made(&document(1), Some("a,,b")), Ok(Some(String::new())));
    assert_eq!(made(&document(0), Some(",")), Ok(None));
    // A match of nothing at the beginning splits nothing off.
    makes("split", json!({"delimiter": "x*", "index": 0}), "abc", "a");
    // Right behind a match of something there is one of nothing.
    makes("split", json!({"delimiter": "x*", "index": 1}), "axbc", "");
    makes("split", json!({"delimiter": "x*", "index": 2}), "axbc", "b");
    fails("split", json!({"delimiter": ",", "index": 2, "throws": true}), "a,b", Unfit::NoPart(2));
}

#[test]
fn substring_counts_from_nought() {
    makes("substring", json!({"begin": 2, "end": 4}), "abcdef", "cd");
    makes("substring", json!({"begin": 1, "end": 3, "beginOffset": 1, "endOffset": 2}), "abcdef", "cde");
    makes("substring", json!({"begin": 4}), "abcdef", "ef");
    makes("substring", json!({"begin": -1, "beginOffset": 3, "end": -1, "endOffset": 1}), "abcdef", "abcdef");
    makes("substring", json!({"begin": 0, "end": 3}), "äö", "äö");
    makes("substring", json!({"begin": 4}), "abc", "");
    makes("substring", json!({"begin": 1, "end": 2}), "a😀b", "😀");
}

#[test]
fn replace_is_javas() {
    makes(
        "replace",
        json!({"regex": "IIQ", "replacement": "IdentityNow"}),
        "Working with IIQ is fun",
        "Working with IdentityNow is fun",
    );
    let fox = "The quick brown fox jumped over 10 lazy dogs";
    makes(
        "replace",
        json!({"input": fox, "regex": "[^a-zA-Z]", "replacement": ""}),
        "",
        "Thequickbrownfoxjumpedoverlazydogs",
    );
    makes("replace", json!({"regex": "^CN=([^,]+),.*", "replacement": "$1x"}), "CN=Ann,OU=y", "Annx");
    makes("replace", json!({"regex": "(?<a>a)|b", "replacement": "<${a}\\$>"}), "ab", "<a$><$>");
    makes("replace", json!({"regex": "(a)", "replacement": "$12"}), "a", "a2");
    makes("replace", json!({"regex": ".*", "replacement": "x"}), "abc", "xx");
    makes("replace", json!({"regex": "b*", "replacement": "-"}), "abé", "-a--é-");
    // Classes are ASCII's.
    makes("replace", json!({"regex": "\\W", "replacement": "_"}), "é1 a", "_1_a");
    makes("replace", json!({"regex": "[^\\d\\s.]", "replacement": ""}), "٣3 .é", "3 .");
    makes("replace", json!({"regex": "\\p{Punct}|\\P{ASCII}", "replacement": ""}), "a+é!", "a");
    makes("replace", json!({"regex": "\\<\\p{L}\\>\\é", "replacement": "x"}), "<é>é", "x");
}

#[test]
fn a_pattern_that_means_something_else_here_is_not_executed() {
    for (pattern, reason) in [
        ("(?=a)", "look-around"),
        ("(a)\\1", "backreferences"),
        ("a++", "possessive"),
        ("a{2}+", "possessive"),
        ("(?>a)", "is not executed"),
        ("(?U)a", "the flag U"),
        ("(?P<x>a)", "the flag P"),
        ("[[:alpha:]]", "another meaning"),
        ("[a--b]", "another meaning"),
        ("\\p{javaLowerCase}", "property of Java's"),
        ("\\p{", "is not executed"),
        ("\\Qa\\E", "is not executed"),
        ("\\v", "another meaning"),
        ("(a", "unclosed group"),
        ("a\\", "ends in a backslash"),
        ("(?", "open group"),
        ("((a{500}){500}){500}", "size limit"),
    ] {
        let document = json!({"type": "replace", "attributes": {"regex": pattern, "replacement": ""}});
        is_refused(document, "attributes.regex", reason);
    }
    for with in ["$2", "$", "${b}", "$x", "a\\"] {
        let document = json!({"type": "replace", "attributes": {"regex": "(?<a>a)", "replacement": with}});
        is_refused(document, "attributes.replacement", "");
    }
}

#[test]
fn lookup_falls_back_on_default() {
    let table = json!({"512": "Austin", "281": "Houston", "713": "Houston", "default": "Unknown Area"});
    makes("lookup", json!({"table": table}), "713", "Houston");
    makes("lookup", json!({"table": table}), "999", "Unknown Area");
    fails("lookup", json!({"table": {"512": "Austin"}}), "999", Unfit::NotInTable);
    makes("lookup", json!({"table": {"a": true}}), "a", "true");
}

#[test]
fn static_has_variables_and_nothing_else_of_velocity() {
    makes("static", json!({"value": "Employee"}), "", "Employee");
    makes("static", json!({"value": "$workerType", "workerType": account("empType")}), "", "Employee");
    makes(
        "static",
        json!({"value": "${a}x$!none.$a@x.org C# $5 #1 \\", "a": "A", "none": account("absent")}),
        "",
        "Ax.A@x.org C# $5 #1 \\",
    );
    fails("static", json!({"value": "x$none", "none": account("absent")}), "", Unfit::NoValue("none".to_owned()));
    for (value, reason) in [
        ("#if($a=='Employee')Full-Time#{else}Contingent#end", "#if"),
        ("#set($a = 1)", "#set"),
        ("a ## b", "##"),
        ("$identity.manager", "Properties and methods"),
        ("$a.toUpperCase()", "Properties and methods"),
        ("${a.b}", "${a is followed"),
        ("$b", "$b is none of"),
        ("$a-$a", "$a- is none of"),
        ("\\$a", "escapes"),
    ] {
        is_refused(json!({"type": "static", "attributes": {"value": value, "a": "x"}}), "attributes.value", reason);
    }
    // What no text names is never made.
    makes("static", json!({"value": "x", "unused": {"type": "rfc5646"}}), "", "x");
}

#[test]
fn conditional_compares_with_case() {
    let science = |expression: &str| {
        json!({
            "expression": expression, "positiveCondition": "$scienceBuilding", "negativeCondition": "$adminBuilding",
            "department": account("department"), "none": account("absent"),
            "scienceBuilding": {"type": "static", "attributes": {"value": "Building S"}},
            "adminBuilding": {"type": "static", "attributes": {"value": "Building A"}}
        })
    };
    makes("conditional", science("$department eq Science"), "", "Building S");
    makes("conditional", science("$department eq science"), "", "Building A");
    makes("conditional", science("foo eq foo"), "", "Building S");
    fails("conditional", science("$none eq Science"), "", Unfit::NoValue("none".to_owned()));
    for expression in ["$department", "$department ne Science", "a eq b eq c", "a EQ b"] {
        is_refused(
            json!({"type": "conditional", "attributes": science(expression)}),
            "attributes.expression",
            "ValueA eq ValueB",
        );
    }
    let nested = json!({"expression": "a eq b", "positiveCondition": "x", "negativeCondition": account("LastName")});
    makes("conditional", nested, "", "Keller");
}

#[test]
fn first_valid_is_the_first_that_is_not_null() {
    makes("firstValid", json!({"values": [account("absent"), account("mail"), "none"]}), "", "Ann.Keller@Example.COM");
    makes(
        "firstValid",
        json!({"values": [account("absent"), {"type": "static", "attributes": {"value": "none"}}]}),
        "",
        "none",
    );
    makes("firstValid", json!({"values": ["", "x"]}), "", "");
    assert_eq!(
        made(&json!({"type": "firstValid", "attributes": {"values": [account("absent")]}}), Some("x")),
        Ok(None)
    );
    let failing = json!([{"type": "lookup", "attributes": {"table": {}, "input": "a"}}, "x"]);
    makes("firstValid", json!({"values": failing, "ignoreErrors": "true"}), "", "x");
    fails("firstValid", json!({"values": failing}), "", Unfit::NotInTable);
}

#[test]
fn attributes_are_the_rows() {
    makes(
        "accountAttribute",
        json!({"attributeName": "mail", "accountSortAttribute": "created"}),
        "x",
        "Ann.Keller@Example.COM",
    );
    makes("identityAttribute", json!({"name": "LastName"}), "x", "Keller");
    makes("accountAttribute", json!({"attributeName": "spaced"}), "", "  a\u{a0}b ");
    let filtered = json!({"type": "accountAttribute", "attributes": {"attributeName": "a", "accountFilter": "!(x)"}});
    is_refused(filtered, "attributes.accountFilter", "a row is the only account");
}

#[test]
fn what_it_needs_is_known_before_it_runs() {
    let transform =
        read(&json!({"type": "concat", "attributes": {"values": [account("b"), account("a"), account("b")]}}));
    assert_eq!(transform.attributes().collect::<Vec<_>>(), ["a", "b"]);
    assert!(!transform.reads_input());
    assert!(
        read(&json!({"type": "firstValid", "attributes": {"values": [account("a"), {"type": "trim"}]}})).reads_input()
    );
}

#[test]
fn a_document_that_can_not_be_executed_says_where_and_why() {
    let values = json!({"type": "concat", "attributes": {"values": ["a", {"type": "rfc5646"}]}});
    is_refused(values, "attributes.values[1].type", "rfc5646 is not executed here; executed are accountAttribute");
    is_refused(json!([]), "", "an object");
    is_refused(json!({}), "type", "type is required");
    is_refused(json!({"type": 1}), "type", "type is required");
    is_refused(json!({"type": "trim", "attributes": []}), "attributes", "no object");
    is_refused(json!({"type": "trim", "attributes": {"input": []}}), "attributes.input", "A text is required");
    is_refused(json!({"type": "concat"}), "attributes.values", "values is required");
    is_refused(json!({"type": "concat", "attributes": {"values": [null]}}), "attributes.values[0]", "A text");
    is_refused(
        json!({"type": "split", "attributes": {"delimiter": ",", "index": 1.5}}),
        "attributes.index",
        "no whole number",
    );
    is_refused(json!({"type": "split", "attributes": {"delimiter": ",", "index": -1}}), "attributes.index", "below 0");
    is_refused(json!({"type": "split", "attributes": {"index": 1}}), "attributes.delimiter", "required");
    is_refused(json!({"type": "substring", "attributes": {}}), "attributes.begin", "required");
    is_refused(json!({"type": "substring", "attributes": {"begin": 3, "end": 2}}), "attributes.end", "before");
    is_refused(
        json!({"type": "substring", "attributes": {"begin": 3, "beginOffset": -4}}),
        "attributes.begin",
        "no place",
    );
    is_refused(
        json!({"type": "substring", "attributes": {"begin": 1, "beginOffset": i64::MAX}}),
        "attributes.begin",
        "no place",
    );
    is_refused(json!({"type": "lookup", "attributes": {"table": {"a": {}}}}), "attributes.table.a", "A text");
    is_refused(json!({"type": "static", "attributes": {"value": "a\0"}}), "attributes.value", "NUL");
    is_refused(
        json!({"type": "firstValid", "attributes": {"values": [], "ignoreErrors": 1}}),
        "attributes.ignoreErrors",
        "neither",
    );
    let told = Transform::read(&json!({"type": "uuid"})).unwrap_err().to_string();
    assert!(told.starts_with("type: uuid is not executed here"), "{told}");
}

#[test]
fn a_document_has_limits() {
    let nested = |depth| {
        (1..depth).fold(json!({"type": "trim"}), |inner, _| json!({"type": "trim", "attributes": {"input": inner}}))
    };
    assert_eq!(made(&nested(20), Some(" a ")), Ok(Some("a".to_owned())));
    assert!(Transform::read(&nested(21)).unwrap_err().reason.contains("20 inside one another"));
    let many = |count| json!({"type": "concat", "attributes": {"values": vec![json!({"type": "trim"}); count]}});
    assert!(Transform::read(&many(199)).is_ok());
    is_refused(many(200), "attributes.values[199]", "At most 200 operations");
    is_refused(json!({"type": "trim", "name": "x".repeat(1 << 20)}), "", "at most 1048576");
}

#[test]
fn no_value_grows_beyond_the_limit_nor_takes_long() {
    let long = "x".repeat(VALUE_LIMIT);
    fails("concat", json!({"values": [{"type": "trim"}, {"type": "trim"}]}), &long, Unfit::TooLong(2 * VALUE_LIMIT));
    fails("replace", json!({"regex": "x", "replacement": "yy"}), &long, Unfit::TooLong(VALUE_LIMIT + 2));
    fails("upper", json!({}), &"ŉ".repeat(VALUE_LIMIT / 2), Unfit::TooLong(VALUE_LIMIT / 2 * 3));
    fails("trim", json!({}), &format!("{long} "), Unfit::TooLong(VALUE_LIMIT + 1));
    fails("static", json!({"value": "$a$a", "a": {"type": "trim"}}), &long, Unfit::TooLong(2 * VALUE_LIMIT));
    // Each variable is made once: 3 to the 18th is more than anybody waits for.
    let variables = (1..19).fold(json!({"type": "trim"}), |inner, _| {
        json!({"type": "conditional", "attributes": {
            "expression": "$a eq $a", "positiveCondition": "$a", "negativeCondition": "", "a": inner
        }})
    });
    assert_eq!(made(&variables, Some(" a")), Ok(Some("a".to_owned())));
}
