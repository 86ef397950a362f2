//! What is decided about rows.

use std::collections::BTreeMap;

use aggregates::certification_row::{CertificationRowEvent as Event, Decision, Standing};
use aggregates::filter::fold;
use aggregates::party::Party;
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Counts;
use crate::versions::array;

/// What a batch says last of something that may be none.
#[derive(Clone, Copy, Default)]
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

async fn store(connection: &mut PgConnection, patches: BTreeMap<(Uuid, u32), Patch<'_>>) -> sqlx::Result<()> {
    let name = |event: &Recorded| Some(event.actor.name.clone());
    let id = |event: &Recorded| Some(Party::from(&*event.actor).id());
    let (certifications, results): (Vec<Uuid>, Vec<i32>) =
        patches.keys().map(|(certification, result)| (*certification, *result as i32)).unzip();
    let patches: Vec<Patch<'_>> = patches.into_values().collect();
    let all = patches.iter();
    let standing = |of: fn(&Standing) -> String| -> Vec<Option<String>> {
        patches.iter().map(|patch| patch.now.map(of)).collect()
    };
    let flag = |of: fn(&Patch<'_>) -> bool| -> Vec<bool> { patches.iter().map(of).collect() };
    let signed = || patches.iter().map(|patch| patch.signed_off);
    sqlx::query(
        "UPDATE certification_rows AS r SET
             updated_position = u.position, updated_at = u.at, version = u.version, updated_by = u.by_name,
             updated_by_id = u.by_id, decision = coalesce(u.decision, r.decision), notes = coalesce(u.notes, r.notes),
             notes_folded = coalesce(u.folded, r.notes_folded),
             is_signed_off = coalesce(u.is_signed_off, r.is_signed_off),
             signed_off_at = CASE WHEN u.is_signed_off = false THEN NULL ELSE coalesce(u.signed_at, r.signed_off_at) END,
             signed_off_by = CASE WHEN u.is_signed_off = false THEN NULL ELSE coalesce(u.signed_by, r.signed_off_by) END,
             signed_off_by_id = CASE WHEN u.is_signed_off = false THEN NULL
                                     ELSE coalesce(u.signed_by_id, r.signed_off_by_id) END,
             run_id = CASE WHEN u.says_run THEN u.run_id ELSE r.run_id END,
             access_request_id = CASE WHEN u.says_request THEN u.request_id ELSE r.access_request_id END,
             reviewers = coalesce(u.reviewers::uuid[], r.reviewers),
             notification_status = coalesce(u.notification_status, r.notification_status)
         FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::boolean[], $12::timestamptz[], $13::text[], $14::text[], $15::boolean[],
                     $16::uuid[], $17::boolean[], $18::uuid[], $19::text[], $20::text[])
             AS u (certification_id, result_id, position, at, version, by_name, by_id, decision, notes, folded, is_signed_off,
                   signed_at, signed_by, signed_by_id, says_run, run_id, says_request, request_id, reviewers,
                   notification_status)
         WHERE r.certification_id = u.certification_id AND r.result_id = u.result_id",
    )
    .bind(certifications)
    .bind(results)
    .bind(all.clone().map(|patch| patch.last.position).collect::<Vec<_>>())
    .bind(all.clone().map(|patch| patch.last.recorded_at).collect::<Vec<_>>())
    .bind(all.clone().map(|patch| patch.last.sequence).collect::<Vec<_>>())
    .bind(all.clone().map(|patch| name(patch.last)).collect::<Vec<_>>())
    .bind(all.clone().map(|patch| id(patch.last)).collect::<Vec<_>>())
    .bind(standing(|now| now.decision.as_str().to_owned()))
    .bind(standing(|now| now.notes.clone()))
    .bind(standing(|now| fold(&now.notes)))
    .bind(all.clone().map(|patch| patch.now.map(|now| now.is_signed_off)).collect::<Vec<Option<bool>>>())
    .bind(signed().map(|event| event.map(|event| event.recorded_at)).collect::<Vec<Option<DateTime<Utc>>>>())
    .bind(signed().map(|event| event.and_then(name)).collect::<Vec<_>>())
    .bind(signed().map(|event| event.and_then(id)).collect::<Vec<_>>())
    .bind(flag(|patch| patch.run.is_said()))
    .bind(all.clone().map(|patch| patch.run.value()).collect::<Vec<_>>())
    .bind(flag(|patch| patch.access_request.is_said()))
    .bind(all.clone().map(|patch| patch.access_request.value()).collect::<Vec<_>>())
    .bind(all.clone().map(|patch| patch.reviewers.map(array)).collect::<Vec<_>>())
    .bind(all.map(|patch| patch.notification_status).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
