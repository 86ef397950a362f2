//! Words of feeds.

use super::*;

const TYPES: [(IdentityType, &str); 10] = [
    (IdentityType::Employee, "Employee"),
    (IdentityType::ServiceAccount, "Service Account"),
    (IdentityType::Vendor, "Vendor"),
    (IdentityType::Shared, "Shared"),
    (IdentityType::Mailbox, "Mailbox"),
    (IdentityType::Client, "Client"),
    (IdentityType::Temporary, "Temporary"),
    (IdentityType::Administrator, "Administrator"),
    (IdentityType::Auditor, "Auditor"),
    (IdentityType::Unknown, "Unknown"),
];

#[test]
fn a_type_is_read_in_any_case_and_spacing() {
    for (known, word) in TYPES {
        assert_eq!(known.as_str(), word);
        assert_eq!(serde_json::to_value(known).unwrap(), word);
        for written in [word.to_owned(), word.to_uppercase(), word.to_lowercase(), format!("  {word}\t")] {
            assert_eq!(IdentityType::from_feed(&written), known, "{written:?}");
        }
    }
    for written in ["ServiceAccount", "SERVICE_ACCOUNT", "service-account", "service  account"] {
        assert_eq!(IdentityType::from_feed(written), IdentityType::ServiceAccount, "{written:?}");
    }
}

#[test]
fn a_type_that_nobody_knows_becomes_unknown() {
    for written in ["", " ", "Robot", "Employees", "Service", "Employee 2", "Angestellte"] {
        assert_eq!(IdentityType::from_feed(written), IdentityType::Unknown, "{written:?}");
    }
}

#[test]
fn a_status_is_read_from_every_word_that_messages_allow() {
    let active = ["Active", "Enabled", "A", "true", "yes", "1"];
    let disabled = ["Disabled", "Inactive", "Terminated", "Suspended", "D", "I", "T", "false", "no", "0"];
    for (words, status) in [(&active[..], IdentityStatus::Active), (&disabled[..], IdentityStatus::Disabled)] {
        for word in words {
            for written in [word.to_lowercase(), word.to_uppercase(), format!(" {word} ")] {
                assert_eq!(IdentityStatus::from_feed(&written), Some(status), "{written:?}");
            }
        }
    }
    let allowed = IdentityStatus::ALLOWED.replace(" or ", ", ");
    let listed: Vec<&str> = allowed.split(", ").collect();
    assert_eq!(listed, [&active[..], &disabled[..]].concat());
}

#[test]
fn a_status_that_nobody_knows_is_a_fault_of_the_row() {
    for written in ["", " ", "maybe", "Removed", "2", "ac tive", "act"] {
        assert_eq!(IdentityStatus::from_feed(written), None, "{written:?}");
    }
}

#[test]
fn the_words_of_a_status_are_those_of_the_log() {
    for (status, word) in [(IdentityStatus::Active, "Active"), (IdentityStatus::Disabled, "Disabled")] {
        assert_eq!(status.as_str(), word);
        assert_eq!(serde_json::to_value(status).unwrap(), word);
        assert_eq!(IdentityStatus::from_feed(word), Some(status));
    }
}
