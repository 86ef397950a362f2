//! Roles: `muniment_owner` owns and migrates, `muniment_app` may append and read events and no more, `muniment_analyst` may
//! read the projections (design §6).

use sqlx::{Executor, PgConnection};

/// The role that owns everything.
pub(super) const OWNER: &str = "muniment_owner";
/// The role that the server's connections take.
pub(super) const APPLICATION: &str = "muniment_app";
const ANALYST: &str = "muniment_analyst";

/// How the log is kept from being changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separation {
    /// The application's role may only append and read events; triggers refuse everybody else.
    Roles,
    /// The database user may not create roles: only the triggers stand in the way.
    TriggersOnly,
}

/// What each role may do beside the tables of the projections.
const GRANTS: &str = "
    GRANT USAGE ON SCHEMA journal, work, evidence TO muniment_app;
    GRANT SELECT, INSERT ON journal.events TO muniment_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON journal.claims TO muniment_app;
    GRANT SELECT ON journal.schema_version TO muniment_app;
    GRANT SELECT, UPDATE ON journal.append_lock TO muniment_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA work TO muniment_app;
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA evidence TO muniment_app;
";

/// What each role may do with tables of projections, in the schema where they are made.
pub(super) fn grants_on(schema: &str) -> String {
    format!(
        "GRANT USAGE ON SCHEMA {schema} TO {APPLICATION}, {ANALYST};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {APPLICATION};
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {ANALYST};"
    )
}

/// Creates the roles where they are missing and lets this user take them.
pub(super) async fn ensure(connection: &mut PgConnection) -> sqlx::Result<Separation> {
    for role in [OWNER, APPLICATION, ANALYST] {
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
    let allow = format!(
        "DO $$ BEGIN
             IF NOT pg_has_role(current_user, '{OWNER}', 'MEMBER') THEN GRANT {OWNER} TO CURRENT_USER; END IF;
             IF NOT pg_has_role(current_user, '{APPLICATION}', 'MEMBER') THEN GRANT {APPLICATION} TO CURRENT_USER; END IF;
             EXECUTE format('GRANT CREATE ON DATABASE %I TO {OWNER}', current_database());
             GRANT USAGE, CREATE ON SCHEMA public TO {OWNER};
         END $$"
    );
    match connection.execute(allow.as_str()).await {
        Ok(_) => separation(connection).await,
        Err(error) if is_denied(&error) => Ok(Separation::TriggersOnly),
        Err(error) => Err(error),
    }
}

/// Gives the roles their rights on what the migrations made.
pub(super) async fn grant(connection: &mut PgConnection) -> sqlx::Result<()> {
    connection.execute(GRANTS).await?;
    connection.execute(grants_on(projections::rebuild::LIVE).as_str()).await?;
    Ok(())
}

/// Can this user become owner and application, and may the owner create schemas in this database?
pub(super) async fn separation(connection: &mut PgConnection) -> sqlx::Result<Separation> {
    let is_separate: bool = sqlx::query_scalar(
        "SELECT count(*) = 2 FROM pg_roles AS r
         WHERE r.rolname IN ($1, $2) AND pg_has_role(current_user, r.oid, 'MEMBER')
             AND (r.rolname <> $1 OR has_database_privilege(r.oid, current_database(), 'CREATE'))",
    )
    .bind(OWNER)
    .bind(APPLICATION)
    .fetch_one(connection)
    .await?;
    Ok(if is_separate { Separation::Roles } else { Separation::TriggersOnly })
}

fn is_denied(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42501"))
}
