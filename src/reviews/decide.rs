//! A decision about one row: the row's event, and what it does to access requests, in one append that holds only while the
//! certification stands as it was seen.

use aggregates::Refusal;
use aggregates::access_request::{AccessRequest, AccessRequestCommand, Action, Privilege, RequestedAccess, ReviewItem};
use aggregates::certification::Certification;
use aggregates::certification_row::{
    self, CertificationRow as Row, CertificationRowCommand as Command, CertificationRowEvent, Change,
    NotificationStatus, Phase, Reviewer, Setting,
};
use aggregates::certification_rows::{Destination, Source};
use aggregates::party::Party;
use chrono::{DateTime, Utc};
use projections::certifications::{CertificationRow, RowState, find, states, subjects};
use uuid::Uuid;

use super::ReviewError;
use crate::app::SharedApp;
use crate::journal::{Append, AppendError, CommandError, Context, Expected, Loaded, StreamEvents, StreamId};

/// How often it is tried again when somebody else came first. Each time somebody's decision came through, so this many can decide
/// about one row at once.
const ATTEMPTS: usize = 100;

/// What somebody asks of a row.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in the command")]
pub struct Ask {
    pub by: Reviewer,
    pub change: Change,
    pub reviewers: Option<Vec<Uuid>>,
    pub notification_status: Option<NotificationStatus>,
    pub is_forced: bool,
    /// The version that the row must have (`If-Match`).
    pub demanded: Option<i64>,
}

