//! Blocks of rows as they are recorded.

use aggregates::certification_row::{Attribute, Standing};
use aggregates::certification_rows::{BLOCK, CertificationRowsEvent};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Counts;
use crate::versions::{array, json};

#[derive(Default)]
struct Parts {
    certifications: Vec<Uuid>,
    numbers: Vec<i32>,
    ids: Vec<Uuid>,
    identities: Vec<Uuid>,
    shown: Vec<Value>,
    folded: Vec<Value>,
}

#[derive(Default)]
struct Rows {
    certifications: Vec<Uuid>,
    results: Vec<i32>,
    sources: Vec<i32>,
    destinations: Vec<i32>,
    previous: Vec<Option<i32>>,
    unchanged: Vec<bool>,
    granted_at: Vec<DateTime<Utc>>,
    positions: Vec<i64>,
    times: Vec<DateTime<Utc>>,
    reviewers: Vec<String>,
    attributes: Vec<Option<Value>>,
    folded: Vec<Option<Value>>,
}

pub(super) async fn write(connection: &mut PgConnection, batch: &[Recorded], counts: &mut Counts) -> sqlx::Result<()> {
    let (mut sources, mut destinations, mut all) = (Parts::default(), Parts::default(), Rows::default());
    for event in batch {
        let DomainEvent::CertificationRows(CertificationRowsEvent::CertificationRowsRecorded {
            certification_id,
            block,
            first_source,
            sources: new_sources,
            first_destination,
            destinations: new_destinations,
            reviewers,
            rows,
        }) = &*event.event
        else {
            continue;
        };
        for (number, source) in (*first_source..).zip(new_sources) {
            sources.certifications.push(*certification_id);
            sources.numbers.push(number as i32);
            sources.ids.push(source.id);
            sources.identities.push(source.identity.id);
            sources.shown.push(json(source)?);
            sources.folded.push(source.folded().json());
        }
        for (number, destination) in (*first_destination..).zip(new_destinations) {
            destinations.certifications.push(*certification_id);
            destinations.numbers.push(number as i32);
            destinations.ids.push(destination.id);
            destinations.shown.push(json(destination)?);
            destinations.folded.push(destination.folded().json());
        }
        let sets: Vec<String> = reviewers.iter().map(|set| array(set)).collect();
        for (result, row) in (block * BLOCK..).zip(rows) {
            all.certifications.push(*certification_id);
            all.results.push(result as i32);
            all.sources.push(row.source as i32);
            all.destinations.push(row.destination as i32);
            all.previous.push(row.previous.map(|previous| previous as i32));
            all.unchanged.push(row.is_unchanged);
            all.granted_at.push(row.granted_at);
            all.positions.push(event.position);
            all.times.push(event.recorded_at);
            all.reviewers.push(sets.get(row.reviewers as usize).cloned().unwrap_or_else(|| array(&[])));
            let has_any = !row.attributes.is_empty();
            all.attributes.push(has_any.then(|| json(&row.attributes)).transpose()?);
            let folded = || row.folded().json().get(Attribute::GrantAttributes.name()).cloned();
            all.folded.push(has_any.then(folded).flatten());
        }
        counts.of(*certification_id, event.recorded_at).total += rows.len() as i64;
    }
    if all.results.is_empty() && sources.ids.is_empty() {
        return Ok(());
    }
    write_parts(&mut *connection, sources, destinations).await?;
    write_rows(connection, all).await
}

async fn write_parts(connection: &mut PgConnection, sources: Parts, destinations: Parts) -> sqlx::Result<()> {
    if !sources.ids.is_empty() {
        sqlx::query(
            "INSERT INTO certification_sources (certification_id, number, account_id, identity_id, source, folded)
             SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::jsonb[], $6::jsonb[])",
        )
        .bind(sources.certifications)
        .bind(sources.numbers)
        .bind(sources.ids)
        .bind(sources.identities)
        .bind(sources.shown)
        .bind(sources.folded)
        .execute(&mut *connection)
        .await?;
    }
    if !destinations.ids.is_empty() {
        sqlx::query(
            "INSERT INTO certification_destinations (certification_id, number, entitlement_id, destination, folded)
             SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::jsonb[], $5::jsonb[])",
        )
        .bind(destinations.certifications)
        .bind(destinations.numbers)
        .bind(destinations.ids)
        .bind(destinations.shown)
        .bind(destinations.folded)
        .execute(connection)
        .await?;
    }
    Ok(())
}

async fn write_rows(connection: &mut PgConnection, rows: Rows) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO certification_rows (certification_id, result_id, source_number, destination_number, previous_result_id,
             is_unchanged, granted_at, updated_position, updated_at, reviewers, attributes, attributes_folded,
             is_signed_off, version, decision, notes, notes_folded, notification_status)
         SELECT u.certification_id, u.result_id, u.source, u.destination, u.previous, u.is_unchanged, u.granted_at, u.position,
                u.at, u.reviewers::uuid[], u.attributes, u.folded, false, 0, $13, '', '', 'UNKNOWN'
         FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::boolean[], $7::timestamptz[], $8::bigint[],
                     $9::timestamptz[], $10::text[], $11::jsonb[], $12::jsonb[])
             AS u (certification_id, result_id, source, destination, previous, is_unchanged, granted_at, position, at, reviewers,
                   attributes, folded)",
    )
    .bind(rows.certifications)
    .bind(rows.results)
    .bind(rows.sources)
    .bind(rows.destinations)
    .bind(rows.previous)
    .bind(rows.unchanged)
    .bind(rows.granted_at)
    .bind(rows.positions)
    .bind(rows.times)
    .bind(rows.reviewers)
    .bind(rows.attributes)
    .bind(rows.folded)
    .bind(Standing::default().decision.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
