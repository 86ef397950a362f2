use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::*;
use crate::values::time;

/// A row as a review has them: who, what, and how the grant is qualified.
#[derive(Default)]
struct Grant {
    person: Option<String>,
    is_active: Option<bool>,
    risk: Option<f64>,
    last_login_at: Option<DateTime<Utc>>,
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Attribute {
    Person,
    IsActive,
    Risk,
    LastLoginAt,
    Custom,
}

impl Row for Grant {
    type Attribute = Attribute;

    fn value(&self, attribute: Attribute, key: &str) -> Option<Value<'_>> {
        match attribute {
            Attribute::Person => self.person.as_deref().map(Value::Text),
            Attribute::IsActive => self.is_active.map(Value::Boolean),
            Attribute::Risk => self.risk.map(Value::Number),
            Attribute::LastLoginAt => self.last_login_at.map(Value::Time),
            Attribute::Custom => self.attributes.get(key).map(|text| Value::Text(text)),
        }
    }
}

fn catalogue() -> Catalogue<Attribute> {
    Catalogue::new()
        .attribute("source.name", Kind::Text, Attribute::Person)
        .attribute("source.isActive", Kind::Boolean, Attribute::IsActive)
        .attribute("source.risk", Kind::Number, Attribute::Risk)
        .attribute("source.lastLoginAt", Kind::Time, Attribute::LastLoginAt)
        .open("grant.attributes", Attribute::Custom)
        .schema("urn:muniment:Review")
        .elsewhere("previous", "source, destination or grant: previous.* belongs in mutable_filter")
}

fn person(name: &str) -> Grant {
    Grant { person: Some(fold(name)), ..Grant::default() }
}

fn custom(name: &str, text: &str) -> Grant {
    Grant { attributes: BTreeMap::from([(fold(name), fold(text))]), ..Grant::default() }
}

