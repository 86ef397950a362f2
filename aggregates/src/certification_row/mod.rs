//! A row of a certification: which attributes filters can name, and what is decided about it (contracts §3.4, §3.5, rulings 37).
//!
//! What the row is about is recorded by [`crate::certification_rows`]; its own stream holds what was decided, so that a hundred
//! reviewers don't fight over one. What a rule needs of the certification is put into the command; whoever appends guards the
//! certification's stream, so nothing is decided in a closed one.

mod attributes;
mod command;
mod decision;
mod events;
mod filters;
mod folded;
mod standing;
#[cfg(test)]
mod tests;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use attributes::Attribute;
pub use command::{CertificationRowCommand, Phase, Reviewer, Setting};
pub use decision::{Decision, SignedOffState};
pub use events::CertificationRowEvent;
pub use filters::{RowFilter, filter, mutable_filter, results_filter, results_mutable_filter};
pub use folded::{Folded, View};
pub use standing::{Applied, Change, NotificationStatus, Standing};

use crate::ids;
use crate::violation::{Refusal, Violation, check_length, refuse_if_any};
use CertificationRowCommand as Command;
use CertificationRowEvent as Event;

/// The stream type.
pub const TYPE: &str = "certification_row";

/// Reviewers that a row may have.
pub const REVIEWER_LIMIT: usize = 100;

/// The stream of a row.
pub fn stream(certification: Uuid, result: u32) -> Uuid {
    ids::part(certification, TYPE, result)
}

/// A row's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificationRow {
    /// What is decided.
    pub standing: Standing,
    /// The run whose decision was the last; `None` = no run's.
    pub run_id: Option<Uuid>,
    /// The access request that its rejection opened and nobody withdrew.
    pub access_request_id: Option<Uuid>,
    /// Who reviews it, if that was changed.
    pub reviewers: Option<Vec<Uuid>>,
    /// Whether somebody was told.
    pub notification_status: NotificationStatus,
}

/// What a decision does to the access request of a row.
struct Requests {
    opened: Option<Uuid>,
    withdrawn: Option<Uuid>,
}

