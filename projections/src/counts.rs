//! Counts that lists need at a million rows: kept, not counted (design §4).

use std::collections::BTreeMap;

use aggregates::Recorded;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Applied, Apply, Projection};

/// The table; the projections of the counted nouns write it.
pub(crate) const PROJECTION: Projection = Projection {
    name: "counts",
    version: 1,
    aggregate_types: &[],
    tables: "
        CREATE TABLE counts (
            kind text NOT NULL,
            application_id uuid NOT NULL,
            rows bigint NOT NULL,
            PRIMARY KEY (kind, application_id)
        );
        COMMENT ON TABLE counts IS 'How many current rows a table has, kept so that lists need not count';
        COMMENT ON COLUMN counts.kind IS 'accounts, uncorrelated_accounts, entitlements, grants or identities';
        COMMENT ON COLUMN counts.application_id IS 'The application; the nil UUID for identities, which span all';
        COMMENT ON COLUMN counts.rows IS 'Current rows';
    ",
    apply: Apply::Alone(nothing),
};

fn nothing<'a>(_: &'a mut PgConnection, _: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async { Ok(()) })
}

/// What a batch adds to the counts.
#[derive(Default)]
pub(crate) struct Changes(BTreeMap<(&'static str, Uuid), i64>);

impl Changes {
    pub(crate) fn add(&mut self, kind: &'static str, application: Uuid, rows: i64) {
        *self.0.entry((kind, application)).or_default() += rows;
    }

    pub(crate) async fn store(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let (mut kinds, mut applications, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for ((kind, application), change) in self.0 {
            // A zero creates the row too: the tables must not depend on how the log was split.
            kinds.push(kind);
            applications.push(application);
            rows.push(change);
        }
        if kinds.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO counts AS c (kind, application_id, rows)
             SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])
             ON CONFLICT (kind, application_id) DO UPDATE SET rows = c.rows + excluded.rows",
        )
        .bind(kinds)
        .bind(applications)
        .bind(rows)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// How many current rows there are.
pub async fn rows(executor: impl PgExecutor<'_>, kind: &str, application: Uuid) -> sqlx::Result<i64> {
    let found: Option<i64> = sqlx::query_scalar("SELECT rows FROM counts WHERE kind = $1 AND application_id = $2")
        .bind(kind)
        .bind(application)
        .fetch_optional(executor)
        .await?;
    Ok(found.unwrap_or(0))
}
