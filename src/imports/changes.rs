//! What an import changed, or would change: its events, told one change at a time with what was before (rulings 20).

use std::collections::HashMap;

use aggregates::DomainEvent;
use aggregates::account::{Account, AccountEvent, Correlation, GrantEntry};
use aggregates::entitlement::{Entitlement, EntitlementEvent};
use aggregates::identity::{Identity, IdentityEvent, Source};
use projections::application_imports::ImportRow;
use projections::page::{Page, SIZE};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::App;
use crate::journal::Journal;

/// A change of one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Identity, Account, Entitlement or Grant.
    pub kind: &'static str,
    /// Added, Changed, Removed; of an account also Correlated and Uncorrelated.
    pub action: &'static str,
    /// Native key; of a grant `{account, entitlement}`.
    pub key: Value,
    /// Null = it wasn't there.
    pub before: Value,
    /// Null = it is gone.
    pub after: Value,
}

/// Why changes can't be told.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A stream can't be loaded, or an event not be read.
    #[error("{0}")]
    Unreadable(String),
}

/// An event of an import: appended, or only planned.
#[derive(sqlx::FromRow)]
struct Row {
    /// Ordinal of its last change.
    last_change: i64,
    changes: i64,
    aggregate_type: String,
    aggregate_id: String,
    payload: String,
    /// The stream's version before it.
    version: i64,
}

/// One page of an import's changes.
pub async fn page(app: &App, import: &ImportRow, page: i64) -> Result<Page<Change>, Failure> {
    let skip = (page - 1).saturating_mul(SIZE);
    let (rows, total) = rows(app, import.id, skip).await?;
    let ids = |kind: &str| -> Vec<Uuid> {
        let of_kind = rows.iter().filter(|row| row.aggregate_type == kind);
        of_kind.filter_map(|row| Uuid::try_parse(&row.aggregate_id).ok()).collect()
    };
    let mut accounts = projections::accounts::keys(&app.pool, &ids(aggregates::account::TYPE)).await?;
    accounts.extend(planned_keys(app, import.id, &rows, &accounts).await?);
    let entitlements = projections::entitlements::keys(&app.pool, &ids(aggregates::entitlement::TYPE)).await?;
    let mut items = Vec::new();
    for row in &rows {
        let event = DomainEvent::decode(&row.aggregate_type, &row.payload)
            .map_err(|error| Failure::Unreadable(error.to_string()))?;
        let id = Uuid::try_parse(&row.aggregate_id).unwrap_or_default();
        let changes = match event {
            DomainEvent::Identity(event) => of_identity(&load(&app.journal, row).await?, event).into_iter().collect(),
            DomainEvent::Entitlement(event) => {
                vec![of_entitlement(&load(&app.journal, row).await?, event, entitlements.get(&id))]
            }
            DomainEvent::Account(event) => of_account(&load(&app.journal, row).await?, event, accounts.get(&id)),
            _ => Vec::new(),
        };
        let first = row.last_change - row.changes;
        let from = (skip - first).max(0) as usize;
        let until = (skip.saturating_add(SIZE) - first).max(0) as usize;
        items.extend(changes.into_iter().take(until).skip(from));
    }
    Ok(Page { items, total })
}

/// The events that hold the changes from `skip` on, and how many changes there are.
async fn rows(app: &App, import: Uuid, skip: i64) -> sqlx::Result<(Vec<Row>, i64)> {
    let planned: Option<i64> =
        sqlx::query_scalar("SELECT max(last_change) FROM work.planned_events WHERE application_import_id = $1")
            .bind(import)
            .fetch_one(&app.pool)
            .await?;
    if let Some(total) = planned {
        return Ok((planned_rows(app, import, skip).await?, total));
    }
    Ok((made_rows(app, import, skip).await?, projections::application_imports::changes(&app.pool, import).await?))
}

