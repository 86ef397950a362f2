//! `settings`: one row. The order of identity sources is a table of those whom it concerns: `identities`.

use aggregates::settings::SettingsEvent;
use aggregates::{DomainEvent, Recorded};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "settings",
    version: 2,
    aggregate_types: &[aggregates::settings::TYPE],
    tables: "
        CREATE TABLE settings (
            id text PRIMARY KEY,
            api_enabled boolean,
            signing_key_id uuid
        );
        COMMENT ON TABLE settings IS 'System settings, one row';
        COMMENT ON COLUMN settings.id IS 'Always settings';
        COMMENT ON COLUMN settings.api_enabled IS 'Are API requests answered? null before the first start';
        COMMENT ON COLUMN settings.signing_key_id IS 'The key that signs access tokens; null before the first';
    ",
    apply: Apply::Alone(apply),
};

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let (mut api_enabled, mut signing_key_id) = (None, None);
        for event in batch {
            match &*event.event {
                DomainEvent::Settings(SettingsEvent::ApiEnabled {}) => api_enabled = Some(true),
                DomainEvent::Settings(SettingsEvent::ApiDisabled {}) => api_enabled = Some(false),
                DomainEvent::Settings(SettingsEvent::SigningKeyRotated { key_id }) => signing_key_id = Some(*key_id),
                _ => {}
            }
        }
        if api_enabled.is_none() && signing_key_id.is_none() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO settings AS s (id, api_enabled, signing_key_id) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET
                 api_enabled = coalesce(excluded.api_enabled, s.api_enabled),
                 signing_key_id = coalesce(excluded.signing_key_id, s.signing_key_id)",
        )
        .bind(aggregates::settings::ID)
        .bind(api_enabled)
        .bind(signing_key_id)
        .execute(connection)
        .await?;
        Ok(())
    })
}

/// Are API requests answered? `None` before the first start.
pub async fn api_enabled(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<bool>> {
    let enabled: Option<Option<bool>> = sqlx::query_scalar("SELECT api_enabled FROM settings WHERE id = $1")
        .bind(aggregates::settings::ID)
        .fetch_optional(executor)
        .await?;
    Ok(enabled.flatten())
}

/// The key that signs access tokens; `None` before the first.
pub async fn signing_key_id(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<Uuid>> {
    let id: Option<Option<Uuid>> = sqlx::query_scalar("SELECT signing_key_id FROM settings WHERE id = $1")
        .bind(aggregates::settings::ID)
        .fetch_optional(executor)
        .await?;
    Ok(id.flatten())
}
