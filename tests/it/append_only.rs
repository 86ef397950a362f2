//! Who may change what in the database: the log nobody, the tables only the server.

use muniment::app::Config;
use muniment::database::{Database, Separation};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

use crate::support::bodies::grants_only;
use crate::support::journal::{Log, new};
use crate::support::{TestServer, cluster};

const CHANGES: [&str; 4] = [
    "UPDATE journal.events SET payload = payload",
    "UPDATE journal.events SET position = position WHERE false",
    "DELETE FROM journal.events",
    "TRUNCATE journal.events",
];

async fn refused(connection: &mut PgConnection, statement: &str) -> String {
    let error = connection.execute(statement).await.expect_err(statement);
    let error = error.as_database_error().unwrap();
    assert_eq!(error.code().as_deref(), Some("42501"), "{statement}: {error}");
    error.message().to_owned()
}

#[tokio::test]
async fn nobody_changes_the_log() {
    let options = cluster::options().await;
    let log = Log::on(Database::reach(options.clone()).await.unwrap());
    assert_eq!(log.database.separation, Separation::Roles);
    log.append(new(1)).await.unwrap();
    let mut superuser = options.connect().await.unwrap();
    let mut owner = log.database.connect_owner().await.unwrap();
    let mut application = log.database.application().connect().await.unwrap();
    for change in CHANGES {
        for connection in [&mut superuser, &mut owner] {
            let message = refused(connection, change).await;
            assert!(message.contains("append-only"), "{change}: {message}");
        }
        let message = refused(&mut application, change).await;
        assert!(message.contains("permission denied"), "{change}: {message}");
    }
    for change in [
        "UPDATE journal.schema_version SET migration = 0",
        "ALTER TABLE journal.events DISABLE TRIGGER append_only",
        "DROP TABLE journal.events",
        "CREATE TABLE journal.mine ()",
        "CREATE TABLE read.mine ()",
        "DELETE FROM evidence.blobs",
        "UPDATE evidence.blobs SET bytes = bytes",
    ] {
        refused(&mut application, change).await;
    }
    assert_eq!(log.assert_sound().await, 1);
}

#[tokio::test]
async fn an_analyst_reads_the_tables_and_nothing_else() {
    let options = cluster::options().await;
    let mut analyst = options.connect().await.unwrap();
    let tables =
        |schemas: &str| format!("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ({schemas})");
    let read: Vec<String> = sqlx::query_scalar(&tables("'read'")).fetch_all(&mut analyst).await.unwrap();
    let others: Vec<String> =
        sqlx::query_scalar(&tables("'journal', 'work', 'evidence'")).fetch_all(&mut analyst).await.unwrap();
    assert!(read.len() > 8 && others.len() > 6, "{read:?} {others:?}");
    analyst.execute("SET SESSION AUTHORIZATION muniment_analyst").await.unwrap();
    for table in &read {
        analyst.execute(format!("SELECT * FROM {table}").as_str()).await.unwrap();
        for change in ["DELETE FROM", "TRUNCATE", "INSERT INTO", "DROP TABLE"] {
            let rest = if change == "INSERT INTO" { " DEFAULT VALUES" } else { "" };
            refused(&mut analyst, &format!("{change} {table}{rest}")).await;
        }
    }
    for table in &others {
        refused(&mut analyst, &format!("SELECT FROM {table}")).await;
    }
    refused(&mut analyst, "CREATE TABLE read.mine ()").await;
    refused(&mut analyst, "CREATE SCHEMA mine").await;
    refused(&mut analyst, "SET ROLE muniment_app").await;
}

/// A database that belongs to a user who may log in and no more.
async fn of_a_plain_user() -> PgConnectOptions {
    let options = cluster::empty().await;
    let name = options.get_database().unwrap();
    let mut superuser = options.connect().await.unwrap();
    let make = "DO $$ BEGIN CREATE ROLE muniment_test_plain LOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    superuser.execute(make).await.unwrap();
    superuser.execute(format!("ALTER DATABASE {name} OWNER TO muniment_test_plain").as_str()).await.unwrap();
    superuser.close().await.unwrap();
    options.username("muniment_test_plain")
}

#[tokio::test]
async fn a_user_who_may_not_create_roles_has_the_triggers_only() {
    let options = of_a_plain_user().await;
    let mut database = Database::reach(options.clone()).await.unwrap();
    database.migrate(|_, _| ()).await.unwrap();
    assert_eq!(database.separation, Separation::TriggersOnly);
    database.migrate(|_, _| ()).await.unwrap();
    let server = TestServer::start_with(database.clone(), Config::default()).await;
    let application = server.client.post("/api/applications", grants_only("Payroll")).await.json;
    let import = server.import(&application, "grants", "user,permission\nann,read\n").await;
    assert_eq!(import["status"], "Finished");
    database.rebuild(|_, _| ()).await.unwrap();
    let import = server.import(&application, "grants", "user,permission\nann,write\n").await;
    assert_eq!(import["metrics"]["grants"]["removed"], 1);
    server.assert_verified_in(&[3]).await;
    let mut plain = options.connect().await.unwrap();
    for change in CHANGES {
        assert!(refused(&mut plain, change).await.contains("append-only"));
    }
    server.stop().await;
}