async fn planned_rows(app: &App, import: Uuid, skip: i64) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT p.*,
                (SELECT coalesce(max(e.sequence), 0) FROM journal.events AS e
                 WHERE e.aggregate_type = p.aggregate_type AND e.aggregate_id = p.aggregate_id
                 AND e.position < (SELECT max(position) FROM journal.events
                                   WHERE aggregate_type = 'application_import' AND aggregate_id = $1::text)) AS version
         FROM work.planned_events AS p
         WHERE application_import_id = $1 AND last_change > $2 ORDER BY last_change LIMIT $3",
    )
    .bind(import)
    .bind(skip)
    .bind(SIZE)
    .fetch_all(&app.pool)
    .await
}

/// An import's events from the last mark before the page to the first one behind it; others' may lie between them.
async fn made_rows(app: &App, import: Uuid, skip: i64) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "WITH mark AS (
             SELECT position, changes_before FROM application_import_marks
             WHERE application_import_id = $1 AND changes_before <= $2 ORDER BY changes_before DESC LIMIT 1
         ), behind AS (
             SELECT position FROM application_import_marks
             WHERE application_import_id = $1 AND changes_before - $3 >= $2 ORDER BY changes_before LIMIT 1
         ), made AS (
             SELECT position, aggregate_type, aggregate_id, sequence, payload,
                    CASE event_type WHEN 'AccountAccessChanged'
                    THEN coalesce(json_array_length(payload -> event_type -> 'granted'), 0)
                         + coalesce(json_array_length(payload -> event_type -> 'changed'), 0)
                         + coalesce(json_array_length(payload -> event_type -> 'revoked'), 0)
                    ELSE 1 END::bigint AS changes
             FROM journal.events
             WHERE position >= (SELECT position FROM mark)
             AND position < coalesce((SELECT position FROM behind),
                                     (SELECT ended_position FROM application_imports WHERE id = $1), 9223372036854775807)
             AND aggregate_type IN ('identity', 'entitlement', 'account')
             AND payload -> event_type ->> 'import' = $1::text
         ), counted AS (
             SELECT *, (SELECT changes_before FROM mark) + (sum(changes) OVER (ORDER BY position))::bigint AS last_change
             FROM made
         )
         SELECT last_change, changes, aggregate_type, aggregate_id, payload::text AS payload, sequence - 1 AS version
         FROM counted WHERE last_change > $2 AND last_change - changes - $3 < $2 ORDER BY position",
    )
    .bind(import)
    .bind(skip)
    .bind(SIZE)
    .fetch_all(&app.pool)
    .await
}

