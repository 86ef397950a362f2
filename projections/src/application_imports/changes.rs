//! What imports have changed so far, counted from the events that name them: how much of what, how many changes in all, and where in the
//! log every thousandth of them lies, so that a page of changes is found without counting all before it.

use std::collections::BTreeMap;

use aggregates::account::AccountEvent;
use aggregates::entitlement::EntitlementEvent;
use aggregates::identity::IdentityEvent;
use aggregates::{DomainEvent, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

/// Changes from one mark to the next.
const MARKED: i64 = 1000;

/// The kind of what an event adds, changes and removes; none of links between accounts and people, which no metric counts.
type Made = (Option<&'static str>, [usize; 3]);

/// The import that made an event, and what it made; `None` = no import did.
const fn made(event: &DomainEvent) -> Option<(Uuid, Made)> {
    const ADDED: [usize; 3] = [1, 0, 0];
    const CHANGED: [usize; 3] = [0, 1, 0];
    const REMOVED: [usize; 3] = [0, 0, 1];
    match event {
        DomainEvent::Identity(event) => match event {
            IdentityEvent::IdentityAdded { import, .. } | IdentityEvent::IdentityLinked { import, .. } => {
                Some((*import, (Some("identities"), ADDED)))
            }
            IdentityEvent::IdentityChanged { import, .. } => Some((*import, (Some("identities"), CHANGED))),
            IdentityEvent::IdentityRemoved { import, .. } => Some((*import, (Some("identities"), REMOVED))),
            IdentityEvent::IdentityOnboarded { .. }
            | IdentityEvent::IdentityOffboarded { .. }
            | IdentityEvent::IdentityTransitioned { .. }
            | IdentityEvent::IdentityTransitionEnded { .. } => None,
        },
        DomainEvent::Entitlement(event) => match event {
            EntitlementEvent::EntitlementAdded { import, .. } => Some((*import, (Some("entitlements"), ADDED))),
            EntitlementEvent::EntitlementChanged { import, .. } => Some((*import, (Some("entitlements"), CHANGED))),
            EntitlementEvent::EntitlementRemoved { import, .. } => Some((*import, (Some("entitlements"), REMOVED))),
        },
        DomainEvent::Account(event) => match event {
            AccountEvent::AccountAdded { import, .. } => Some((*import, (Some("accounts"), ADDED))),
            AccountEvent::AccountChanged { import, .. } => Some((*import, (Some("accounts"), CHANGED))),
            AccountEvent::AccountRemoved { import, .. } => Some((*import, (Some("accounts"), REMOVED))),
            AccountEvent::AccountAccessChanged { import, granted, changed, revoked, .. } => {
                Some((*import, (Some("grants"), [granted.len(), changed.len(), revoked.len()])))
            }
            AccountEvent::AccountCorrelated { import, .. } => Some((*import, (None, ADDED))),
            AccountEvent::AccountUncorrelated { import, .. } => Some((*import, (None, REMOVED))),
            AccountEvent::AccountAssigned { .. } | AccountEvent::AccountReleased { .. } => None,
        },
        _ => None,
    }
}

/// Counts the changes of a batch.
pub(super) async fn count(connection: &mut PgConnection, batch: &[Recorded]) -> sqlx::Result<()> {
    let mut counts: BTreeMap<(Uuid, &str), [i64; 3]> = BTreeMap::new();
    let mut events: BTreeMap<Uuid, Vec<(i64, i64)>> = BTreeMap::new();
    for event in batch {
        let Some((import, (kind, numbers))) = made(&event.event) else { continue };
        events.entry(import).or_default().push((event.position, numbers.iter().sum::<usize>() as i64));
        if let Some(kind) = kind {
            let count = counts.entry((import, kind)).or_default();
            for (count, number) in count.iter_mut().zip(numbers) {
                *count += number as i64;
            }
        }
    }
    store(connection, counts).await?;
    mark(connection, events).await
}

async fn store(connection: &mut PgConnection, counts: BTreeMap<(Uuid, &str), [i64; 3]>) -> sqlx::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let numbers = |place: usize| counts.values().map(|count| count[place]).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO application_import_counts AS t (application_import_id, kind, added, changed, removed)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
         ON CONFLICT (application_import_id, kind) DO UPDATE SET
             added = t.added + excluded.added, changed = t.changed + excluded.changed, removed = t.removed + excluded.removed",
    )
    .bind(counts.keys().map(|(import, _)| *import).collect::<Vec<_>>())
    .bind(counts.keys().map(|(_, kind)| *kind).collect::<Vec<_>>())
    .bind(numbers(0))
    .bind(numbers(1))
    .bind(numbers(2))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds up the changes of imports, given as the position of each event and how many it holds, and marks the events that hold the first,
/// the thousand and first, ... of an import.
async fn mark(connection: &mut PgConnection, events: BTreeMap<Uuid, Vec<(i64, i64)>>) -> sqlx::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let sum = |events: &Vec<(i64, i64)>| events.iter().map(|(_, changes)| changes).sum::<i64>();
    let totals: Vec<(Uuid, i64)> = sqlx::query_as(
        "INSERT INTO application_import_totals AS t (application_import_id, changes)
         SELECT * FROM unnest($1::uuid[], $2::bigint[])
         ON CONFLICT (application_import_id) DO UPDATE SET changes = t.changes + excluded.changes
         RETURNING application_import_id, changes",
    )
    .bind(events.keys().copied().collect::<Vec<_>>())
    .bind(events.values().map(sum).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    let (mut imports, mut befores, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for (import, total) in totals {
        let Some(events) = events.get(&import) else { continue };
        let mut before = total - sum(events);
        for (position, changes) in events {
            let next = before + changes;
            if (before + MARKED - 1) / MARKED * MARKED < next {
                imports.push(import);
                befores.push(before);
                positions.push(*position);
            }
            before = next;
        }
    }
    if imports.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO application_import_marks (application_import_id, changes_before, position)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])",
    )
    .bind(imports)
    .bind(befores)
    .bind(positions)
    .execute(connection)
    .await?;
    Ok(())
}