fn parse(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn matches(text: &str, row: &Grant) -> bool {
    parse(text).check(&catalogue()).unwrap_or_else(|error| panic!("{text}: {error}")).matches(row)
}

/// What is said about a text that is no filter.
#[track_caller]
fn complaint(text: &str) -> String {
    text.parse::<Filter>().unwrap_err().to_string()
}

/// What is said about a filter that doesn't fit.
#[track_caller]
fn misfit(text: &str) -> String {
    parse(text).check(&catalogue()).unwrap_err().to_string()
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    for (text, grouped) in [
        ("a pr or b pr and c pr", "a pr or (b pr and c pr)"),
        ("a pr and b pr or c pr", "(a pr and b pr) or c pr"),
        ("not (a pr) and b pr", "(not (a pr)) and b pr"),
        ("not (a pr) or b pr and not (c pr)", "(not (a pr)) or (b pr and (not (c pr)))"),
    ] {
        assert_eq!(parse(text), parse(grouped), "{text}");
    }
    assert_ne!(parse("(a pr or b pr) and c pr"), parse("a pr or b pr and c pr"));
}

#[test]
fn words_are_read_in_any_case_and_with_any_white_space() {
    let filter = parse(r#"a eq "x" and not (b pr) or c ne true"#);
    for text in [
        r#"a EQ "x" AND NOT (b PR) OR c Ne TRUE"#,
        "  a\teq\n\"x\"  and not(b pr)or c ne True ",
        r#"(a eq"x"and(not((b pr))))or((c ne true))"#,
    ] {
        assert_eq!(parse(text), filter, "{text}");
    }
}

#[test]
fn texts_have_the_escapes_of_json() {
    let text = |filter: &str| match parse(filter) {
        Filter::Compare(Comparison { literal, .. }) => match &*literal {
            Literal::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(text(r#"a eq "say \"yes\", \\ and \/""#), r#"say "yes", \ and /"#);
    assert_eq!(text(r#"a eq "\u00e9\t\ud83d\ude00 (not [a] paren)""#), "é\t😀 (not [a] paren)");
    assert_eq!(text(r#"a eq """#), "");
    for refused in [r#""\q""#, r#""\ud800""#, r#""\u12""#, "\"line\nbreak\"", r#""nul \u0000""#] {
        let complaint = complaint(&format!("a eq {refused}"));
        assert!(complaint.starts_with("character 6: found \""), "{complaint}");
        assert!(complaint.contains("a text as JSON writes it"), "{complaint}");
    }
}

#[test]
fn a_path_has_any_depth_and_may_begin_with_a_schema() {
    let path = |text: &str| match parse(&format!("{text} pr")) {
        Filter::Present(path) => ((*path).clone().schema, path.names.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        path("source.identity.department"),
        (None, vec!["source".into(), "identity".into(), "department".into()])
    );
    assert_eq!(
        path("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName"),
        (Some("urn:ietf:params:scim:schemas:core:2.0:User".into()), vec!["name".into(), "familyName".into()])
    );
    assert_eq!(
        path(r#"grant.attributes."Cost Centre (old): no. 1""#),
        (None, vec!["grant".into(), "attributes".into(), "Cost Centre (old): no. 1".into()])
    );
    for refused in ["1abc", "_abc", "name.", ".name", "a..b", "foo:bar", "a:", "a.\"\"", "a.\"b\"c", "é", "a.-b"] {
        assert!(complaint(&format!("{refused} pr")).contains("expected an attribute such as"), "{refused}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_the_place_what_is_there_and_what_could_be() {
    for (text, expected) in [
        ("", "character 1: found the end, expected an attribute such as source.department, not (…) or (…)"),
        ("a", "character 2: found the end, expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr"),
        ("a == 1", "character 3: found ==, expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr"),
        (
            "a eq admin",
            "character 6: found admin, expected a text in straight quotes \"…\", a number, true, false or null",
        ),
        ("é eq 1", "character 1: found é, expected an attribute such as source.department, not (…) or (…)"),
        (
            "a eq “admin”",
            "character 6: found “admin”, expected a text in straight quotes \"…\", a number, true, false or null",
        ),
        ("a eq \"é\" && b pr", "character 10: found &&, expected and, or, or the end"),
        ("a pr 1", "character 6: found 1, expected and, or, or the end"),
        ("not a pr", "character 5: found a, expected a parenthesis ( after not"),
        ("(a pr", "character 6: found the end, expected and, or, or )"),
        ("a[b pr)", "character 7: found ), expected and, or, or ]"),
        ("a pr)", "character 5: found ), expected and, or, or the end"),
        ("a eq \"x", "character 6: found \"x, expected a closing quote after it"),
        (
            "a[b[c pr]]",
            "character 4: found [, expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr: brackets can't be inside brackets",
        ),
        ("a[b pr].c pr", "character 8: found .c, expected and, or, or the end"),
        ("a pr and", "character 9: found the end, expected an attribute such as source.department, not (…) or (…)"),
        (
            "a eq 1e999",
            "character 6: found 1e999, expected a text in straight quotes \"…\", a number, true, false or null",
        ),
        ("a\u{0} pr", "character 1: found a\\u{0}, expected an attribute such as source.department, not (…) or (…)"),
    ] {
        assert_eq!(complaint(text), expected, "{text}");
    }
    for number in ["01", "+1", ".5", "1.", "0x1", "NaN", "inf", "1_000", "-"] {
        assert!(text_is_refused(&format!("a eq {number}")), "{number}");
    }
}

fn text_is_refused(text: &str) -> bool {
    text.parse::<Filter>().is_err()
}

#[test]
fn a_hostile_text_is_refused_at_once_and_never_overflows_the_stack() {
    let deep = |count: usize, open: &str, close: &str| format!("{}a pr{}", open.repeat(count), close.repeat(count));
    assert_eq!(
        complaint(&deep(10_000, "(", ")")),
        "character 65: found (, expected at most 64 parentheses and brackets inside each other"
    );
    assert!(complaint(&deep(10_000, "not(", ")")).contains("at most 64"));
    assert_eq!(parse(&deep(64, "(", ")")), parse("a pr"));
    parse(&deep(64, "not (b pr and c pr or ", ")")).check(&Catalogue::<()>::new()).unwrap_err();
    assert_eq!(complaint(&"x".repeat(1_000_000)), "character 65537: found 1000000 characters, expected at most 65536");
    for piece in ["(", "[", "a[", "\"", "a.", "\\", ".\"", "not ", "a pr and ", "é"] {
        let text = piece.repeat(LENGTH_LIMIT / piece.chars().count());
        assert!(text_is_refused(&text), "{piece}");
    }
    let long = |count: usize| vec!["a pr"; count].join(" or ");
    parse(&long(COMPARISON_LIMIT));
    assert_eq!(complaint(&long(COMPARISON_LIMIT + 1)), "character 8001: found a, expected at most 1000 comparisons");
}

#[test]
fn an_unknown_attribute_is_answered_with_the_nearest() {
    for (text, expected) in [
        ("source.nmae pr", "character 1: found source.nmae, expected an attribute; the nearest is source.name"),
        (
            "source.name pr and Source.Is_Active eq true",
            "character 20: found Source.Is_Active, expected an attribute; the nearest is source.isActive",
        ),
        ("source[nam pr]", "character 8: found nam, expected an attribute; the nearest is source.name"),
        (
            "source pr",
            "character 1: found source, expected one of its attributes, such as source.name, source.isActive, source.risk",
        ),
        (
            "grant.attributes pr",
            "character 1: found grant.attributes, expected one of its attributes, such as grant.attributes.<name>",
        ),
        (
            "colour pr",
            "character 1: found colour, expected one of the attributes source.name, source.isActive, source.risk, \
             source.lastLoginAt, grant.attributes.<name>",
        ),
        (
            r#"previous.decision eq "x""#,
            "character 1: found previous.decision, \
             expected source, destination or grant: previous.* belongs in mutable_filter",
        ),
    ] {
        assert_eq!(misfit(text), expected, "{text}");
    }
    let endless = format!("a{} pr", ".a".repeat(30_000));
    assert!(misfit(&endless).len() < 500);
}

#[test]
fn a_schema_is_known_or_refused() {
    assert!(matches("urn:Muniment:review:source.name pr", &person("Ada")));
    assert!(matches("URN:muniment:Review:source[name pr]", &person("Ada")));
    assert_eq!(
        misfit("urn:other:source.name pr"),
        "character 1: found urn:other, expected one of the schemas urn:muniment:Review, or none"
    );
    let without = Catalogue::new().attribute("name", Kind::Text, ());
    assert_eq!(parse("urn:x:name pr").check(&without).unwrap_err().expected, "an attribute without a schema before it");
}

#[test]
fn a_literal_or_an_operator_of_another_kind_is_refused() {
    for (text, expected) in [
        ("source.name eq 5", "character 16: found 5, expected a text in quotes, since source.name is a text"),
        ("source.name eq true", "character 16: found true, expected a text in quotes, since source.name is a text"),
        (
            r#"source.risk gt "5""#,
            "character 16: found \"5\", expected a number without quotes, since source.risk is a number",
        ),
        (
            r#"source.risk sw "5""#,
            "character 13: found sw, expected eq, ne, gt, ge, lt, le or pr, since source.risk is a number",
        ),
        (
            "source.isActive gt false",
            "character 17: found gt, expected eq, ne or pr, since source.isActive is true or false",
        ),
        (
            r#"source.isActive eq "yes""#,
            "character 20: found \"yes\", expected true or false, since source.isActive is true or false",
        ),
        (
            r#"source.lastLoginAt lt "yesterday""#,
            "character 23: found \"yesterday\", expected a date (2026-03-15) or a time (2026-03-15T14:30:00Z) that exists \
             in quotes, since source.lastLoginAt is a time",
        ),
        (
            r#"source.lastLoginAt co "2026""#,
            "character 20: found co, expected eq, ne, gt, ge, lt, le or pr, since source.lastLoginAt is a time",
        ),
        ("source.name gt null", "character 13: found gt, expected eq or ne before null"),
        (
            "grant.attributes.limit sw 5",
            "character 24: found sw, expected eq, ne, gt, ge, lt, le or pr, since grant.attributes.limit is a number",
        ),
    ] {
        assert_eq!(misfit(text), expected, "{text}");
    }
}

#[test]
fn case_never_matters() {
    let ada = person("Ada LOVELACE-Straße");
    for text in [
        r#"source.name eq "ada lovelace-STRASSE""#,
        r#"SOURCE.NAME eq "ADA LOVELACE-straße""#,
        r#"source.name sw "ADA""#,
        r#"source.name ew "E""#,
        r#"source.name co "LOVE""#,
    ] {
        // ß has no single capital: folding leaves it, and SS is another text.
        assert_eq!(matches(text, &ada), !text.contains("STRASSE"), "{text}");
    }
    // Σ at the end of a word becomes another letter in lower case, but not when more follows.
    assert!(matches(r#"source.name sw "ΟΔΟΣ""#, &person("ΟΔΟΣΑ")));
    assert!(matches(r#"source.name eq "οδος""#, &person("ΟΔΟΣ")));
    assert!(matches(r#"grant.attributes."Cost Centre" eq "A-1""#, &custom("COST CENTRE", "a-1")));
}

#[test]
fn ne_is_not_eq_and_so_true_of_a_missing_value() {
    let nobody = Grant::default();
    for text in [
        r#"source.name ne "root""#,
        r#"not (source.name eq "root")"#,
        "source.isActive ne true",
        "source.risk ne 1",
        r#"source.lastLoginAt ne "2026-01-01""#,
        r#"grant.attributes.x ne "y""#,
        "source.name eq null",
        "not (source.name pr)",
        r#"not (source.name gt "a" or source.name le "a")"#,
    ] {
        assert!(matches(text, &nobody), "{text}");
    }
    for text in [
        r#"source.name eq "root""#,
        r#"source.name co """#,
        "source.isActive eq false",
        "source.risk lt 1",
        "source.name ne null",
        "source.name pr",
        "grant.attributes.x pr",
    ] {
        assert!(!matches(text, &nobody), "{text}");
    }
}

#[test]
fn an_empty_text_is_no_value_for_pr_and_null_but_equals_the_empty_text() {
    let unnamed = person("");
    assert!(!matches("source.name pr", &unnamed));
    assert!(matches("source.name eq null", &unnamed));
    assert!(matches(r#"source.name eq """#, &unnamed));
    assert!(matches(r#"source.name lt "a""#, &unnamed));
    let inactive = Grant { is_active: Some(false), risk: Some(0.0), ..Grant::default() };
    assert!(matches("source.isActive pr and source.risk pr", &inactive));
}

#[test]
fn a_boolean_compares_with_true_and_with_true_in_quotes() {
    let active = Grant { is_active: Some(true), ..Grant::default() };
    for text in ["source.isActive eq true", r#"source.isActive eq "True""#, r#"source.isActive ne "false""#] {
        assert!(matches(text, &active), "{text}");
    }
    for text in ["source.isActive eq false", r#"source.isActive ne "true""#] {
        assert!(!matches(text, &active), "{text}");
    }
    for text in ["grant.attributes.sensitive eq true", r#"grant.attributes.sensitive eq "TRUE""#] {
        assert!(matches(text, &custom("sensitive", "True")), "{text}");
        assert!(!matches(text, &custom("sensitive", "yes")), "{text}");
    }
}

#[test]
fn numbers_times_and_texts_have_an_order() {
    let row = Grant { risk: Some(7.5), last_login_at: time("2026-03-15T12:00:00Z"), ..person("b") };
    for text in [
        "source.risk gt 7 and source.risk le 7.5 and source.risk ge 75e-1 and source.risk lt 1e3",
        r#"source.lastLoginAt gt "2026-03-15" and source.lastLoginAt lt "2026-03-16""#,
        r#"source.lastLoginAt eq "2026-03-15T14:00:00+02:00""#,
        r#"source.name gt "A" and source.name lt "C" and source.name ge "B" and source.name le "B""#,
        // By bytes: every accented letter comes after z.
        r#"source.name lt "é" and not (source.name gt "z")"#,
    ] {
        assert!(matches(text, &row), "{text}");
    }
    assert!(!matches("source.risk gt 7.5 or source.risk lt 7.5", &row));
}

#[test]
fn a_custom_attribute_is_read_as_what_it_is_compared_with() {
    assert!(matches("grant.attributes.limit gt 999.5", &custom("limit", "5000")));
    assert!(matches(r#"grant.attributes.limit lt "999""#, &custom("limit", "5000")), "as texts");
    for text in ["5.000,00", "5 000", "1e9", "", "-", "9999999999999999", "٣"] {
        assert!(!matches("grant.attributes.limit gt 0", &custom("limit", text)), "{text}");
        assert!(matches("grant.attributes.limit ne 0", &custom("limit", text)), "{text}");
    }
    assert!(matches("grant.attributes.a.b eq -1", &custom("a.b", "-1.0")));
}

#[test]
fn brackets_put_a_path_before_the_paths_inside() {
    let row = Grant { is_active: Some(true), ..person("Ada") };
    assert!(matches(r#"source[name eq "ada" and not (isActive eq false)]"#, &row));
    assert!(matches(r#"grant[attributes.x eq "y"] and grant.attributes[x eq "y"]"#, &custom("x", "y")));
    assert!(!matches(r#"source[name eq "ada" and isActive eq false]"#, &row));
}

#[test]
fn documented_samples_of_automations_are_filters() {
    for text in [
        r#"(destination.name eq "admin") OR (source.name eq "root")"#,
        r#"(source.name sw "A" OR source.name sw "B") AND destination.is_active eq true"#,
        r#"destination.is_active ne "true""#,
        r#"previous.decision eq "RESULT_DECISION_ACCEPTED" and previous.signed_off_state eq "SIGNED_OFF""#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
    ] {
        assert_eq!(parse(&parse(text).to_string()), parse(text), "{text}");
    }
    assert_eq!(
        parse(r#"((a EQ 1.50) AND (b pr or NOT(c.d[e co "\u0041\""] )))"#).to_string(),
        r#"a eq 1.5 and (b pr or not (c.d[e co "A\""]))"#
    );
}
