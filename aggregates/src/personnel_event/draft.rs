//! What callers ask for, and what is wrong with it (contracts §1.8, request bodies).

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PersonnelEventType;
use crate::identity::{IdentityRecord, IdentityType};
use crate::party::COMMENT_LIMIT;
use crate::values;
use crate::violation::{Violation, check_length};

/// How many custom fields there are (rulings 25).
pub const CUSTOM_FIELDS: usize = 10;

/// A personnel event as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// What happens.
    pub r#type: PersonnelEventType,
    /// To whom; `None` = somebody who joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<Uuid>,
    /// The joiner, or what changes about the mover.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub identity: IdentityRecord,
    /// When it takes effect.
    pub effective_at: DateTime<Utc>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<DateTime<Utc>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

fn is_empty(record: &IdentityRecord) -> bool {
    *record == IdentityRecord::default()
}

/// The fields of a request, as sent.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// `identityId`.
    pub identity_id: Option<String>,
    /// `identity`.
    pub identity: Option<IdentityDraft>,
    /// `effectiveDate`.
    pub effective_date: Option<String>,
    /// `endDate`.
    pub end_date: Option<String>,
    /// `comment`.
    pub comment: Option<String>,
}

/// `identity` of a request, as sent.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "contracts §1.8 names them")]
pub struct IdentityDraft {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub supervisor_id: Option<String>,
    pub company: Option<String>,
    pub division: Option<String>,
    pub department: Option<String>,
    pub office: Option<String>,
    pub title: Option<String>,
    pub identity_type: Option<String>,
    /// By name: `customField1`, ...
    pub custom_fields: BTreeMap<String, String>,
}

/// What the settings and the clock say.
#[derive(Debug, Clone)]
pub struct DraftFacts {
    /// The time.
    pub now: DateTime<Utc>,
    /// The configured timezone.
    pub timezone: Tz,
    /// Custom fields that are enabled.
    pub custom_fields: Vec<String>,
}

impl DraftFacts {
    /// The first moment of today.
    pub fn today(&self) -> DateTime<Utc> {
        midnight(self.now.with_timezone(&self.timezone).date_naive(), self.timezone)
    }
}

/// The first moment of a day: midnight, or when the clocks skip it (a whole day where the date line moved), the moment after.
fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let naive = day.and_time(chrono::NaiveTime::MIN);
    (0..=24 * 4)
        .find_map(|quarters| zone.from_local_datetime(&(naive + chrono::TimeDelta::minutes(15 * quarters))).earliest())
        .map_or_else(|| naive.and_utc(), |time| time.with_timezone(&Utc))
}

/// A date as requests write it: `2026-03-15`, which is that day's midnight in the timezone, or a time.
pub fn date(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let time = values::time(text)?;
    match NaiveDate::from_str(text) {
        // East of Greenwich the first of all days begins in a year that PostgreSQL can't keep.
        Ok(day) if text.len() == 10 => Some(midnight(day, zone)).filter(|time| time.year() >= 1),
        _ => Some(time),
    }
}

