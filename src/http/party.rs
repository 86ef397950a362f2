//! Who: reporters, assignees, responders, comments and activity, as personnel events and access requests show them alike.

use std::collections::HashMap;

use aggregates::Stream;
use aggregates::ballot::{Ballot, Voter};
use aggregates::party::{Comment, Party};
use chrono::{DateTime, Utc};
use projections::events::{EventRow, Filter};
use projections::identities::IdentityView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Session};
use crate::people;

/// Events of one stream that are shown.
const MOST_ACTIVITY: i64 = 1000;

/// Somebody, by the name they had or have.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartyBody {
    /// An identity's id, else a token's.
    pub id: String,
    /// The name.
    pub name: String,
}

impl From<&Party> for PartyBody {
    fn from(party: &Party) -> Self {
        Self { id: party.id(), name: party.name.clone() }
    }
}

/// A remark.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentBody {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose.
    pub author: PartyBody,
    /// What.
    pub text: String,
}

impl From<&Comment> for CommentBody {
    fn from(comment: &Comment) -> Self {
        Self { at: comment.at, author: PartyBody::from(&comment.by), text: comment.text.clone() }
    }
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityBody {
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: PartyBody,
    /// The event's type, as in the audit trail.
    pub event: String,
    /// The same in words.
    pub text: String,
}

impl ActivityBody {
    fn of(row: &EventRow, text: String) -> Self {
        let said = |name: &str| row.metadata.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let id = said("actorIdentityId").or_else(|| said("actorId")).unwrap_or_default();
        let actor = PartyBody { id, name: said("actorName").unwrap_or_default() };
        Self { at: row.recorded_at, actor, event: row.event_type.clone(), text }
    }
}

/// What happened to a stream, the oldest first: the log itself, read. `named` is the identity that an event's words name.
pub async fn activity<A: Access, S: Stream>(
    session: &Session<A>,
    id: Uuid,
    named: fn(&S::Event) -> Option<Uuid>,
    words: fn(&S::Event, &Names) -> String,
) -> Result<Vec<ActivityBody>, ApiError> {
    let filter =
        Filter { aggregate_type: Some(S::TYPE.to_owned()), aggregate_id: Some(id.to_string()), ..Filter::default() };
    let mut said: Vec<(EventRow, S::Event)> = Vec::new();
    for row in projections::events::after(session.pool(), 0, &filter, MOST_ACTIVITY).await?.events {
        let event = serde_json::from_str(&row.payload).map_err(|error| ApiError::internal(&error))?;
        said.push((row, event));
    }
    let names = Names::of(session, said.iter().filter_map(|(_, event)| named(event)).collect()).await?;
    Ok(said.iter().map(|(row, event)| ActivityBody::of(row, words(event, &names))).collect())
}

/// A responder and the answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResponderBody {
    /// Who must answer; null where nobody in particular must.
    pub responder: Option<PartyBody>,
    /// Approved, Rejected or null.
    pub response: Option<&'static str>,
    /// Who answered.
    pub responded_by: Option<PartyBody>,
    /// When.
    pub responded_at: Option<DateTime<Utc>>,
    /// Why.
    pub comment: Option<String>,
}

/// The responders of a ballot with their answers, and answers that nobody in particular was to give.
pub fn responders(ballot: &Ballot, names: &Names) -> Vec<ResponderBody> {
    let of = |responder: Option<Uuid>| {
        let response = ballot.responses.iter().find(|response| response.responder == responder);
        ResponderBody {
            responder: responder.map(|id| names.party(id)),
            response: response.map(|response| response.answer.as_str()),
            responded_by: response.map(|response| PartyBody::from(&response.by)),
            responded_at: response.map(|response| response.at),
            comment: response.and_then(|response| response.comment.clone()),
        }
    };
    let mut all: Vec<ResponderBody> = ballot.responders.iter().map(|id| of(Some(*id))).collect();
    if ballot.responders.is_empty() || ballot.responses.iter().any(|response| response.responder.is_none()) {
        all.push(of(None));
    }
    all
}

/// Identities that an answer names.
#[derive(Default)]
pub struct Names(HashMap<Uuid, IdentityView>);

