//! What is decided about rows.

use std::collections::{BTreeMap, HashMap};

use aggregates::certification_row::{CertificationRowEvent as Event, Decision, Standing};
use aggregates::filter::fold;
use aggregates::party::Party;
use aggregates::{Actor, DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Counts;
use crate::versions::array;

/// What a batch says last of something that may be none.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Said {
    #[default]
    Nothing,
    It(Option<Uuid>),
}

impl Said {
    const fn is_said(self) -> bool {
        matches!(self, Self::It(_))
    }

    const fn value(self) -> Option<Uuid> {
        match self {
            Self::It(value) => value,
            Self::Nothing => None,
        }
    }
}

/// What a batch says last of a row; `None` = it leaves that alone.
struct Patch<'b> {
    last: &'b Recorded,
    now: Option<&'b Standing>,
    /// Of the event that signed it off.
    signed_off: Option<&'b Recorded>,
    run: Said,
    access_request: Said,
    reviewers: Option<&'b [Uuid]>,
    notification_status: Option<&'static str>,
}

impl<'b> Patch<'b> {
    fn new(last: &'b Recorded) -> Self {
        Self {
            last,
            now: None,
            signed_off: None,
            run: Said::Nothing,
            access_request: Said::Nothing,
            reviewers: None,
            notification_status: None,
        }
    }

    fn fold(&mut self, event: &'b Recorded, said: &'b Event) {
        self.last = event;
        if let Some((was, now)) = said.change() {
            self.now = Some(now);
            if now.is_signed_off && !was.is_signed_off {
                self.signed_off = Some(event);
            }
            self.run = Said::It(match said {
                Event::CertificationRowDecided { run_id, .. } => *run_id,
                Event::CertificationRowAutomated { run_id, .. } => Some(*run_id),
                _ => None,
            });
        }
        match said.requests() {
            (Some(opened), _) => self.access_request = Said::It(Some(opened)),
            (None, Some(_)) => self.access_request = Said::It(None),
            (None, None) => {}
        }
        match said {
            Event::CertificationRowReviewersAssigned { new, .. } => {
                self.reviewers = Some(new);
                self.run = Said::It(None);
            }
            Event::CertificationRowNotified { status, .. } => self.notification_status = Some(status.as_str()),
            _ => {}
        }
    }
}

pub(super) async fn write(connection: &mut PgConnection, batch: &[Recorded], counts: &mut Counts) -> sqlx::Result<()> {
    let mut patches: BTreeMap<(Uuid, u32), Patch<'_>> = BTreeMap::new();
    for event in batch {
        let DomainEvent::CertificationRow(said) = &*event.event else { continue };
        let row = said.row();
        patches.entry(row).or_insert_with(|| Patch::new(event)).fold(event, said);
        let count = counts.of(row.0, event.recorded_at);
        if let Some((was, now)) = said.change() {
            for (standing, step) in [(was, -1), (now, 1)] {
                match standing.decision {
                    Decision::Accepted => count.accepted += step,
                    Decision::Rejected => count.rejected += step,
                    Decision::Fixed => count.fixed += step,
                    Decision::Unknown | Decision::None => {}
                }
                count.signed_off += step * i64::from(standing.is_signed_off);
            }
        }
    }
    if patches.is_empty() {
        return Ok(());
    }
    store(connection, patches).await
}

/// What a patch says beside its row, its number in the log and its access request: rows that are decided together say the same.
#[derive(PartialEq, Eq, Hash)]
struct Shared<'b> {
    certification_id: Uuid,
    at: DateTime<Utc>,
    by: &'b Actor,
    now: Option<&'b Standing>,
    signed_off: Option<(DateTime<Utc>, &'b Actor)>,
    run: Said,
    reviewers: Option<&'b [Uuid]>,
    notification_status: Option<&'static str>,
}

impl<'b> Shared<'b> {
    fn of(certification_id: Uuid, patch: &Patch<'b>) -> Self {
        Self {
            certification_id,
            at: patch.last.recorded_at,
            by: &patch.last.actor,
            now: patch.now,
            signed_off: patch.signed_off.map(|event| (event.recorded_at, &*event.actor)),
            run: patch.run,
            reviewers: patch.reviewers,
            notification_status: patch.notification_status,
        }
    }
}

/// Rows times different things said that one statement holds: it goes through all that is said for each row.
const PAIRS: usize = 20_000;

async fn store(connection: &mut PgConnection, patches: BTreeMap<(Uuid, u32), Patch<'_>>) -> sqlx::Result<()> {
    let (mut rows, mut shared) = (Vec::with_capacity(patches.len()), HashMap::new());
    for (row, patch) in patches {
        if (rows.len() + 1) * (shared.len() + 1) > PAIRS {
            update(connection, std::mem::take(&mut rows), std::mem::take(&mut shared)).await?;
        }
        let next = shared.len() as i32;
        let number = *shared.entry(Shared::of(row.0, &patch)).or_insert(next);
        rows.push((row.1, patch, number));
    }
    update(connection, rows, shared).await
}