/// The keys of accounts that only a plan names: the event that would add one comes before all others of it.
async fn planned_keys(
    app: &App,
    import: Uuid,
    rows: &[Row],
    known: &HashMap<Uuid, String>,
) -> sqlx::Result<Vec<(Uuid, String)>> {
    let is_new = |row: &&Row| {
        let id = Uuid::try_parse(&row.aggregate_id);
        row.aggregate_type == aggregates::account::TYPE && id.is_ok_and(|id| !known.contains_key(&id))
    };
    let ids: Vec<&str> = rows.iter().filter(is_new).map(|row| row.aggregate_id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(
        "SELECT aggregate_id::uuid, payload::json -> 'AccountAdded' ->> 'key' FROM work.planned_events
         WHERE application_import_id = $1 AND aggregate_id = ANY ($2) AND payload LIKE '{\"AccountAdded\"%'",
    )
    .bind(import)
    .bind(ids)
    .fetch_all(&app.pool)
    .await
}

/// The state of a stream before the event.
async fn load<A: aggregates::Stream>(journal: &Journal, row: &Row) -> Result<A, Failure> {
    let loaded = journal.load_until::<A>(&row.aggregate_id, row.version).await;
    loaded.map(|loaded| loaded.aggregate).map_err(|error| Failure::Unreadable(error.to_string()))
}

/// Something that has a record: what was before says whether it is added, changed or removed.
fn of_record<R: Serialize>(kind: &'static str, key: Option<&str>, before: Option<&R>, after: Option<&R>) -> Change {
    let action = match (before, after) {
        (None, _) => "Added",
        (Some(_), Some(_)) => "Changed",
        (Some(_), None) => "Removed",
    };
    Change { kind, action, key: json!(key), before: json!(before), after: json!(after) }
}

fn of_identity(state: &Identity, event: IdentityEvent) -> Option<Change> {
    let (source, after) = match event {
        IdentityEvent::IdentityAdded { source, record, .. }
        | IdentityEvent::IdentityLinked { source, record, .. }
        | IdentityEvent::IdentityChanged { source, record, .. } => (source, Some(record)),
        IdentityEvent::IdentityRemoved { source, .. } => (source, None),
        // Made by personnel events, never by an import.
        IdentityEvent::IdentityOnboarded { .. }
        | IdentityEvent::IdentityOffboarded { .. }
        | IdentityEvent::IdentityTransitioned { .. }
        | IdentityEvent::IdentityTransitionEnded { .. } => return None,
    };
    let before = state.records.iter().find(|known| known.source == source && known.is_present);
    let Source { key, .. } = source.clone();
    Some(of_record("Identity", Some(&key), before.map(|known| &known.record), after.as_ref()))
}

fn of_entitlement(state: &Entitlement, event: EntitlementEvent, known: Option<&String>) -> Change {
    let (key, after) = match event {
        EntitlementEvent::EntitlementAdded { key, record, .. } => (Some(key), Some(record)),
        EntitlementEvent::EntitlementChanged { record, .. } => (known.cloned(), Some(record)),
        EntitlementEvent::EntitlementRemoved { .. } => (known.cloned(), None),
    };
    of_record("Entitlement", key.as_deref(), state.current(), after.as_ref())
}

fn of_account(state: &Account, event: AccountEvent, known: Option<&String>) -> Vec<Change> {
    let (key, after) = match event {
        AccountEvent::AccountAdded { key, record, .. } => (Some(key), Some(record)),
        AccountEvent::AccountChanged { record, .. } => (known.cloned(), Some(record)),
        AccountEvent::AccountRemoved { .. } => (known.cloned(), None),
        AccountEvent::AccountCorrelated { identity_id, by, .. } => {
            let after = json!(Correlation { identity_id, by });
            return vec![correlation(state, known, "Correlated", after)];
        }
        AccountEvent::AccountUncorrelated { .. } => {
            return vec![correlation(state, known, "Uncorrelated", Value::Null)];
        }
        // Made by hand, never by an import.
        AccountEvent::AccountAssigned { .. } | AccountEvent::AccountReleased { .. } => return Vec::new(),
        AccountEvent::AccountAccessChanged { granted, changed, revoked, .. } => {
            let named = granted.into_iter().chain(changed).map(|entry| (entry.entitlement.clone(), Some(entry)));
            let revoked = revoked.into_iter().map(|entitlement| (entitlement, None));
            return named
                .chain(revoked)
                .map(|(entitlement, entry)| of_grant(state, known, &entitlement, entry))
                .collect();
        }
    };
    vec![of_record("Account", key.as_deref(), state.current(), after.as_ref())]
}

fn correlation(state: &Account, key: Option<&String>, action: &'static str, after: Value) -> Change {
    let before = state.identity().map_or(Value::Null, |id| json!({ "identityId": id }));
    Change { kind: "Account", action, key: json!(key), before, after }
}

fn of_grant(state: &Account, account: Option<&String>, entitlement: &str, entry: Option<GrantEntry>) -> Change {
    let before = state.grant(entitlement).map(|attributes| json!({ "attributes": attributes }));
    let after = entry.map(|entry| json!({ "attributes": entry.attributes }));
    let key = json!({ "account": account, "entitlement": entitlement });
    Change { key, ..of_record("Grant", None, before.as_ref(), after.as_ref()) }
}