impl Names {
    /// Looks them up.
    pub async fn of<A: Access>(session: &Session<A>, mut ids: Vec<Uuid>) -> Result<Self, ApiError> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(projections::identities::find_all(session.pool(), &ids).await?))
    }

    /// An identity.
    pub fn view(&self, id: Uuid) -> Option<IdentityView> {
        self.0.get(&id).cloned()
    }

    /// An identity by its name.
    pub fn party(&self, id: Uuid) -> PartyBody {
        PartyBody { id: id.to_string(), name: self.0.get(&id).map(full_name).unwrap_or_default() }
    }
}

/// `First Last`, else the name as its source shows it.
pub fn full_name(view: &IdentityView) -> String {
    let row = &view.row;
    match (&row.first_name, &row.last_name) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        (first, last) => row.display_name.as_ref().or(last.as_ref()).or(first.as_ref()).cloned().unwrap_or_default(),
    }
}

/// An answer.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerRequest {
    /// Why; at most 4,000 characters.
    pub comment: Option<String>,
    /// The responder for whom an administrator answers; absent = the token's own identity, or all who are waited for.
    pub responder_id: Option<Uuid>,
}

impl AnswerRequest {
    /// The comment, if there is any.
    pub fn comment(&self) -> Option<String> {
        text(self.comment.as_deref())
    }
}

/// A text without blanks around it; nothing is none.
pub fn text(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A remark to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommentRequest {
    /// 1 to 4,000 characters.
    pub comment: String,
}

/// Why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReasonRequest {
    /// At most 4,000 characters.
    pub comment: Option<String>,
}

/// Who looks after it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssigneeRequest {
    /// An identity; null or absent = nobody.
    pub assignee_id: Option<Uuid>,
}

impl AssigneeRequest {
    /// The assignee, who must be here.
    pub async fn check<A: Access>(&self, session: &Session<A>) -> Result<Option<Uuid>, ApiError> {
        let wrong = wrong_responders(session, self.assignee_id.as_slice()).await?;
        match wrong.into_iter().next() {
            Some((_, Some(message))) => Err(ApiError::field("assigneeId", message)),
            _ => Ok(self.assignee_id),
        }
    }
}

/// What the caller says of the caller.
pub async fn voter<A: Access>(
    session: &Session<A>,
    responder: Option<Uuid>,
    ballot: Option<&Ballot>,
) -> Result<Voter, ApiError> {
    let responders = ballot.map_or(&[][..], |ballot| &ballot.responders);
    Ok(Voter {
        party: Party::from(&session.actor()),
        is_administrator: session.token.role.administers(),
        responder,
        departed: people::departed(&session.app, responders).await?,
    })
}

/// Each identity with what is wrong with it as somebody who is to answer: unknown, or not Active.
pub async fn wrong_responders<A: Access>(
    session: &Session<A>,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Option<String>)>, ApiError> {
    let names = Names::of(session, ids.to_vec()).await?;
    let judge = |id: &Uuid| match names.0.get(id) {
        None => Some(format!("Identity with id {id} not found")),
        Some(view) if view.row.status != "Active" => {
            Some(format!("Identity {id} ({}) is {}", full_name(view), view.row.status))
        }
        Some(_) => None,
    };
    Ok(ids.iter().map(|id| (*id, judge(id))).collect())
}

/// A word of a filter, in any case and with or without spaces.
///
/// # Errors
/// 400 with the allowed words.
pub fn word<T: Copy>(
    name: &str,
    text: Option<&str>,
    all: &[T],
    spell: impl Fn(T) -> &'static str,
) -> Result<Option<T>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let squeezed = |word: &str| word.replace(' ', "").to_lowercase();
    if let Some(found) = all.iter().find(|known| squeezed(spell(**known)) == squeezed(text)) {
        Ok(Some(*found))
    } else {
        let allowed: Vec<String> = all.iter().map(|known| spell(*known).replace(' ', "")).collect();
        Err(ApiError::field(name, format!("{text:?} is not allowed; allowed are {}", allowed.join(", "))))
    }
}
