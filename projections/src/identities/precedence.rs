//! Which source decides where several say something of a person (rulings 11).
//!
//! The order is kept in a table of this projection, and not read from another's: as a batch begins it must be what it was
//! before that batch, however the log was cut.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// The applications that come first, in order; the others follow by creation.
pub async fn precedence(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT application_id FROM identity_sources ORDER BY rank").fetch_all(executor).await
}

/// Identities of which several applications say something: whom another order may change.
pub(super) async fn concerned(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT identity_id FROM identity_records GROUP BY identity_id HAVING count(DISTINCT application_id) > 1",
    )
    .fetch_all(executor)
    .await
}

pub(super) async fn store(connection: &mut PgConnection, order: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM identity_sources").execute(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO identity_sources (application_id, rank)
         SELECT application_id, rank FROM unnest($1::uuid[]) WITH ORDINALITY AS o (application_id, rank)",
    )
    .bind(order)
    .execute(connection)
    .await?;
    Ok(())
}