/// Updates rows: each with its number among what is said.
async fn update(
    connection: &mut PgConnection,
    rows: Vec<(u32, Patch<'_>, i32)>,
    shared: HashMap<Shared<'_>, i32>,
) -> sqlx::Result<()> {
    let mut shared: Vec<(Shared<'_>, i32)> = shared.into_iter().collect();
    shared.sort_unstable_by_key(|(_, number)| *number);
    let patches = || rows.iter().map(|(_, patch, _)| patch);
    let said = || shared.iter().map(|(said, _)| said);
    let standing =
        |of: fn(&Standing) -> String| -> Vec<Option<String>> { said().map(|said| said.now.map(of)).collect() };
    let signed = |of: fn(&Actor) -> String| -> Vec<Option<String>> {
        said().map(|said| said.signed_off.map(|(_, by)| of(by))).collect()
    };
    let id = |by: &Actor| Party::from(by).id();
    sqlx::query(
        "UPDATE certification_rows AS r SET
             updated_position = u.position, updated_at = s.at, version = u.version, updated_by = s.by_name,
             updated_by_id = s.by_id, decision = coalesce(s.decision, r.decision), notes = coalesce(s.notes, r.notes),
             notes_folded = coalesce(s.folded, r.notes_folded),
             is_signed_off = coalesce(s.is_signed_off, r.is_signed_off),
             signed_off_at = CASE WHEN s.is_signed_off = false THEN NULL ELSE coalesce(s.signed_at, r.signed_off_at) END,
             signed_off_by = CASE WHEN s.is_signed_off = false THEN NULL ELSE coalesce(s.signed_by, r.signed_off_by) END,
             signed_off_by_id = CASE WHEN s.is_signed_off = false THEN NULL
                                     ELSE coalesce(s.signed_by_id, r.signed_off_by_id) END,
             run_id = CASE WHEN s.says_run THEN s.run_id ELSE r.run_id END,
             access_request_id = CASE WHEN u.says_request THEN u.request_id ELSE r.access_request_id END,
             reviewers = coalesce(s.reviewers::uuid[], r.reviewers),
             notification_status = coalesce(s.notification_status, r.notification_status)
         FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::boolean[], $5::uuid[], $6::int[])
                  AS u (result_id, position, version, says_request, request_id, number)
              JOIN unnest($7::int[], $8::uuid[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
                          $14::text[], $15::boolean[], $16::timestamptz[], $17::text[], $18::text[], $19::boolean[],
                          $20::uuid[], $21::text[], $22::text[])
                  AS s (number, certification_id, at, by_name, by_id, decision, notes, folded, is_signed_off, signed_at,
                        signed_by, signed_by_id, says_run, run_id, reviewers, notification_status)
              USING (number)
         WHERE r.certification_id = s.certification_id AND r.result_id = u.result_id",
    )
    .bind(rows.iter().map(|(result, ..)| *result as i32).collect::<Vec<_>>())
    .bind(patches().map(|patch| patch.last.position).collect::<Vec<_>>())
    .bind(patches().map(|patch| patch.last.sequence).collect::<Vec<_>>())
    .bind(patches().map(|patch| patch.access_request.is_said()).collect::<Vec<_>>())
    .bind(patches().map(|patch| patch.access_request.value()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(.., number)| *number).collect::<Vec<_>>())
    .bind(shared.iter().map(|(_, number)| *number).collect::<Vec<_>>())
    .bind(said().map(|said| said.certification_id).collect::<Vec<_>>())
    .bind(said().map(|said| said.at).collect::<Vec<_>>())
    .bind(said().map(|said| said.by.name.as_str()).collect::<Vec<_>>())
    .bind(said().map(|said| id(said.by)).collect::<Vec<_>>())
    .bind(standing(|now| now.decision.as_str().to_owned()))
    .bind(standing(|now| now.notes.clone()))
    .bind(standing(|now| fold(&now.notes)))
    .bind(said().map(|said| said.now.map(|now| now.is_signed_off)).collect::<Vec<_>>())
    .bind(said().map(|said| said.signed_off.map(|(at, _)| at)).collect::<Vec<_>>())
    .bind(signed(|by| by.name.clone()))
    .bind(signed(id))
    .bind(said().map(|said| said.run.is_said()).collect::<Vec<_>>())
    .bind(said().map(|said| said.run.value()).collect::<Vec<_>>())
    .bind(said().map(|said| said.reviewers.map(array)).collect::<Vec<_>>())
    .bind(said().map(|said| said.notification_status).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
