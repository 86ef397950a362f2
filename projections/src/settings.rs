//! `settings`: one row. The order of identity sources is a table of those whom it concerns: `identities`.

use aggregates::settings::SettingsEvent;
use aggregates::{DomainEvent, Recorded};
use sqlx::{PgConnection, PgExecutor};

use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "settings",
    version: 1,
    aggregate_types: &[aggregates::settings::TYPE],
    tables: "
        CREATE TABLE settings (
            id text PRIMARY KEY,
            api_enabled boolean NOT NULL
        );
        COMMENT ON TABLE settings IS 'System settings, one row';
        COMMENT ON COLUMN settings.id IS 'Always settings';
        COMMENT ON COLUMN settings.api_enabled IS 'Are API requests answered?';
    ",
    apply: Apply::Alone(apply),
};

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let last = batch.iter().rev().find_map(|event| match &*event.event {
            DomainEvent::Settings(SettingsEvent::ApiEnabled {}) => Some(true),
            DomainEvent::Settings(SettingsEvent::ApiDisabled {}) => Some(false),
            _ => None,
        });
        let Some(enabled) = last else { return Ok(()) };
        sqlx::query(
            "INSERT INTO settings (id, api_enabled) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET api_enabled = excluded.api_enabled",
        )
        .bind(aggregates::settings::ID)
        .bind(enabled)
        .execute(connection)
        .await?;
        Ok(())
    })
}

/// Are API requests answered? `None` before the first start.
pub async fn api_enabled(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar("SELECT api_enabled FROM settings WHERE id = $1")
        .bind(aggregates::settings::ID)
        .fetch_optional(executor)
        .await
}
