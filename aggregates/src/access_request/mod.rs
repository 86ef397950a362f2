//! Access requests: access to be given, changed, taken, suspended or restored, until an import proves it (contracts §1.9,
//! rulings 26).

mod command;
mod events;
mod kind;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use command::AccessRequestCommand;
pub use events::AccessRequestEvent;
pub use kind::{Action, Evidence, Peers, Privilege, Provisioning, ReviewItem};

use crate::ballot::{Ballot, Outcome};
use crate::party::{Comment, Party, check_comment};
use crate::personnel_event::Status;
use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "access_request";

/// An access request as it was asked for: one person, one application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestedAccess {
    /// What is to be done.
    pub action: Action,
    /// Whose access.
    pub identity_id: Uuid,
    /// Where.
    pub application_id: Uuid,
    /// To what.
    pub privileges: Vec<Privilege>,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_at: Option<DateTime<Utc>>,
    /// The personnel event that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personnel_event_id: Option<Uuid>,
    /// Derived from what others hold, not from what anybody asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_suggested: bool,
    /// The row of a certification whose rejection asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_item: Option<ReviewItem>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// An access request's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequest {
    /// What was asked for; `None` before.
    pub request: Option<RequestedAccess>,
    /// Who asked.
    pub reporter: Party,
    /// Who looks after it.
    pub assignee_id: Option<Uuid>,
    /// Who must answer.
    pub ballot: Ballot,
    /// All said yes, or the personnel event's approval covers it.
    pub is_approved: bool,
    /// Its date has come.
    pub is_due: bool,
    /// How far carrying it out has come.
    pub provisioning: Provisioning,
    /// The import that showed it last: done, or undone again.
    pub evidence: Option<Evidence>,
    /// An import showed it undone after it was verified.
    pub is_finding: bool,
    /// Remarks, the oldest first.
    pub comments: Vec<Comment>,
    /// Why it ended before its time.
    pub canceled: Option<String>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

use AccessRequestCommand as Command;
use AccessRequestEvent as Event;

/// Where an access request begins.
pub const STARTS: [(Status, &str); 3] = [
    (Status::Pending, "asked for"),
    (Status::Scheduled, "by an approved personnel event, for a later date"),
    (Status::Open, "by an approved personnel event"),
];

/// Every way from one status to another; never `Snoozed`. The diagram in docs/PEOPLE.md is drawn from it, and a test walks at
/// random and meets no other.
pub const TRANSITIONS: [(Status, Status, &str); 11] = [
    (Status::Pending, Status::Scheduled, "approved, for a later date"),
    (Status::Pending, Status::Open, "approved by all responders"),
    (Status::Pending, Status::Canceled, "canceled or rejected"),
    (Status::Scheduled, Status::Open, "its date comes"),
    (Status::Scheduled, Status::Canceled, "canceled"),
    (Status::Open, Status::Resolved, "provisioned"),
    (Status::Open, Status::Completed, "an import verifies it"),
    (Status::Open, Status::Canceled, "canceled"),
    (Status::Resolved, Status::Completed, "an import or somebody verifies it"),
    (Status::Resolved, Status::Canceled, "canceled"),
    (Status::Completed, Status::Open, "a later import shows it undone, a finding"),
];

impl AccessRequest {
    fn requested(&self) -> Result<&RequestedAccess, Refusal> {
        self.request.as_ref().ok_or_else(|| Refusal::NotFound("The access request doesn't exist".to_owned()))
    }

    fn expect(&self, allowed: &[Status]) -> Result<&RequestedAccess, Refusal> {
        let request = self.requested()?;
        let status = self.status();
        if allowed.contains(&status) {
            return Ok(request);
        }
        let allowed: Vec<&str> = allowed.iter().map(|status| status.as_str()).collect();
        Err(Refusal::Conflict(format!(
            "The access request is {}; this is possible while it is {}",
            status.as_str(),
            allowed.join(" or ")
        )))
    }