impl Draft {
    /// The request that this draft means.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn check(self, r#type: PersonnelEventType, facts: &DraftFacts) -> Result<Requested, Vec<Violation>> {
        let mut violations = Vec::new();
        let is_onboard = r#type == PersonnelEventType::Onboard;
        let identity_id = if is_onboard {
            None
        } else {
            required(&mut violations, "identityId", "Identity ID", self.identity_id.as_deref())
                .and_then(|text| guid(&mut violations, "identityId", text))
        };
        let identity = match self.identity {
            Some(identity) => identity.check(is_onboard, facts, &mut violations),
            None if is_onboard => {
                violations.push(Violation::new("identity", "Identity is required"));
                IdentityRecord::default()
            }
            None => IdentityRecord::default(),
        };
        let effective = required(&mut violations, "effectiveDate", "Effective date", self.effective_date.as_deref())
            .and_then(|text| read_date(&mut violations, "effectiveDate", text, facts.timezone));
        // Who joins may have joined already (rulings 24).
        if !is_onboard && effective.is_some_and(|effective| effective < facts.today()) {
            violations.push(Violation::new("effectiveDate", "Effective date must be today or later"));
        }
        let end_at = self
            .end_date
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .and_then(|text| read_date(&mut violations, "endDate", text, facts.timezone));
        if let (Some(effective), Some(end)) = (effective, end_at)
            && end <= effective
        {
            violations.push(Violation::new("endDate", "End date must be after effective date"));
        }
        let comment = self.comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if let Some(text) = &comment {
            check_length(&mut violations, "comment", "Comment", text, COMMENT_LIMIT);
        }
        match effective {
            Some(effective_at) if violations.is_empty() => {
                Ok(Requested { r#type, identity_id, identity, effective_at, end_at, comment })
            }
            _ => Err(violations),
        }
    }
}

impl IdentityDraft {
    fn check(self, is_onboard: bool, facts: &DraftFacts, violations: &mut Vec<Violation>) -> IdentityRecord {
        let mut text = |field: &str, label: &str, value: Option<String>, limit: usize| {
            let field = format!("identity.{field}");
            let value = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            check_length(violations, &field, label, value.as_deref().unwrap_or_default(), limit);
            value
        };
        let mut record = IdentityRecord {
            first_name: text("firstName", "First name", self.first_name, 256),
            last_name: text("lastName", "Last name", self.last_name, 256),
            email: text("email", "Email", self.email, 256),
            company: text("company", "Company", self.company, 256),
            division: text("division", "Division", self.division, 256),
            department: text("department", "Department", self.department, 128),
            office: text("office", "Office", self.office, 256),
            title: text("title", "Title", self.title, 256),
            ..Default::default()
        };
        let identity_type = text("identityType", "Identity type", self.identity_type, 50);
        for (name, value) in self.custom_fields {
            if let Some(value) = text(&name, &name, Some(value), 2048) {
                record.attributes.insert(name, value);
            }
        }
        if is_onboard {
            for (field, label, value) in
                [("firstName", "First name", &record.first_name), ("lastName", "Last name", &record.last_name)]
            {
                if value.is_none() {
                    violations.push(Violation::new(format!("identity.{field}"), format!("{label} is required")));
                }
            }
            record.r#type = Some(IdentityType::Employee);
        }
        if let Some(word) = identity_type {
            record.r#type = IdentityType::parse(&word);
            if record.r#type.is_none() {
                let message = format!("{word:?} is no identity type; allowed are {}", IdentityType::ALLOWED);
                violations.push(Violation::new("identity.identityType", message));
            }
        }
        for name in record.attributes.keys().filter(|name| !facts.custom_fields.contains(name)) {
            let message = format!("{name} is not enabled in the system settings");
            violations.push(Violation::new(format!("identity.{name}"), message));
        }
        record.supervisor_id = self
            .supervisor_id
            .as_deref()
            .filter(|text| !text.trim().is_empty())
            .and_then(|text| guid(violations, "identity.supervisorId", text));
        record
    }
}

fn required<'a>(violations: &mut Vec<Violation>, field: &str, label: &str, text: Option<&'a str>) -> Option<&'a str> {
    let text = text.filter(|text| !text.trim().is_empty());
    if text.is_none() {
        violations.push(Violation::new(field, format!("{label} is required")));
    }
    text
}

fn guid(violations: &mut Vec<Violation>, field: &str, text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text.trim()).ok();
    if id.is_none() {
        violations.push(Violation::new(field, format!("{text:?} is not a GUID")));
    }
    id
}

fn read_date(violations: &mut Vec<Violation>, field: &str, text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let time = date(text, zone);
    if time.is_none() {
        violations.push(Violation::new(field, format!("{text:?} is not {}", values::TIME_ALLOWED)));
    }
    time
}
