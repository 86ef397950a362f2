//! `grants`: who may do what. The largest table, so written with COPY and folded without loading what it doesn't need.

mod queries;

use std::collections::HashMap;

use aggregates::account::{AccountEvent, Attributes, GrantEntry};
use aggregates::{DomainEvent, Recorded, ids};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

pub use queries::{GrantRow, HeldAccess, count, held, list, of_accounts};

use crate::copied::{self, Fields};
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

impl Origin {
    const fn of(event: &Recorded, import: Uuid) -> Self {
        Self { at: event.recorded_at, position: event.position, import }
    }
}

/// A version made by this batch.
struct New<'e> {
    key: Key,
    attributes: &'e Attributes,
    /// `None` = it continues a stored version, whose origin it takes over.
    origin: Option<Origin>,
    from: (i64, DateTime<Utc>),
    to: Option<(i64, DateTime<Utc>)>,
}

/// What a batch that ends versions does to the table.
#[derive(Default)]
struct Fold<'e> {
    new: Vec<New<'e>>,
    /// The version of each key that this batch made last.
    last: HashMap<Key, usize>,
    /// Stored versions that end.
    closed: Vec<(Key, i64, DateTime<Utc>)>,
}

impl<'e> Fold<'e> {
    fn open(&mut self, key: Key, entry: &'e GrantEntry, origin: Option<Origin>, event: &Recorded) {
        self.last.insert(key, self.new.len());
        self.new.push(New::of(key, entry, origin, event));
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

impl<'e> New<'e> {
    const fn of(key: Key, entry: &'e GrantEntry, origin: Option<Origin>, event: &Recorded) -> Self {
        Self { key, attributes: &entry.attributes, origin, from: (event.position, event.recorded_at), to: None }
    }
}

/// What an event says of an account's access.
#[derive(Clone, Copy)]
struct Said<'e> {
    event: &'e Recorded,
    import: Uuid,
    application: Uuid,
    account: Uuid,
    granted: &'e [GrantEntry],
    changed: &'e [GrantEntry],
    revoked: &'e [String],
}

impl<'e> Said<'e> {
    fn of(event: &'e Recorded) -> Option<Self> {
        let DomainEvent::Account(AccountEvent::AccountAccessChanged {
            import,
            application_id,
            granted,
            changed,
            revoked,
        }) = &*event.event
        else {
            return None;
        };
        let (import, application, account) = (*import, *application_id, event.id());
        Some(Self { event, import, application, account, granted, changed, revoked })
    }
}

/// Ids of entitlements by their keys: a batch names the same ones again and again.
#[derive(Default)]
struct Entitlements<'e>(HashMap<(Uuid, &'e str), Uuid>);

impl<'e> Entitlements<'e> {
    fn key(&mut self, (application, account): (Uuid, Uuid), entitlement: &'e str) -> Key {
        let id = self.0.entry((application, entitlement)).or_insert_with(|| ids::entitlement(application, entitlement));
        (application, account, *id)
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let (counts, closes) = counted(batch);
        let mut entitlements = Entitlements::default();
        if closes {
            let fold = fold(batch, &mut entitlements);
            let origins = close_stored(connection, &fold.closed).await?;
            copied::copy(connection, "grants", COLUMNS, fold.new, |version, row| {
                let Some(origin) = version.origin.or_else(|| origins.get(&version.key).copied()) else {
                    let reason = format!("grant {:?} changed but was never granted", version.key);
                    return Err(sqlx::Error::Protocol(reason));
                };
                write(&version, origin, row)
            })
            .await?;
        } else {
            // A first import's, of which there may be millions: each is made when it is sent.
            copied::copy(connection, "grants", COLUMNS, granted(batch), |(said, entry), row| {
                let origin = Origin::of(said.event, said.import);
                let key = entitlements.key((said.application, said.account), &entry.entitlement);
                write(&New::of(key, entry, Some(origin), said.event), origin, row)
            })
            .await?;
        }
        counts.store(connection).await
    })
}

/// By how much the numbers of grants change, and whether any ends.
fn counted(batch: &[Recorded]) -> (Changes, bool) {
    let (mut counts, mut closes) = (Changes::default(), false);
    for said in batch.iter().filter_map(Said::of) {
        counts.add("grants", said.application, said.granted.len() as i64 - said.revoked.len() as i64);
        closes |= !said.changed.is_empty() || !said.revoked.is_empty();
    }
    (counts, closes)
}

/// Every grant that begins, and what said it.
fn granted<'e>(batch: &'e [Recorded]) -> Box<dyn Iterator<Item = (Said<'e>, &'e GrantEntry)> + Send + 'e> {
    let of = |said: Said<'e>| said.granted.iter().map(move |entry| (said, entry));
    Box::new(batch.iter().filter_map(Said::of).flat_map(of))
}

fn fold<'e>(batch: &'e [Recorded], entitlements: &mut Entitlements<'e>) -> Fold<'e> {
    let mut fold = Fold::default();
    for Said { event, import, application, account, granted, changed, revoked } in batch.iter().filter_map(Said::of) {
        let mut key = |entitlement: &'e str| entitlements.key((application, account), entitlement);
        for entitlement in revoked {
            fold.close(key(entitlement), event);
        }
        for entry in changed {
            let key = key(&entry.entitlement);
            let origin = fold.close(key, event);
            fold.open(key, entry, origin, event);
        }
        let origin = Origin::of(event, import);
        for entry in granted {
            fold.open(key(&entry.entitlement), entry, Some(origin), event);
        }
    }
    fold
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

fn write(version: &New, origin: Origin, row: &mut Fields) -> sqlx::Result<()> {
    row.field(version.key.0)?;
    row.field(version.key.1)?;
    row.field(version.key.2)?;
    row.json((!version.attributes.is_empty()).then_some(version.attributes))?;
    row.field(origin.at)?;
    row.field(origin.position)?;
    row.field(origin.import)?;
    row.field(version.from.0)?;
    row.field(version.to.map(|(position, _)| position))?;
    row.field(version.from.1)?;
    row.field(version.to.map(|(_, at)| at))
}
