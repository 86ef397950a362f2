//! Personnel events: joiners, movers, leavers and leaves of absence, from the request to the proof (contracts §1.8,
//! rulings 23 and 24).
//!
//! An event's stream says who asked, who agreed, and when each stage was done. What it does to access are access requests,
//! which name it.

mod command;
mod draft;
mod events;
mod kind;
mod stages;
mod status;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use command::PersonnelEventCommand;
pub use draft::{CUSTOM_FIELDS, Draft, DraftFacts, IdentityDraft, Requested, date};
pub use events::PersonnelEventEvent;
pub use kind::{PersonnelEventType, Stage};
pub use stages::{StageState, StageStatus};
pub use status::{STARTS, Status, TRANSITIONS};

use crate::ballot::{Ballot, Outcome};
use crate::party::{Comment, Party, check_comment};
use crate::violation::{Refusal, Violation, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "personnel_event";

/// A personnel event's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonnelEvent {
    /// What was asked for, with the dates as they are now; `None` before.
    pub request: Option<Requested>,
    /// Who asked.
    pub reporter: Party,
    /// Whom it concerns; `None` for an onboarding before it was approved.
    pub identity_id: Option<Uuid>,
    /// Who looks after it.
    pub assignee_id: Option<Uuid>,
    /// Its effective date has come.
    pub is_due: bool,
    /// Its stages in order.
    pub stages: Vec<StageState>,
    /// Remarks, the oldest first.
    pub comments: Vec<Comment>,
    /// Why it ended before its time.
    pub canceled: Option<String>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

use PersonnelEventCommand as Command;
use PersonnelEventEvent as Event;

impl PersonnelEvent {
    fn requested(&self) -> Result<&Requested, Refusal> {
        self.request.as_ref().ok_or_else(|| Refusal::NotFound("The personnel event doesn't exist".to_owned()))
    }

    /// It exists and hasn't ended.
    fn running(&self) -> Result<&Requested, Refusal> {
        let request = self.requested()?;
        let status = self.status();
        if status.is_terminal() {
            return Err(Refusal::Conflict(format!("The personnel event is {}", status.as_str())));
        }
        Ok(request)
    }

    /// What it is.
    pub fn kind(&self) -> Option<PersonnelEventType> {
        self.request.as_ref().map(|request| request.r#type)
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        if self.canceled.is_some() {
            return Status::Canceled;
        }
        if self.completed_at.is_some() {
            return Status::Completed;
        }
        match self.current() {
            Some(stage) if stage.stage == Stage::Approval && !self.is_due => Status::Scheduled,
            Some(stage) if stage.stage == Stage::Approval => Status::Pending,
            Some(stage) if stage.stage == Stage::Verification && stage.is_open => Status::Resolved,
            Some(stage) if stage.stage.is_at_end() && !stage.is_open => {
                if self.end_at().is_some() {
                    Status::Scheduled
                } else {
                    Status::Snoozed
                }
            }
            Some(stage) if !stage.is_open && !self.is_due => Status::Scheduled,
            Some(_) => Status::Open,
            None => Status::Resolved,
        }
    }

    fn end_at(&self) -> Option<DateTime<Utc>> {
        self.request.as_ref().and_then(|request| request.end_at)
    }

    /// The first stage that isn't done.
    pub fn current(&self) -> Option<&StageState> {
        self.stages.iter().find(|stage| !stage.is_completed())
    }

    /// Who answers a stage, where responders do.
    pub fn ballot(&self, stage: Stage) -> Option<&Ballot> {
        self.stages.iter().find(|known| known.stage == stage)?.ballot.as_ref()
    }

    /// The stage of work that can begin now: approved, not yet begun, and its date has come.
    pub fn startable(&self, at: DateTime<Utc>) -> Option<Stage> {
        let current = self.current().filter(|_| !self.status().is_terminal())?;
        let is_time = if current.stage.is_at_end() { self.end_at().is_some_and(|end| end <= at) } else { self.is_due };
        (!current.stage.is_answered() && !current.is_open && is_time).then_some(current.stage)
    }

    /// Do its access requests, or that there are none, end the stage that is open?
    pub fn settles(&self) -> bool {
        let Some(current) = self.current().filter(|stage| stage.is_open && !self.status().is_terminal()) else {
            return false;
        };
        match current.stage {
            Stage::Approval => false,
            // Who said no must be heard again, whatever imports showed before.
            Stage::Verification => !self.stages.iter().any(|stage| stage.is_reopened),
            // What nobody could do by a request (a desk, a badge) somebody must say to be done.
            Stage::Provision if self.kind() == Some(PersonnelEventType::Onboard) && current.requests.is_empty() => {
                false
            }
            _ => !current.is_reopened,
        }
    }

    /// When something happens by itself next.
    pub fn wakes_at(&self) -> Option<DateTime<Utc>> {
        let request = self.request.as_ref().filter(|_| !self.status().is_terminal())?;
        let current = self.current()?;
        if !self.is_due {
            Some(request.effective_at)
        } else if current.stage.is_answered() || current.is_open {
            None
        } else if current.stage.is_at_end() {
            request.end_at
        } else {
            Some(request.effective_at)
        }
    }

    /// The stage that a path names, which must be the one that is open.
    fn open(&self, stage: Stage) -> Result<&StageState, Refusal> {
        self.running()?;
        let Some(found) = self.stages.iter().find(|known| known.stage == stage) else {
            let stages: Vec<&str> = self.stages.iter().map(|known| known.stage.as_str()).collect();
            let message = format!("The personnel event has no stage {}; it has {}", stage.as_str(), stages.join(", "));
            return Err(Refusal::NotFound(message));
        };
        if found.is_completed() {
            return Err(Refusal::Conflict(format!("The stage {} is completed", stage.as_str())));
        }
        if !found.is_open {
            let current = self.current().map_or("none", |current| current.stage.as_str());
            return Err(Refusal::Conflict(format!(
                "The stage {} isn't open; the current one is {current}",
                stage.as_str()
            )));
        }
        Ok(found)
    }

    fn answered(&self, stage: Stage) -> Result<&Ballot, Refusal> {
        let found = self.open(stage)?;
        found.ballot.as_ref().ok_or_else(|| {
            Refusal::Conflict(format!("The stage {} is work: it is completed, not answered", stage.as_str()))
        })
    }

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Request { request, reporter, responders, at } => {
                if self.request.is_some() {
                    return Err(Refusal::Conflict("The personnel event exists already".to_owned()));
                }
                let is_due = request.effective_at <= at;
                // Nobody answers their own request, or one about themselves: others do.
                let party_to_it = [reporter.identity_id, request.identity_id];
                let responders =
                    responders.into_iter().filter(|responder| !party_to_it.contains(&Some(*responder))).collect();
                let comment = request.comment.clone().map(|text| Comment { by: reporter.clone(), at, text });
                let mut events = vec![Event::PersonnelEventRequested { request, reporter, responders, is_due, at }];
                events.extend(comment.map(|comment| Event::PersonnelEventCommented { comment }));
                Ok(events)
            }
            Command::Answer { stage, voter, answer, comment, new_identity, at } => {
                let ballot = self.answered(stage)?;
                check_comment(comment.as_deref())?;
                let given = (answer, at, comment.as_deref());
                let responses = ballot.answers(&voter, &self.reporter, self.identity_id, given)?;
                let mut after = ballot.clone();
                after.responses.extend(responses.iter().cloned());
                let mut events: Vec<Event> =
                    responses.into_iter().map(|response| Event::PersonnelStageAnswered { stage, response }).collect();
                match after.outcome(&voter.departed) {
                    Outcome::Open => {}
                    Outcome::Approved => {
                        events.push(Event::PersonnelStageCompleted { stage, by: voter.party, at });
                        if stage == Stage::Verification {
                            events.push(Event::PersonnelEventCompleted { at });
                        } else if self.kind() == Some(PersonnelEventType::Onboard) {
                            events.push(Event::PersonnelIdentityCreated { identity_id: new_identity });
                        }
                    }
                    Outcome::Rejected => {
                        events.push(Event::PersonnelStageRejected { stage, at });
                        if stage == Stage::Approval {
                            let reason = "Approval was rejected".to_owned();
                            events.push(Event::PersonnelEventCanceled { reason, by: voter.party, at });
                        } else if let Some(last) = self.stages.iter().rev().find(|known| !known.stage.is_answered()) {
                            events.push(Event::PersonnelStageReopened { stage: last.stage });
                        }
                    }
                }
                Ok(events)
            }
            Command::Reset { stage, voter } => {
                let resets = self.answered(stage)?.resets(&voter)?;
                Ok(resets.into_iter().map(|responder| Event::PersonnelStageReset { stage, responder }).collect())
            }
            Command::Wake { at } => {
                let request = self.running()?;
                let comes = !self.is_due && request.effective_at <= at;
                Ok(if comes { vec![Event::PersonnelEventDue {}] } else { Vec::new() })
            }
            Command::Start { requests, at } => {
                self.running()?;
                match self.startable(at) {
                    Some(stage) => Ok(vec![Event::PersonnelStageStarted { stage, requests }]),
                    None => Err(Refusal::Conflict("No stage of the personnel event can begin now".to_owned())),
                }
            }
            Command::Complete { stage, outstanding, by, at } => {
                let open = self.open(stage)?;
                if open.ballot.is_some() {
                    let message = format!("The stage {} is answered with approve or reject", stage.as_str());
                    return Err(Refusal::Conflict(message));
                }
                if !outstanding.is_empty() {
                    let numbers: Vec<String> = outstanding.iter().map(ToString::to_string).collect();
                    let message =
                        format!("Access requests are not yet provisioned or canceled: {}", numbers.join(", "));
                    return Err(Refusal::Conflict(message));
                }
                Ok(self.completing(stage, by, at))
            }
            Command::Settle { is_provisioned, is_verified, by, at } => {
                self.running()?;
                Ok(self.settling(is_provisioned, is_verified, &by, at))
            }
            Command::Assign(assignee_id) => {
                self.running()?;
                let is_same = self.assignee_id == assignee_id;
                Ok(if is_same { Vec::new() } else { vec![Event::PersonnelEventAssigned { assignee_id }] })
            }
            Command::Comment(comment) => {
                self.requested()?;
                check_comment(Some(&comment.text))?;
                Ok(vec![Event::PersonnelEventCommented { comment }])
            }
            Command::Reschedule { effective_at, end_at, today, at } => self.reschedule(effective_at, end_at, today, at),
            Command::Cancel { reason, by, at } => {
                self.running()?;
                check_comment(reason.as_deref())?;
                let reason = reason.unwrap_or_else(|| "Canceled".to_owned());
                Ok(vec![Event::PersonnelEventCanceled { reason, by, at }])
            }
        }
    }

    /// A stage of work is done: the next one waits for its date, or Verification opens.
    fn completing(&self, stage: Stage, by: Party, at: DateTime<Utc>) -> Vec<Event> {
        let mut events = vec![Event::PersonnelStageCompleted { stage, by, at }];
        let next = self.stages.iter().skip_while(|known| known.stage != stage).nth(1);
        if next.is_some_and(|next| next.stage == Stage::Verification) {
            events.push(Event::PersonnelStageStarted { stage: Stage::Verification, requests: Vec::new() });
        }
        events
    }

    fn settling(&self, is_provisioned: bool, is_verified: bool, by: &Party, at: DateTime<Utc>) -> Vec<Event> {
        let mut events = Vec::new();
        let mut state = self.clone();
        while let Some(current) = state.current().filter(|_| state.settles()) {
            let step = match current.stage {
                Stage::Verification if is_verified => vec![
                    Event::PersonnelStageCompleted { stage: Stage::Verification, by: by.clone(), at },
                    Event::PersonnelEventCompleted { at },
                ],
                stage if stage != Stage::Verification && is_provisioned => state.completing(stage, by.clone(), at),
                _ => break,
            };
            for event in step {
                state.fold(event.clone());
                events.push(event);
            }
        }
        events
    }

    fn reschedule(
        &self,
        effective_at: Option<DateTime<Utc>>,
        end_at: Option<DateTime<Utc>>,
        today: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<Vec<Event>, Refusal> {
        let request = self.running()?;
        let mut violations = Vec::new();
        let has_begun =
            self.stages.iter().any(|stage| !stage.stage.is_answered() && (stage.is_open || stage.is_completed()));
        let effective = match effective_at {
            Some(wanted) if wanted != request.effective_at => {
                if has_begun {
                    return Err(Refusal::Conflict("The effective date can't change: the event has begun".to_owned()));
                }
                if wanted < today && request.r#type != PersonnelEventType::Onboard {
                    violations.push(Violation::new("effectiveDate", "Effective date must be today or later"));
                }
                wanted
            }
            _ => request.effective_at,
        };
        let end = match end_at {
            Some(wanted) if Some(wanted) != request.end_at => {
                let Some(last) = self.stages.iter().find(|stage| stage.stage.is_at_end()) else {
                    let message = "The event was made without an end date and has no stage for one";
                    return Err(Refusal::Conflict(message.to_owned()));
                };
                if last.is_open || last.is_completed() {
                    let message = format!("The end date can't change: {} has begun", last.stage.as_str());
                    return Err(Refusal::Conflict(message));
                }
                Some(wanted)
            }
            _ => request.end_at,
        };
        if end.is_some_and(|end| end <= effective) {
            violations.push(Violation::new("endDate", "End date must be after effective date"));
        }
        refuse_if_any(violations)?;
        if (effective, end) == (request.effective_at, request.end_at) {
            return Ok(Vec::new());
        }
        let is_due = effective <= at;
        Ok(vec![Event::PersonnelEventRescheduled { effective_at: effective, end_at: end, is_due }])
    }

    fn stage_mut(&mut self, stage: Stage) -> Option<&mut StageState> {
        self.stages.iter_mut().find(|known| known.stage == stage)
    }

    /// Folds an event: the aggregate and the projection share it.
    pub fn fold(&mut self, event: Event) {
        match event {
            Event::PersonnelEventRequested { request, reporter, responders, is_due, .. } => {
                self.stages = request
                    .r#type
                    .stages(request.end_at.is_some())
                    .into_iter()
                    .map(|stage| StageState::new(stage, &responders))
                    .collect();
                self.identity_id = request.identity_id;
                self.request = Some(request);
                self.reporter = reporter;
                self.is_due = is_due;
            }
            Event::PersonnelEventDue {} => self.is_due = true,
            Event::PersonnelStageAnswered { stage, response } => {
                if let Some(ballot) = self.stage_mut(stage).and_then(|stage| stage.ballot.as_mut()) {
                    ballot.responses.push(response);
                }
            }
            Event::PersonnelStageReset { stage, responder } => {
                if let Some(ballot) = self.stage_mut(stage).and_then(|stage| stage.ballot.as_mut()) {
                    ballot.reset(responder);
                }
            }
            Event::PersonnelStageStarted { stage, requests } => {
                if let Some(stage) = self.stage_mut(stage) {
                    stage.is_open = true;
                    stage.requests = requests;
                }
            }
            Event::PersonnelStageCompleted { stage, by, at } => {
                if let Some(stage) = self.stage_mut(stage) {
                    stage.is_open = false;
                    stage.completed_at = Some(at);
                    stage.completed_by = Some(by);
                }
            }
            Event::PersonnelStageRejected { stage, .. } => {
                if let Some(stage) = self.stage_mut(stage) {
                    stage.is_open = false;
                    stage.is_rejected = true;
                }
            }
            Event::PersonnelStageReopened { stage } => {
                if let Some(verification) = self.stage_mut(Stage::Verification) {
                    verification.is_rejected = false;
                    if let Some(ballot) = &mut verification.ballot {
                        ballot.responses.clear();
                    }
                }
                if let Some(stage) = self.stage_mut(stage) {
                    stage.is_open = true;
                    stage.is_reopened = true;
                    stage.completed_at = None;
                    stage.completed_by = None;
                }
            }
            Event::PersonnelIdentityCreated { identity_id } => self.identity_id = Some(identity_id),
            Event::PersonnelEventAssigned { assignee_id } => self.assignee_id = assignee_id,
            Event::PersonnelEventCommented { comment } => self.comments.push(comment),
            Event::PersonnelEventRescheduled { effective_at, end_at, is_due } => {
                if let Some(request) = &mut self.request {
                    request.effective_at = effective_at;
                    request.end_at = end_at;
                }
                self.is_due = is_due;
            }
            Event::PersonnelEventCanceled { reason, at, .. } => {
                self.canceled = Some(reason);
                self.completed_at = Some(at);
            }
            Event::PersonnelEventCompleted { at } => self.completed_at = Some(at),
        }
    }
}

