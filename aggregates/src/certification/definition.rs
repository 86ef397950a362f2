use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::automation::AutomationDefinition;
use crate::certification_row;
use crate::violation::{Violation, check_length, check_text};

/// Characters that a name may have.
pub const NAME_LIMIT: usize = 256;

/// What a certification is: what its workflow was when it was made, and what was said then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificationDefinition {
    /// From which workflow.
    pub workflow_id: Uuid,
    /// At most [`NAME_LIMIT`] characters.
    pub name: String,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Whose access is reviewed: if the workflow names none, every application that isn't archived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_ids: Vec<Uuid>,
    /// Which rows; empty = all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Who reviews.
    #[serde(default, skip_serializing_if = "Assignment::is_default")]
    pub reviewers: Assignment,
    /// People may decide about their own access.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_self_review_allowed: bool,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The workflow's certification that was completed or has expired last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_id: Option<Uuid>,
    /// The automations that it runs, as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub automations: Vec<NamedAutomation>,
}

/// An automation as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedAutomation {
    /// Which.
    pub id: Uuid,
    /// It means only rows that are unchanged: a built-in one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_unchanged: bool,
    /// What it was.
    #[serde(flatten)]
    pub definition: AutomationDefinition,
}

/// Who reviews rows (contracts §3.4, `reviewer_assignment`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// These, every row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<Uuid>,
    /// And the supervisor of the row's person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub users_manager: bool,
    /// And whoever owns the entitlement, else who answers for the application.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resource_managers: bool,
    /// These, where that is nobody but the row's own person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback_reviewers: Vec<Uuid>,
}

impl Assignment {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Who reviews a row: nobody their own access (rulings 38), and where that leaves nobody, the fallback reviewers, who don't
    /// either.
    pub fn of_row(
        &self,
        identity: Uuid,
        supervisor: Option<Uuid>,
        managers: &[Uuid],
        is_self_review_allowed: bool,
    ) -> Vec<Uuid> {
        let supervisor = supervisor.filter(|_| self.users_manager);
        let managers = if self.resource_managers { managers } else { &[] };
        let others = |ids: &mut dyn Iterator<Item = Uuid>| {
            let mut found: Vec<Uuid> = Vec::new();
            for id in ids {
                if (is_self_review_allowed || id != identity) && !found.contains(&id) {
                    found.push(id);
                }
            }
            found
        };
        let found = others(&mut self.reviewers.iter().copied().chain(supervisor).chain(managers.iter().copied()));
        if found.is_empty() { others(&mut self.fallback_reviewers.iter().copied()) } else { found }
    }
}

/// A certification as it is asked for, with what was found out about what it names.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// What it is to be.
    pub definition: CertificationDefinition,
    /// Identities that can't review, each with why.
    pub wrong_people: BTreeMap<Uuid, String>,
    /// Automations that are named and not attached to the workflow.
    pub unattached: Vec<Uuid>,
    /// The time.
    pub at: DateTime<Utc>,
}

impl Proposed {
    /// What is wrong with it.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let asked = &self.definition;
        let mut found = Vec::new();
        check_text(&mut found, "name", "Name", &asked.name, NAME_LIMIT);
        check_length(&mut found, "notes", "Notes", &asked.notes, 4000);
        if let Err(error) = certification_row::filter(&asked.filter) {
            found.push(Violation::new("filter", error.to_string()));
        }
        let lists =
            [("reviewers", &asked.reviewers.reviewers), ("fallback_reviewers", &asked.reviewers.fallback_reviewers)];
        for (field, ids) in lists {
            for (at, id) in ids.iter().enumerate() {
                let message = self.wrong_people.get(id);
                let at = format!("reviewer_assignment.{field}[{at}]");
                found.extend(message.map(|message| Violation::new(at, message.clone())));
            }
            if ids.len() > certification_row::REVIEWER_LIMIT {
                let message = format!("at most {} are allowed", certification_row::REVIEWER_LIMIT);
                found.push(Violation::new(format!("reviewer_assignment.{field}"), message));
            }
        }
        let unattached =
            |id: &Uuid| Violation::new("automation_ids", format!("Automation {id} isn't attached to the workflow"));
        found.extend(self.unattached.iter().map(unattached));
        if let Some(due) = asked.due_at.filter(|due| *due <= self.at) {
            let message = format!("{} is past", due.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
            found.push(Violation::new("due_date", message));
        }
        found
    }
}
