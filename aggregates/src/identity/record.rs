use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SourceRecord;

/// What a source says of a person. A field that it doesn't say is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names say it; contracts §1.5 is their source")]
pub struct IdentityRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<IdentityType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// As the feed writes it: a key or a display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<String>,
    /// The identity that `supervisor` means, when exactly one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<IdentityStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_date: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_date: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactivated_date: Option<DateTime<Utc>>,
    /// Custom attributes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// What kind of identity (contracts §1.5). Shown with a space where the name has two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum IdentityType {
    Employee,
    #[serde(rename = "Service Account")]
    ServiceAccount,
    Vendor,
    Shared,
    Mailbox,
    Client,
    Temporary,
    Administrator,
    Auditor,
    Unknown,
}

impl IdentityType {
    const ALL: [Self; 10] = [
        Self::Employee,
        Self::ServiceAccount,
        Self::Vendor,
        Self::Shared,
        Self::Mailbox,
        Self::Client,
        Self::Temporary,
        Self::Administrator,
        Self::Auditor,
        Self::Unknown,
    ];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "Employee",
            Self::ServiceAccount => "Service Account",
            Self::Vendor => "Vendor",
            Self::Shared => "Shared",
            Self::Mailbox => "Mailbox",
            Self::Client => "Client",
            Self::Temporary => "Temporary",
            Self::Administrator => "Administrator",
            Self::Auditor => "Auditor",
            Self::Unknown => "Unknown",
        }
    }

    /// What `parse` accepts, for messages.
    pub const ALLOWED: &str =
        "Employee, ServiceAccount, Vendor, Shared, Mailbox, Client, Temporary, Administrator, Auditor or Unknown";

    /// The type of a word, whatever its case and spaces.
    pub fn parse(word: &str) -> Option<Self> {
        let squeezed: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        Self::ALL.into_iter().find(|known| known.as_str().replace(' ', "").eq_ignore_ascii_case(&squeezed))
    }

    /// The type that a feed's word means, whatever its case and spaces; `Unknown` for a word nobody knows (rulings 11).
    pub fn from_feed(word: &str) -> Self {
        Self::parse(word).unwrap_or(Self::Unknown)
    }
}

/// What a source says of a person's state; that a person left all sources is no record's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityStatus {
    /// Works here.
    Active,
    /// Switched off at the source.
    Disabled,
}

impl IdentityStatus {
    /// What `from_feed` accepts, for messages.
    pub const ALLOWED: &str =
        "Active, Enabled, A, true, yes, 1, Disabled, Inactive, Terminated, Suspended, D, I, T, false, no or 0";

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }

    /// The state that a feed's word means.
    pub fn from_feed(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "active" | "enabled" | "a" | "true" | "yes" | "1" => Some(Self::Active),
            "disabled" | "inactive" | "terminated" | "suspended" | "d" | "i" | "t" | "false" | "no" | "0" => {
                Some(Self::Disabled)
            }
            _ => None,
        }
    }
}

/// The records that say what a person is: a transition's only while it holds.
fn counting(records: &[SourceRecord]) -> impl Iterator<Item = &SourceRecord> {
    records.iter().filter(|known| known.source.application_id != super::TRANSITION || known.is_present)
}

/// Does anybody name the person now: a feed, or, until a feed speaks, an onboarding?
pub fn is_present(records: &[SourceRecord]) -> bool {
    counting(records).any(|known| known.is_present && known.source.application_id != super::TRANSITION)
}

/// The identity that others see: field by field, the first source that says it. First come transitions, the latest before the
/// others (ids of personnel events are UUIDv7, and a person's transitions don't overlap), then the applications in `order`,
/// then the others in the order of their creation (rulings 11; application ids are UUIDv7, so their order is that order). A
/// source that names the person no more counts only when none does; an onboarding only until a feed speaks of the person.
pub fn merge(records: &[SourceRecord], order: &[Uuid]) -> IdentityRecord {
    let mut sources: Vec<&SourceRecord> = counting(records).filter(|known| known.is_present).collect();
    if sources.iter().all(|known| known.source.application_id == super::TRANSITION) {
        sources = counting(records).collect();
    }
    let rank = |known: &SourceRecord| match known.source.application_id {
        super::TRANSITION => 0,
        id => 1 + order.iter().position(|application| *application == id).unwrap_or(order.len()),
    };
    sources.sort_by(|a, b| {
        let by_age = a.source.cmp(&b.source);
        let is_transition = a.source.application_id == super::TRANSITION;
        rank(a).cmp(&rank(b)).then(if is_transition { by_age.reverse() } else { by_age })
    });
    let mut merged = IdentityRecord::default();
    for SourceRecord { record, .. } in sources {
        macro_rules! first_said {
            ($($field:ident),*) => { $(if merged.$field.is_none() { merged.$field.clone_from(&record.$field); })* };
        }
        // The supervisor's text and what it means belong together.
        if merged.supervisor.is_none() && merged.supervisor_id.is_none() {
            merged.supervisor.clone_from(&record.supervisor);
            merged.supervisor_id = record.supervisor_id;
        }
        first_said!(
            first_name,
            last_name,
            display_name,
            email,
            employee_id,
            r#type,
            title,
            company,
            division,
            department,
            office,
            status,
            created_date,
            updated_date,
            inactivated_date
        );
        for (name, value) in &record.attributes {
            merged.attributes.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    merged
}
