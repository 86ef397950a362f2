//! How many changes imports have made, and where in the log every thousandth of them lies: a page is found without counting all before it.

use std::collections::BTreeMap;

use aggregates::account::AccountEvent;
use aggregates::entitlement::EntitlementEvent;
use aggregates::identity::IdentityEvent;
use aggregates::{DomainEvent, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

/// Changes from one mark to the next.
const MARKED: i64 = 1000;

/// The import that made an event, and how many changes it holds: a change of access is as many as it names, any other is one.
const fn of(event: &DomainEvent) -> Option<(Uuid, i64)> {
    match event {
        DomainEvent::Identity(event) => match event {
            IdentityEvent::IdentityAdded { import, .. }
            | IdentityEvent::IdentityLinked { import, .. }
            | IdentityEvent::IdentityChanged { import, .. }
            | IdentityEvent::IdentityRemoved { import, .. } => Some((*import, 1)),
            IdentityEvent::IdentityOnboarded { .. }
            | IdentityEvent::IdentityOffboarded { .. }
            | IdentityEvent::IdentityTransitioned { .. }
            | IdentityEvent::IdentityTransitionEnded { .. } => None,
        },
        DomainEvent::Entitlement(
            EntitlementEvent::EntitlementAdded { import, .. }
            | EntitlementEvent::EntitlementChanged { import, .. }
            | EntitlementEvent::EntitlementRemoved { import, .. },
        ) => Some((*import, 1)),
        DomainEvent::Account(event) => match event {
            AccountEvent::AccountAdded { import, .. }
            | AccountEvent::AccountChanged { import, .. }
            | AccountEvent::AccountRemoved { import, .. }
            | AccountEvent::AccountCorrelated { import, .. }
            | AccountEvent::AccountUncorrelated { import, .. } => Some((*import, 1)),
            AccountEvent::AccountAccessChanged { import, granted, changed, revoked, .. } => {
                Some((*import, (granted.len() + changed.len() + revoked.len()) as i64))
            }
            AccountEvent::AccountAssigned { .. } | AccountEvent::AccountReleased { .. } => None,
        },
        _ => None,
    }
}

/// Counts the changes of a batch, and marks the events that hold the first, the thousand and first, ... of an import.
pub(super) async fn count(connection: &mut PgConnection, batch: &[Recorded]) -> sqlx::Result<()> {
    let mut made: BTreeMap<Uuid, Vec<(i64, i64)>> = BTreeMap::new();
    for event in batch {
        if let Some((import, changes)) = of(&event.event) {
            made.entry(import).or_default().push((event.position, changes));
        }
    }
    if made.is_empty() {
        return Ok(());
    }
    let sum = |events: &Vec<(i64, i64)>| events.iter().map(|(_, changes)| changes).sum::<i64>();
    let totals: Vec<(Uuid, i64)> = sqlx::query_as(
        "INSERT INTO application_import_totals AS t (application_import_id, changes)
         SELECT * FROM unnest($1::uuid[], $2::bigint[])
         ON CONFLICT (application_import_id) DO UPDATE SET changes = t.changes + excluded.changes
         RETURNING application_import_id, changes",
    )
    .bind(made.keys().copied().collect::<Vec<_>>())
    .bind(made.values().map(sum).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    let (mut imports, mut befores, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for (import, total) in totals {
        let Some(events) = made.get(&import) else { continue };
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
