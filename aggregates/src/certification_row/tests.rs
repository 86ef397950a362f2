mod automating;
mod deciding;

use std::collections::BTreeSet;

use super::*;
use crate::filter::{Row, Value};

#[track_caller]
fn complaint(read: fn(&str) -> Result<RowFilter, crate::filter::FilterError>, text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_samples_of_the_source_fit() {
    for text in [
        r#"source.name sw "A""#,
        "source.is_active eq false",
        r#"(destination.name eq "admin") OR (source.name eq "root")"#,
        r#"(source.name sw "A" OR source.name sw "B") AND destination.is_active eq true"#,
        r#"grant.attributes.limit gt 10000 and source.identity.attributes."Cost Centre" ne "4711""#,
        r#"source.identity[department eq "Sales" and not (title pr)]"#,
        r#"SOURCE.Is_Active ne "true""#,
    ] {
        assert!(filter(text).unwrap().is_some(), "{text}");
    }
    for text in [
        r#"previous.decision eq "RESULT_DECISION_ACCEPTED""#,
        r#"previous[signed_off_state ne "UNKNOWN_SIGNED_OFF" and notes pr]"#,
    ] {
        assert!(mutable_filter(text).unwrap().is_some(), "{text}");
    }
    assert!(filter(" ").unwrap().is_none() && mutable_filter("").unwrap().is_none());
}

#[test]
fn an_attribute_has_its_place_in_one_of_the_two_filters() {
    assert_eq!(
        complaint(filter, r#"previous.decision eq "RESULT_DECISION_ACCEPTED""#),
        "character 1: found previous.decision, expected source, destination or grant: previous.* belongs in mutable_filter"
    );
    assert_eq!(
        complaint(mutable_filter, r#"previous.notes pr and source.name sw "A""#),
        "character 23: found source.name, expected previous: source.* belongs in filter"
    );
    assert_eq!(
        complaint(filter, r#"source.identity.departmnt eq "Sales""#),
        "character 1: found source.identity.departmnt, expected an attribute; the nearest is source.identity.department"
    );
    for text in ["source.department pr", "source.departmnt pr"] {
        assert!(complaint(filter, text).ends_with("the nearest is source.identity.department"), "{text}");
    }
    assert!(complaint(filter, "source.shoe_size pr").contains("one of the attributes source.id"));
    assert!(complaint(filter, "grant eq 1").contains("one of its attributes, such as grant.granted_at"));
}

#[test]
fn a_decision_that_no_row_can_have_is_refused() {
    assert_eq!(
        complaint(mutable_filter, r#"previous.decision eq "APPROVED""#),
        "character 22: found \"APPROVED\", expected one of RESULT_DECISION_UNKNOWN, RESULT_DECISION_NONE, \
         RESULT_DECISION_ACCEPTED, RESULT_DECISION_REJECTED, RESULT_DECISION_FIXED"
    );
    assert_eq!(
        complaint(mutable_filter, r#"not (previous[signed_off_state eq "yes"])"#),
        "character 35: found \"yes\", expected one of UNKNOWN, NOT_SIGNED_OFF, SIGNED_OFF"
    );
    // A part of a word is no word.
    assert!(mutable_filter(r#"previous.decision ew "ED""#).is_ok());
}

struct Before(&'static str);

impl Row for Before {
    type Attribute = Attribute;

    fn value(&self, attribute: Attribute, _key: &str) -> Option<Value<'_>> {
        (attribute == Attribute::PreviousDecision || attribute == Attribute::PreviousSignedOffState)
            .then_some(Value::Text(self.0))
    }
}

#[test]
fn short_and_long_words_mean_the_same_rows() {
    for text in [r#"previous.decision eq "RESULT_DECISION_ACCEPTED""#, r#"Previous[Decision eq "accepted"]"#] {
        let filter = mutable_filter(text).unwrap().unwrap();
        assert!(filter.matches(&Before("result_decision_accepted")), "{text}");
        assert!(!filter.matches(&Before("result_decision_rejected")), "{text}");
    }
    for word in ["UNKNOWN", "UNKNOWN_SIGNED_OFF"] {
        let filter = mutable_filter(&format!("previous.signed_off_state eq {word:?}")).unwrap().unwrap();
        assert!(filter.matches(&Before("unknown")), "{word}");
    }
}

#[test]
fn every_attribute_has_one_name() {
    let named = Attribute::NAMES.iter().chain(&Attribute::PREVIOUS).map(|(name, _, attribute)| (*attribute, *name));
    let all: Vec<_> = named.chain(Attribute::OPEN.iter().map(|(name, attribute)| (*attribute, *name))).collect();
    let attributes: BTreeSet<_> = all.iter().map(|(attribute, _)| attribute).collect();
    let names: BTreeSet<_> = all.iter().map(|(_, name)| name).collect();
    assert_eq!((attributes.len(), names.len()), (all.len(), all.len()));
    assert_eq!(all.len(), Attribute::PreviousSignedOffState as usize + 1);
}

#[test]
fn words_and_numbers_are_those_of_the_source() {
    for (number, word) in ["UNKNOWN", "NONE", "ACCEPTED", "REJECTED", "FIXED"].into_iter().enumerate() {
        let decision = Decision::ALL[number];
        assert_eq!((decision.as_str(), decision as usize), (word, number));
        assert_eq!(Decision::read(word), Some(decision));
        assert_eq!(Decision::read(&format!("RESULT_DECISION_{word}")), Some(decision));
    }
    assert_eq!(Decision::read("APPROVED"), None);
    for (number, word) in ["UNKNOWN_SIGNED_OFF", "NOT_SIGNED_OFF", "SIGNED_OFF"].into_iter().enumerate() {
        let state = SignedOffState::ALL[number];
        assert_eq!((state.in_actions(), state as usize), (word, number));
        assert_eq!(SignedOffState::read(word), Some(state));
    }
    assert_eq!(SignedOffState::read("UNKNOWN"), Some(SignedOffState::Unknown));
}