    /// Has an import that finished as late as this one been heard already? Whoever comes second has nothing to say.
    fn is_known(&self, evidence: Option<&Evidence>) -> bool {
        self.evidence.as_ref().zip(evidence).is_some_and(|(known, said)| said.position <= known.position)
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        if self.canceled.is_some() {
            return Status::Canceled;
        }
        match self.provisioning {
            _ if !self.is_approved => Status::Pending,
            Provisioning::Verified => Status::Completed,
            Provisioning::Provisioned => Status::Resolved,
            _ if !self.is_due => Status::Scheduled,
            _ => Status::Open,
        }
    }

    /// When something happens by itself next.
    pub fn wakes_at(&self) -> Option<DateTime<Utc>> {
        let is_waiting = !self.is_due && !self.status().is_terminal();
        self.request.as_ref().filter(|_| is_waiting).and_then(|request| request.needed_at)
    }

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        const RUNNING: [Status; 4] = [Status::Pending, Status::Scheduled, Status::Open, Status::Resolved];
        match command {
            Command::Request { request, reporter, responders, is_approved, at } => {
                if self.request.is_some() {
                    return Err(Refusal::Conflict("The access request exists already".to_owned()));
                }
                if request.privileges.is_empty() {
                    return Err(Refusal::field("entitlements", "At least one entitlement is required"));
                }
                check_comment(request.comment.as_deref())?;
                let party_to_it = [reporter.identity_id, Some(request.identity_id)];
                let responders =
                    responders.into_iter().filter(|responder| !party_to_it.contains(&Some(*responder))).collect();
                let is_due = request.needed_at.is_none_or(|needed| needed <= at);
                let comment = request.comment.clone().map(|text| Comment { by: reporter.clone(), at, text });
                let mut events =
                    vec![Event::AccessRequested { request, reporter, responders, is_approved, is_due, at }];
                events.extend(comment.map(|comment| Event::AccessRequestCommented { comment }));
                Ok(events)
            }
            Command::Answer { voter, answer, comment, at } => {
                let request = self.expect(&[Status::Pending])?;
                check_comment(comment.as_deref())?;
                let given = (answer, at, comment.as_deref());
                let responses = self.ballot.answers(&voter, &self.reporter, Some(request.identity_id), given)?;
                let mut after = self.ballot.clone();
                after.responses.extend(responses.iter().cloned());
                let mut events: Vec<Event> =
                    responses.into_iter().map(|response| Event::AccessRequestAnswered { response }).collect();
                match after.outcome(&voter.departed) {
                    Outcome::Open => {}
                    Outcome::Approved => events.push(Event::AccessRequestApproved { by: voter.party, at }),
                    Outcome::Rejected => {
                        let reason = "The request was rejected".to_owned();
                        events.push(Event::AccessRequestCanceled { reason, by: voter.party, at });
                    }
                }
                Ok(events)
            }
            Command::Reset(voter) => {
                self.expect(&[Status::Pending])?;
                let resets = self.ballot.resets(&voter)?;
                Ok(resets.into_iter().map(|responder| Event::AccessRequestReset { responder }).collect())
            }
            Command::Wake { at } => {
                let request = self.expect(&RUNNING)?;
                let comes = !self.is_due && request.needed_at.is_some_and(|needed| needed <= at);
                Ok(if comes { vec![Event::AccessRequestDue {}] } else { Vec::new() })
            }
            Command::Provision { by, at } => {
                self.expect(&[Status::Open])?;
                Ok(vec![Event::AccessRequestProvisioned { by, at }])
            }
            Command::Fail { reason, by, at } => {
                self.expect(&[Status::Open])?;
                check_comment(Some(&reason))?;
                Ok(vec![Event::AccessRequestFailed { reason, by, at }])
            }
            Command::Verify { evidence, by, at } => {
                // What an import shows to be so is so, whether or not anybody said that it was carried out.
                let request = self.expect(if evidence.is_some() {
                    &[Status::Open, Status::Resolved]
                } else {
                    &[Status::Resolved]
                })?;
                if self.is_known(evidence.as_ref()) {
                    return Ok(Vec::new());
                }
                let is_party_to_it = by.is(&self.reporter) || by.identity_id == Some(request.identity_id);
                if evidence.is_none() && is_party_to_it {
                    return Err(Refusal::Conflict(
                        "Nobody verifies by hand what they asked for, or what is about themselves".to_owned(),
                    ));
                }
                Ok(vec![Event::AccessRequestVerified { evidence, by, at }])
            }
            Command::Reopen { evidence, at } => {
                self.expect(&[Status::Completed])?;
                if self.is_known(Some(&evidence)) {
                    return Ok(Vec::new());
                }
                Ok(vec![Event::AccessRequestReopened { evidence, at }])
            }
            Command::Assign(assignee_id) => {
                self.expect(&RUNNING)?;
                let is_same = self.assignee_id == assignee_id;
                Ok(if is_same { Vec::new() } else { vec![Event::AccessRequestAssigned { assignee_id }] })
            }
            Command::Comment(comment) => {
                self.requested()?;
                check_comment(Some(&comment.text))?;
                Ok(vec![Event::AccessRequestCommented { comment }])
            }
            Command::Cancel { reason, by, at } => {
                let request = self.expect(&RUNNING)?;
                if by.identity_id == Some(request.identity_id) && !by.is(&self.reporter) {
                    return Err(Refusal::Conflict("Nobody cancels what others asked for about themselves".to_owned()));
                }
                check_comment(reason.as_deref())?;
                let reason = reason.unwrap_or_else(|| "Canceled".to_owned());
                Ok(vec![Event::AccessRequestCanceled { reason, by, at }])
            }
        }
    }

    /// Folds an event: the aggregate and the projection share it.
    pub fn fold(&mut self, event: Event) {
        match event {
            Event::AccessRequested { request, reporter, responders, is_approved, is_due, .. } => {
                self.request = Some(request);
                self.reporter = reporter;
                self.ballot = Ballot::of(responders);
                self.is_approved = is_approved;
                self.is_due = is_due;
            }
            Event::AccessRequestAnswered { response } => self.ballot.responses.push(response),
            Event::AccessRequestReset { responder } => self.ballot.reset(responder),
            Event::AccessRequestApproved { .. } => self.is_approved = true,
            Event::AccessRequestDue {} => self.is_due = true,
            Event::AccessRequestProvisioned { .. } => self.provisioning = Provisioning::Provisioned,
            Event::AccessRequestFailed { .. } => self.provisioning = Provisioning::Failed,
            Event::AccessRequestVerified { evidence, at, .. } => {
                self.provisioning = Provisioning::Verified;
                self.evidence = evidence;
                self.is_finding = false;
                self.completed_at = Some(at);
            }
            Event::AccessRequestReopened { evidence, .. } => {
                self.provisioning = Provisioning::Provisioning;
                self.evidence = Some(evidence);
                self.is_finding = true;
                self.completed_at = None;
            }
            Event::AccessRequestAssigned { assignee_id } => self.assignee_id = assignee_id,
            Event::AccessRequestCommented { comment } => self.comments.push(comment),
            Event::AccessRequestCanceled { reason, at, .. } => {
                self.canceled = Some(reason);
                self.completed_at = Some(at);
            }
        }
        if self.status() == Status::Open && self.provisioning == Provisioning::NotStarted {
            self.provisioning = Provisioning::Provisioning;
        }
    }
}

impl cqrs_es::Aggregate for AccessRequest {
    const TYPE: &'static str = TYPE;
    type Command = AccessRequestCommand;
    type Event = AccessRequestEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.fold(event);
    }
}

impl crate::Stream for AccessRequest {}
