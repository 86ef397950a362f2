//! Roles: the application may append and read events and no more; analysts may read the projections (design §6).

use sqlx::{Executor, PgConnection};

/// The role that the server's connections take.
pub(super) const APPLICATION: &str = "muniment_app";

/// How the log is kept from being changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separation {
    /// The application's role may only append and read events; triggers refuse everybody else.
    Roles,
    /// The database user may not create roles: only the triggers stand in the way.
    TriggersOnly,
}

/// What each role may do. Run after every migration and rebuild, since rights belong to the schema that was swapped in.
const GRANTS: &str = "
    GRANT USAGE ON SCHEMA journal, read, work, evidence, public TO muniment_app;
    GRANT SELECT, INSERT ON journal.events TO muniment_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON journal.claims TO muniment_app;
    GRANT SELECT ON journal.schema_version TO muniment_app;
    GRANT SELECT, UPDATE ON journal.append_lock TO muniment_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA read, work TO muniment_app;
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA evidence TO muniment_app;
    GRANT USAGE ON SCHEMA read TO muniment_analyst;
    GRANT SELECT ON ALL TABLES IN SCHEMA read TO muniment_analyst;
    GRANT muniment_app, muniment_analyst TO CURRENT_USER;
";

/// Creates the roles where they are missing and gives them their rights.
pub(super) async fn create(connection: &mut PgConnection) -> sqlx::Result<Separation> {
    for role in [APPLICATION, "muniment_analyst"] {
        // Roles belong to the whole cluster: another database of it may have made them a moment ago.
        let create = format!(
            "DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        match connection.execute(create.as_str()).await {
            Ok(_) => {}
            Err(error) if is_denied(&error) => return separation(connection).await,
            Err(error) => return Err(error),
        }
    }
    grant(connection).await?;
    separation(connection).await
}

/// Gives the roles their rights.
pub(super) async fn grant(connection: &mut PgConnection) -> sqlx::Result<()> {
    match connection.execute(GRANTS).await {
        Ok(_) => Ok(()),
        Err(error) if is_denied(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Can this user become the application's role, and may that role append?
pub(super) async fn separation(connection: &mut PgConnection) -> sqlx::Result<Separation> {
    let is_separate: bool = sqlx::query_scalar(
        "SELECT coalesce((SELECT pg_has_role(current_user, r.oid, 'MEMBER')
                             AND coalesce(has_table_privilege(r.oid, to_regclass('journal.events'), 'INSERT'), false)
                             AND coalesce(has_schema_privilege(r.oid, to_regnamespace('read'), 'USAGE'), false)
                          FROM pg_roles AS r WHERE r.rolname = $1), false)",
    )
    .bind(APPLICATION)
    .fetch_one(connection)
    .await?;
    Ok(if is_separate { Separation::Roles } else { Separation::TriggersOnly })
}

fn is_denied(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42501"))
}