/// Decides about one row; gives its version afterwards.
///
/// # Errors
/// There is no such row, or a rule or the journal said no.
pub async fn decide(
    app: &SharedApp,
    certification: Uuid,
    result: u32,
    ask: &Ask,
    context: &Context,
) -> Result<i64, ReviewError> {
    let mut attempt = 1;
    loop {
        let seen = find(&app.pool, certification)
            .await?
            .ok_or(ReviewError::NotFound("Certification", certification.to_string()))?;
        let now = app.clock.now();
        let missing = || match seen.phase(now) {
            // It may yet come.
            phase @ Phase::Searching => CommandError::from(Refusal::Conflict(phase.said().to_owned())).into(),
            _ => ReviewError::NotFound("Result", result.to_string()),
        };
        let after = result.checked_add(1).ok_or_else(missing)?;
        let found = states(&app.pool, &seen, (result, after), None).await?;
        let state = found.into_iter().next().ok_or_else(missing)?;
        if let Some(demanded) = ask.demanded.filter(|demanded| *demanded != state.version) {
            tracing::debug!(demanded, found = state.version, "If-Match");
            let stream = row_stream(certification, result);
            return Err(CommandError::from(AppendError::Conflict { stream, found: state.version }).into());
        }
        let command = Command::Decide {
            setting: setting(&seen, &state, now),
            by: ask.by.clone(),
            change: ask.change.clone(),
            reviewers: ask.reviewers.clone(),
            notification_status: ask.notification_status,
            is_forced: ask.is_forced,
            run_id: None,
            request_id: request_id(certification, &state),
        };
        let events = state.row.decide(command).map_err(CommandError::from)?;
        if events.is_empty() {
            return Ok(state.version);
        }
        let version = state.version + events.len() as i64;
        let mut decided = Decided::new(&seen);
        decided.add(&state, events);
        let append = decided.append(app, &ask.by.party, context).await?;
        match app.journal.append(append).await {
            Ok(_) => {
                app.people_bell.notify_one();
                return Ok(version);
            }
            Err(AppendError::Conflict { .. } | AppendError::Guard { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(CommandError::from(error).into()),
        }
    }
}

/// What the certification says of a row.
pub fn setting(certification: &CertificationRow, state: &RowState, now: DateTime<Utc>) -> Setting {
    Setting {
        certification_id: certification.id,
        result_id: state.result_id,
        phase: certification.phase(now),
        identity_id: state.identity_id,
        reviewers: state.reviewers.clone(),
        is_self_review_allowed: certification.definition.0.is_self_review_allowed,
    }
}

/// The access request that the next rejection of a row opens: its id follows from the row and its version, so that nothing is
/// opened twice.
pub fn request_id(certification: Uuid, state: &RowState) -> Uuid {
    let row = certification_row::stream(certification, state.result_id);
    aggregates::ids::native(row, aggregates::access_request::TYPE, &state.version.to_string())
}

fn row_stream(certification: Uuid, result: u32) -> StreamId {
    StreamId::of::<Row>(&certification_row::stream(certification, result))
}

/// Decisions about rows of one certification, on their way into one append.
pub struct Decided<'c> {
    certification: &'c CertificationRow,
    streams: Vec<StreamEvents>,
    opened: Vec<(u32, Uuid)>,
    withdrawn: Vec<Uuid>,
}

impl<'c> Decided<'c> {
    /// None yet.
    pub const fn new(certification: &'c CertificationRow) -> Self {
        Self { certification, streams: Vec::new(), opened: Vec::new(), withdrawn: Vec::new() }
    }

    /// With one more.
    pub fn add(&mut self, state: &RowState, events: Vec<CertificationRowEvent>) {
        for event in &events {
            let (opened, withdrawn) = event.requests();
            self.opened.extend(opened.map(|request| (state.result_id, request)));
            self.withdrawn.extend(withdrawn);
        }
        let stream = row_stream(self.certification.id, state.result_id);
        let expected = if state.version == 0 { Expected::New } else { Expected::Version(state.version) };
        let events = events.into_iter().map(Into::into).collect();
        self.streams.push(StreamEvents { stream, expected, events });
    }

    /// All of it: rejections open access requests that `by` asks for, what is no rejection any more withdraws them.
    ///
    /// # Errors
    /// The tables can't be read.
    pub async fn append(self, app: &SharedApp, by: &Party, context: &Context) -> Result<Append, ReviewError> {
        let certification = self.certification.id;
        let mut append = Append {
            streams: self.streams,
            guards: vec![(StreamId::of::<Certification>(&certification), self.certification.version)],
            take: Vec::new(),
            release: Vec::new(),
            context: context.clone(),
        };
        if !self.opened.is_empty() {
            let results: Vec<u32> = self.opened.iter().map(|(result, _)| *result).collect();
            let mut subjects = subjects(&app.pool, certification, &results).await?;
            for (result, request) in self.opened {
                let Some(subject) = subjects.remove(&result) else { continue };
                let command = removal(certification, result, subject, by, app.clock.now())?;
                let opened = Loaded::<AccessRequest>::new(&request).decide(command, context.clone()).await;
                append = opened.map_err(CommandError::from)?.1.into_iter().fold(append, Append::and);
            }
        }
        for request in self.withdrawn {
            let loaded = app.journal.load::<AccessRequest>(request).await.map_err(CommandError::from)?;
            let reason = Some("The decision of the review was changed".to_owned());
            // The review takes its own request back, whoever it was about.
            let by = Party { identity_id: None, ..by.clone() };
            let command = AccessRequestCommand::Cancel { reason, by, at: app.clock.now() };
            match loaded.decide(command, context.clone()).await {
                Ok((_, canceled)) => append = canceled.into_iter().fold(append, Append::and),
                // It has ended: carried out already, or canceled by somebody.
                Err(Refusal::Conflict(_)) => {}
                Err(error) => return Err(CommandError::from(error).into()),
            }
        }
        Ok(append)
    }
}

/// The access request that takes a rejected grant away. The decision approves it.
fn removal(
    certification_id: Uuid,
    result_id: u32,
    (source, destination): (serde_json::Value, serde_json::Value),
    by: &Party,
    at: DateTime<Utc>,
) -> Result<AccessRequestCommand, ReviewError> {
    let unreadable = |error: serde_json::Error| ReviewError::from(sqlx::Error::Decode(error.into()));
    let source: Source = serde_json::from_value(source).map_err(unreadable)?;
    let destination: Destination = serde_json::from_value(destination).map_err(unreadable)?;
    let privilege = Privilege {
        account_id: Some(source.id),
        entitlement_id: Some(destination.id),
        key: destination.key,
        name: Some(destination.name),
        peers: None,
    };
    Ok(AccessRequestCommand::Request {
        request: RequestedAccess {
            action: Action::Remove,
            identity_id: source.identity.id,
            application_id: source.datasource_id,
            privileges: vec![privilege],
            needed_at: None,
            personnel_event_id: None,
            is_suggested: false,
            review_item: Some(ReviewItem { certification_id, result_id }),
            comment: None,
        },
        reporter: by.clone(),
        responders: Vec::new(),
        is_approved: true,
        at,
    })
}