impl cqrs_es::Aggregate for PersonnelEvent {
    const TYPE: &'static str = TYPE;
    type Command = PersonnelEventCommand;
    type Event = PersonnelEventEvent;
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

impl crate::Stream for PersonnelEvent {
    /// Events that contradict each other share a claim about the person: a leaver is neither on leave nor moving, and two
    /// moves, or two leaves, don't overlap. A joiner has done joining before anything else happens.
    fn claims(&self) -> Vec<String> {
        let Some(request) = self.request.as_ref().filter(|_| !self.status().is_terminal()) else { return Vec::new() };
        // Work that is done again claims nothing anew: something else may have begun since, and the responders' no must stand.
        let is_joining = self
            .stages
            .iter()
            .any(|stage| stage.stage == Stage::Provision && !stage.is_completed() && !stage.is_reopened);
        let mut claims = Vec::new();
        if request.r#type == PersonnelEventType::Onboard
            && is_joining
            && let Some(email) = request.identity.email.as_deref()
        {
            claims.push(format!("onboarding:{}", crate::values::folded(email)));
        }
        let Some(identity) = self.identity_id else { return claims };
        let (stay, role) = (format!("personnel-stay:{identity}"), format!("personnel-role:{identity}"));
        match request.r#type {
            PersonnelEventType::Onboard if !is_joining => {}
            PersonnelEventType::Onboard | PersonnelEventType::Offboard => claims.extend([stay, role]),
            PersonnelEventType::RoleTransition => claims.push(role),
            PersonnelEventType::Absence => claims.push(stay),
        }
        claims
    }
}