impl CertificationRow {
    /// Decides a command. Asking for what is already so gives nothing.
    ///
    /// # Errors
    /// The rule that says no.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        let was = self.standing.clone();
        match command {
            Command::Decide { setting, by, change, reviewers, notification_status, is_forced, run_id, request_id } => {
                refuse_if_any(violations(&change, reviewers.as_deref()))?;
                setting.allow(&by)?;
                let now = change.applied_to(&was);
                let (certification_id, result_id) = (setting.certification_id, setting.result_id);
                let reviewers = reviewers.filter(|new| *new != setting.reviewers);
                let status = notification_status.filter(|status| *status != self.notification_status);
                if now == was && reviewers.is_none() && status.is_none() {
                    return Ok(Vec::new());
                }
                self.is_possible(&setting, &now, reviewers.is_some(), is_forced)?;
                let mut events = Vec::new();
                if now != was {
                    let Requests { opened, withdrawn } = self.requests(&now, request_id);
                    events.push(Event::CertificationRowDecided {
                        certification_id,
                        result_id,
                        was,
                        now,
                        is_forced,
                        run_id,
                        opened,
                        withdrawn,
                    });
                }
                events.extend(reviewers.map(|new| Event::CertificationRowReviewersAssigned {
                    certification_id,
                    result_id,
                    old: setting.reviewers,
                    new,
                }));
                let told = |status| Event::CertificationRowNotified { certification_id, result_id, status };
                events.extend(status.map(told));
                Ok(events)
            }
            Command::Automate { setting, run_id, automations, mut change, request_id } => {
                setting.expect(&[Phase::InProgress])?;
                if was.decision != Decision::Rejected {
                    // Only what is rejected becomes fixed.
                    change.decision = change.decision.filter(|decision| *decision != Decision::Fixed);
                }
                let now = change.applied_to(&was);
                // Each one's notes belong in the action log, also where they differ and so don't become the row's.
                let says_more = |applied: &Applied| !applied.notes.is_empty() && applied.notes != was.notes;
                if now == was && !automations.iter().any(says_more) {
                    return Ok(Vec::new());
                }
                let Requests { opened, withdrawn } = self.requests(&now, request_id);
                let Setting { certification_id, result_id, .. } = setting;
                Ok(vec![Event::CertificationRowAutomated {
                    certification_id,
                    result_id,
                    was,
                    now,
                    run_id,
                    automations,
                    opened,
                    withdrawn,
                }])
            }
            Command::Undo { setting, run_id, by, to, request_id } => {
                setting.expect(&[Phase::InProgress])?;
                // Nobody reverses what was decided about their own access either (rulings 38).
                if self.run_id != Some(run_id) || to == was || setting.is_own(&by) {
                    return Ok(Vec::new());
                }
                let Requests { opened, withdrawn } = self.requests(&to, request_id);
                let Setting { certification_id, result_id, .. } = setting;
                Ok(vec![Event::CertificationRowUndone {
                    certification_id,
                    result_id,
                    was,
                    now: to,
                    run_id,
                    opened,
                    withdrawn,
                }])
            }
            Command::Fix { setting, evidence } => {
                if was.decision != Decision::Rejected || !matches!(setting.phase, Phase::InProgress | Phase::Grace) {
                    return Ok(Vec::new());
                }
                let now = Standing { decision: Decision::Fixed, ..was.clone() };
                let Setting { certification_id, result_id, .. } = setting;
                Ok(vec![Event::CertificationRowFixed { certification_id, result_id, was, now, evidence }])
            }
        }
    }

    /// Rulings 37 and contracts §3.4: what may be changed when.
    fn is_possible(
        &self,
        setting: &Setting,
        now: &Standing,
        is_reassigned: bool,
        is_forced: bool,
    ) -> Result<(), Refusal> {
        let was = &self.standing;
        let refuse = |message: &str| Err(Refusal::Conflict(message.to_owned()));
        setting.expect(&[Phase::InProgress, Phase::Grace])?;
        let becomes_fixed = now.decision == Decision::Fixed && was.decision != Decision::Fixed;
        if becomes_fixed && was.decision != Decision::Rejected {
            return refuse("Only a rejected row can become fixed");
        }
        if setting.phase == Phase::Grace {
            if is_forced {
                if was.is_signed_off && now.is_signed_off {
                    return refuse(
                        "The row is signed off; in the grace period only others, or its sign-off, are changed",
                    );
                }
                return Ok(());
            }
            let is_only_fixed = becomes_fixed && now.is_signed_off == was.is_signed_off && !is_reassigned;
            return if is_only_fixed {
                Ok(())
            } else {
                refuse("In the grace period a rejected row can be marked FIXED, and nothing else be changed")
            };
        }
        if is_forced {
            return Ok(());
        }
        if was.is_signed_off {
            return refuse("The row is signed off; an administrator can undo that with results:force_update");
        }
        if becomes_fixed {
            return refuse("A row is FIXED when an import shows it, or by hand in the grace period");
        }
        Ok(())
    }

    /// A rejection opens an access request, unless there is one; another decision withdraws it. What is fixed keeps it: an import
    /// verifies it, and a later one may show it undone.
    fn requests(&self, now: &Standing, request_id: Uuid) -> Requests {
        let is_withdrawn = matches!(now.decision, Decision::None | Decision::Accepted);
        let is_opened = now.decision == Decision::Rejected && self.access_request_id.is_none();
        Requests { opened: is_opened.then_some(request_id), withdrawn: self.access_request_id.filter(|_| is_withdrawn) }
    }

    /// Folds an event: the aggregate and the projection share it.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::CertificationRowDecided { now, run_id, opened, withdrawn, .. } => {
                self.stand(now, *run_id, *opened, *withdrawn);
            }
            Event::CertificationRowAutomated { now, run_id, opened, withdrawn, .. } => {
                self.stand(now, Some(*run_id), *opened, *withdrawn);
            }
            Event::CertificationRowUndone { now, opened, withdrawn, .. } => self.stand(now, None, *opened, *withdrawn),
            Event::CertificationRowFixed { now, .. } => self.stand(now, None, None, None),
            Event::CertificationRowReviewersAssigned { new, .. } => {
                self.reviewers = Some(new.clone());
                self.run_id = None;
            }
            Event::CertificationRowNotified { status, .. } => self.notification_status = *status,
        }
    }

    fn stand(&mut self, now: &Standing, run_id: Option<Uuid>, opened: Option<Uuid>, withdrawn: Option<Uuid>) {
        self.standing.clone_from(now);
        self.run_id = run_id;
        if withdrawn.is_some() {
            self.access_request_id = None;
        }
        if opened.is_some() {
            self.access_request_id = opened;
        }
    }
}

fn violations(change: &Change, reviewers: Option<&[Uuid]>) -> Vec<Violation> {
    let mut found = Vec::new();
    check_length(&mut found, "notes", "Notes", change.notes.as_deref().unwrap_or_default(), 4000);
    if let Some(count) = reviewers.map(<[Uuid]>::len).filter(|count| *count > REVIEWER_LIMIT) {
        let message = format!("{count} reviewers are named; at most {REVIEWER_LIMIT} are allowed");
        found.push(Violation::new("reviewers", message));
    }
    found
}

impl cqrs_es::Aggregate for CertificationRow {
    const TYPE: &'static str = TYPE;
    type Command = CertificationRowCommand;
    type Event = CertificationRowEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.fold(&event);
    }
}

impl crate::Stream for CertificationRow {}
