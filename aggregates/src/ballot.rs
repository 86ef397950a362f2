//! Who must say yes before something goes on: all responders must answer, and nobody answers their own request
//! (contracts §1.8 workflow behaviour, rulings 1).

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::party::Party;
use crate::violation::Refusal;

/// What a responder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

impl Answer {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
        }
    }
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// For whom; `None` where no responders are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responder: Option<Uuid>,
    /// Who answered.
    pub by: Party,
    /// Yes or no.
    pub answer: Answer,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Who wants to answer, and what is known of the responders now.
#[derive(Debug, Clone)]
pub struct Voter {
    /// Who.
    pub party: Party,
    /// An administrator answers for any responder.
    pub is_administrator: bool,
    /// For whom, if said.
    pub responder: Option<Uuid>,
    /// Responders who have left: nobody waits for them.
    pub departed: Vec<Uuid>,
}

/// Where a ballot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody has still to answer.
    Open,
    /// All said yes.
    Approved,
    /// All answered, and at least one said no.
    Rejected,
}

/// The responders of a step and their answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ballot {
    /// Identities who must all answer; nobody in particular when there are none.
    pub responders: Vec<Uuid>,
    /// Their answers.
    pub responses: Vec<Response>,
}

impl Ballot {
    /// A ballot of these responders.
    pub const fn of(responders: Vec<Uuid>) -> Self {
        Self { responders, responses: Vec::new() }
    }

    fn has_answered(&self, responder: Option<Uuid>) -> bool {
        self.responses.iter().any(|response| response.responder == responder)
    }

    /// Where it stands when these responders have left.
    pub fn outcome(&self, departed: &[Uuid]) -> Outcome {
        let is_waiting = self
            .responders
            .iter()
            .any(|responder| !departed.contains(responder) && !self.has_answered(Some(*responder)));
        if is_waiting || self.responses.is_empty() {
            Outcome::Open
        } else if self.responses.iter().all(|response| response.answer == Answer::Approved) {
            Outcome::Approved
        } else {
            Outcome::Rejected
        }
    }

    /// The answers that a voter gives: his own, or, as an administrator, that of the responder named, or of all who are
    /// waited for.
    ///
    /// # Errors
    /// A conflict that names the rule: the voter is the reporter or the person concerned, has answered already, has left, or is no
    /// responder.
    pub fn answers(
        &self,
        voter: &Voter,
        reporter: &Party,
        concerned: Option<Uuid>,
        (answer, at, comment): (Answer, DateTime<Utc>, Option<&str>),
    ) -> Result<Vec<Response>, Refusal> {
        let refused = |text: String| Err(Refusal::Conflict(text));
        if voter.party.is(reporter) {
            return refused("Nobody answers their own request: it was reported by the same token or person".to_owned());
        }
        let whom = self.whom(voter)?;
        for responder in whom.iter().copied().chain([voter.party.identity_id]).flatten() {
            if Some(responder) == concerned {
                return refused(format!("Nobody answers a request about themselves: it concerns identity {responder}"));
            }
            if Some(responder) == reporter.identity_id {
                return refused(format!("Nobody answers their own request: identity {responder} reported it"));
            }
        }
        let response = |responder| Response {
            responder,
            by: voter.party.clone(),
            answer,
            at,
            comment: comment.map(str::to_owned),
        };
        Ok(whom.into_iter().map(response).collect())
    }

    fn whom(&self, voter: &Voter) -> Result<Vec<Option<Uuid>>, Refusal> {
        let refused = |text: String| Err(Refusal::Conflict(text));
        if self.responders.is_empty() && voter.responder.is_none() {
            return if self.has_answered(None) {
                refused("The step is answered already".to_owned())
            } else {
                Ok(vec![None])
            };
        }
        let wanted = voter.responder.or(voter.party.identity_id.filter(|own| self.responders.contains(own)));
        let Some(responder) = wanted else {
            if !voter.is_administrator {
                return refused(format!("{} is no responder of this step, and no administrator", voter.party.name));
            }
            let waiting: Vec<Option<Uuid>> = self
                .responders
                .iter()
                .filter(|responder| !voter.departed.contains(responder))
                .map(|responder| Some(*responder))
                .filter(|responder| !self.has_answered(*responder))
                .collect();
            // All have left: the administrator speaks for the step.
            return Ok(if waiting.is_empty() { vec![None] } else { waiting });
        };
        if !self.responders.contains(&responder) {
            return Err(Refusal::field("responderId", format!("Identity {responder} is no responder of this step")));
        }
        if voter.departed.contains(&responder) {
            return refused(format!("Responder {responder} has left; nobody waits for them"));
        }
        if voter.party.identity_id != Some(responder) && !voter.is_administrator {
            return refused(format!("Only identity {responder} or an administrator answers for it"));
        }
        if self.has_answered(Some(responder)) {
            return refused(format!("Identity {responder} has answered; reset the answer to change it"));
        }
        Ok(vec![Some(responder)])
    }

    /// The responders whose answers a voter may take back: his own, also those given in his name; an administrator any.
    ///
    /// # Errors
    /// A conflict when there is nothing that he may take back.
    pub fn resets(&self, voter: &Voter) -> Result<Vec<Option<Uuid>>, Refusal> {
        let may = |response: &&Response| {
            let is_for_him = response.responder.is_some() && response.responder == voter.party.identity_id;
            voter.responder.is_none_or(|wanted| response.responder == Some(wanted))
                && (voter.is_administrator || is_for_him || response.by.is(&voter.party))
        };
        let found: Vec<Option<Uuid>> = self.responses.iter().filter(may).map(|response| response.responder).collect();
        if found.is_empty() {
            return Err(Refusal::Conflict("There is no answer of yours to take back".to_owned()));
        }
        Ok(found)
    }

    /// Takes an answer back.
    pub fn reset(&mut self, responder: Option<Uuid>) {
        self.responses.retain(|response| response.responder != responder);
    }
}
