//! `grants`: who may do what. The largest table, so written with COPY and folded without loading what it doesn't need.

mod queries;

use std::collections::HashMap;

use aggregates::account::{AccountEvent, GrantEntry};
use aggregates::{DomainEvent, Recorded, ids};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

pub use queries::{GrantRow, HeldAccess, count, held, list, of_accounts};

use crate::copied;
use crate::counts::Changes;
use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "grants",
    version: 2,
    aggregate_types: &[aggregates::account::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

type Key = (Uuid, Uuid, Uuid);

/// Where a grant began.
#[derive(Clone, Copy)]
struct Origin {
    at: DateTime<Utc>,
    position: i64,
    import: Uuid,
}

/// A version made by this batch.
struct New {
    key: Key,
    attributes: Option<Value>,
    /// `None` = it continues a stored version, whose origin it takes over.
    origin: Option<Origin>,
    from: (i64, DateTime<Utc>),
    to: Option<(i64, DateTime<Utc>)>,
}

/// What a batch does to the table.
#[derive(Default)]
struct Fold {
    new: Vec<New>,
    /// It ends versions, too, which may be its own.
    closes: bool,
    /// The version of each key that this batch made last, if it closes any.
    last: HashMap<Key, usize>,
    /// Stored versions that end.
    closed: Vec<(Key, i64, DateTime<Utc>)>,
    counts: Changes,
}

impl Fold {
    fn open(&mut self, key: Key, entry: &GrantEntry, origin: Option<Origin>, event: &Recorded) {
        let attributes = (!entry.attributes.is_empty()).then(|| {
            entry.attributes.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
        });
        if self.closes {
            self.last.insert(key, self.new.len());
        }
        self.new.push(New { key, attributes, origin, from: (event.position, event.recorded_at), to: None });
    }

    /// Ends the current version; gives the origin that a continuation takes over (`None` = the stored version's).
    fn close(&mut self, key: Key, event: &Recorded) -> Option<Origin> {
        if let Some(index) = self.last.get(&key) {
            let version = &mut self.new[*index];
            version.to = Some((event.position, event.recorded_at));
            version.origin
        } else {
            self.closed.push((key, event.position, event.recorded_at));
            None
        }
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let closes = batch.iter().any(|event| match &*event.event {
            DomainEvent::Account(AccountEvent::AccountAccessChanged { changed, revoked, .. }) => {
                !changed.is_empty() || !revoked.is_empty()
            }
            _ => false,
        });
        let mut fold = Fold { closes, ..Fold::default() };
        let mut entitlements: HashMap<(Uuid, &str), Uuid> = HashMap::new();
        for event in batch {
            let DomainEvent::Account(AccountEvent::AccountAccessChanged {
                import,
                application_id,
                granted,
                changed,
                revoked,
            }) = &*event.event
            else {
                continue;
            };
            let (application, account) = (*application_id, event.id());
            let mut key = |entitlement: &'a str| {
                let id = entitlements
                    .entry((application, entitlement))
                    .or_insert_with(|| ids::entitlement(application, entitlement));
                (application, account, *id)
            };
            for entitlement in revoked {
                fold.close(key(entitlement), event);
            }
            for entry in changed {
                let key = key(&entry.entitlement);
                let origin = fold.close(key, event);
                fold.open(key, entry, origin, event);
            }
            let origin = Origin { at: event.recorded_at, position: event.position, import: *import };
            for entry in granted {
                fold.open(key(&entry.entitlement), entry, Some(origin), event);
            }
            fold.counts.add("grants", application, granted.len() as i64 - revoked.len() as i64);
        }
        let origins = close_stored(connection, &fold.closed).await?;
        insert(connection, fold.new, &origins).await?;
        fold.counts.store(connection).await
    })
}

async fn close_stored(
    connection: &mut PgConnection,
    closed: &[(Key, i64, DateTime<Utc>)],
) -> sqlx::Result<HashMap<Key, Origin>> {
    if closed.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "UPDATE grants AS g SET valid_to = c.position, valid_to_at = c.at
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[])
             AS c (application_id, account_id, entitlement_id, position, at)
         WHERE g.application_id = c.application_id AND g.account_id = c.account_id
             AND g.entitlement_id = c.entitlement_id AND g.valid_to IS NULL
         RETURNING g.application_id, g.account_id, g.entitlement_id, g.granted_at, g.granted_position, g.granted_import_id",
    )
    .bind(closed.iter().map(|(key, ..)| key.0).collect::<Vec<_>>())
    .bind(closed.iter().map(|(key, ..)| key.1).collect::<Vec<_>>())
    .bind(closed.iter().map(|(key, ..)| key.2).collect::<Vec<_>>())
    .bind(closed.iter().map(|(_, position, _)| *position).collect::<Vec<_>>())
    .bind(closed.iter().map(|(.., at)| *at).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let origin = Origin { at: row.try_get(3)?, position: row.try_get(4)?, import: row.try_get(5)? };
            Ok(((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), origin))
        })
        .collect()
}

const COLUMNS: &[&str] = &[
    "application_id",
    "account_id",
    "entitlement_id",
    "attributes",
    "granted_at",
    "granted_position",
    "granted_import_id",
    "valid_from",
    "valid_to",
    "valid_from_at",
    "valid_to_at",
];

async fn insert(connection: &mut PgConnection, new: Vec<New>, origins: &HashMap<Key, Origin>) -> sqlx::Result<()> {
    copied::copy(connection, "grants", COLUMNS, new, |version, row| {
        let Some(origin) = version.origin.or_else(|| origins.get(&version.key).copied()) else {
            return Err(sqlx::Error::Protocol(format!("grant {:?} changed but was never granted", version.key)));
        };
        row.field(version.key.0)?;
        row.field(version.key.1)?;
        row.field(version.key.2)?;
        row.json(version.attributes.as_ref())?;
        row.field(origin.at)?;
        row.field(origin.position)?;
        row.field(origin.import)?;
        row.field(version.from.0)?;
        row.field(version.to.map(|(position, _)| position))?;
        row.field(version.from.1)?;
        row.field(version.to.map(|(_, at)| at))
    })
    .await
}
