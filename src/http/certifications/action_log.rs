//! What happened to rows: their streams, read (contracts §3.4).

use std::collections::HashMap;

use aggregates::DomainEvent;
use aggregates::certification_row::{self, Applied, CertificationRowEvent as Event};
use aggregates::{Recorded, access_request::Evidence, party::Party};
use chrono::{DateTime, Utc};
use projections::certifications::ResultRow;
use projections::events::of_streams;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::access_workflows::body::UserBody;
use crate::http::error::ApiError;
use crate::http::party::Names;
use crate::http::session::{Access, Session};

/// What happened to a row.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ActionLogBody {
    /// The oldest first.
    pub entries: Vec<ActionBody>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionBody {
    /// `DECISION`, `NOTE_ADDED`, `REVIEWER_ASSIGNED` or `UNKNOWN`.
    pub action: &'static str,
    /// Who did it.
    pub user: UserBody,
    /// When.
    pub time: DateTime<Utc>,
    /// What was remarked; of several automations each one's.
    pub note: String,
    /// Who reviewed it and who does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer_detail: Option<ReviewerDetail>,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_detail: Option<DecisionDetail>,
    /// The automations that had a say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub automations: Vec<AppliedBody>,
    /// The run that it was part of, or (with `is_undone`) that was reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automation_run_id: Option<Uuid>,
    /// A run's decision was reversed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_undone: bool,
    /// An administrator forced it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_forced: bool,
    /// The access request that this opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_request_opened: Option<Uuid>,
    /// The access request that this withdrew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_request_withdrawn: Option<Uuid>,
    /// The import that shows the access gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceBody>,
}

/// A change of reviewers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewerDetail {
    /// Who reviewed it.
    pub old_reviewers: Vec<UserBody>,
    /// Who does.
    pub new_reviewers: Vec<UserBody>,
}

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionDetail {
    /// What was decided.
    pub decision: String,
    /// Signed off or not.
    pub signed_off_state: &'static str,
    /// What was remarked.
    pub note: String,
}

/// An automation that had a say.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedBody {
    /// Which.
    pub id: Uuid,
    /// Its name then.
    pub name: String,
    /// Its notes.
    pub notes: String,
}

/// An import as evidence.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceBody {
    /// The import.
    pub application_import_id: Uuid,
    /// Its number.
    pub number: i64,
    /// Where in the log it finished.
    pub position: i64,
}

/// The events of rows by their numbers; those that nobody touched have none.
pub(super) async fn read<A: Access>(
    session: &Session<A>,
    rows: &[ResultRow],
) -> Result<HashMap<i32, Vec<Recorded>>, ApiError> {
    let touched = rows.iter().filter(|row| row.version > 0);
    let streams: Vec<String> =
        touched.map(|row| certification_row::stream(row.certification_id, row.result_id as u32).to_string()).collect();
    let mut found: HashMap<i32, Vec<Recorded>> = HashMap::new();
    if streams.is_empty() {
        return Ok(found);
    }
    let events = of_streams(session.pool(), certification_row::TYPE, &streams).await;
    for recorded in events.map_err(|error| ApiError::internal(&error))? {
        if let DomainEvent::CertificationRow(event) = &*recorded.event {
            found.entry(event.row().1 as i32).or_default().push(recorded);
        }
    }
    Ok(found)
}

/// Identities that an event names.
pub(super) fn people(recorded: &Recorded) -> Vec<Uuid> {
    let actor = Party::from(&*recorded.actor).identity_id;
    match &*recorded.event {
        DomainEvent::CertificationRow(Event::CertificationRowReviewersAssigned { old, new, .. }) => {
            actor.into_iter().chain(old.iter().copied()).chain(new.iter().copied()).collect()
        }
        _ => actor.into_iter().collect(),
    }
}

/// Events as entries.
pub(super) fn entries(log: &[Recorded], names: &Names) -> Vec<ActionBody> {
    log.iter().filter_map(|recorded| entry(recorded, names)).collect()
}

fn entry(recorded: &Recorded, names: &Names) -> Option<ActionBody> {
    let DomainEvent::CertificationRow(event) = &*recorded.event else { return None };
    let party = Party::from(&*recorded.actor);
    let (opened, withdrawn) = event.requests();
    let mut body = ActionBody {
        action: "UNKNOWN",
        user: UserBody::actor(&party.id(), &party.name, names),
        time: recorded.recorded_at,
        note: String::new(),
        reviewer_detail: None,
        decision_detail: None,
        automations: Vec::new(),
        automation_run_id: None,
        is_undone: false,
        is_forced: false,
        access_request_opened: opened,
        access_request_withdrawn: withdrawn,
        evidence: None,
    };
    if let Some((was, now)) = event.change() {
        if was.notes != now.notes {
            body.note.clone_from(&now.notes);
            body.action = "NOTE_ADDED";
        }
        if was.decision != now.decision || was.is_signed_off != now.is_signed_off {
            body.action = "DECISION";
            body.decision_detail = Some(DecisionDetail {
                decision: now.decision.long(),
                signed_off_state: now.signed_off_state().as_str(),
                note: body.note.clone(),
            });
        }
    }
    match event {
        Event::CertificationRowDecided { run_id, is_forced, .. } => {
            body.automation_run_id = *run_id;
            body.is_forced = *is_forced;
        }
        Event::CertificationRowAutomated { run_id, automations, .. } => {
            body.automation_run_id = Some(*run_id);
            body.automations = automations.iter().map(applied).collect();
            body.note = notes(automations);
            if body.action == "UNKNOWN" && !body.note.is_empty() {
                body.action = "NOTE_ADDED";
            }
            if let Some(detail) = &mut body.decision_detail {
                detail.note.clone_from(&body.note);
            }
        }
        Event::CertificationRowUndone { run_id, .. } => {
            body.automation_run_id = Some(*run_id);
            body.is_undone = true;
        }
        Event::CertificationRowFixed { evidence, .. } => {
            let Evidence { application_import_id, number, position } = evidence.clone();
            body.evidence = Some(EvidenceBody { application_import_id, number, position });
        }
        Event::CertificationRowReviewersAssigned { old, new, .. } => {
            let users = |ids: &[Uuid]| ids.iter().map(|id| UserBody::of(*id, names)).collect();
            body.action = "REVIEWER_ASSIGNED";
            body.reviewer_detail = Some(ReviewerDetail { old_reviewers: users(old), new_reviewers: users(new) });
        }
        Event::CertificationRowNotified { status, .. } => {
            body.note = format!("Notification: {}", status.as_str());
        }
    }
    Some(body)
}

fn applied(automation: &Applied) -> AppliedBody {
    AppliedBody { id: automation.id, name: automation.name.clone(), notes: automation.notes.clone() }
}

/// The notes of each automation that gave any.
fn notes(automations: &[Applied]) -> String {
    let given: Vec<&Applied> = automations.iter().filter(|automation| !automation.notes.is_empty()).collect();
    match given.as_slice() {
        [only] => only.notes.clone(),
        several => several.iter().map(|one| format!("{}: {}", one.name, one.notes)).collect::<Vec<_>>().join("\n"),
    }
}
