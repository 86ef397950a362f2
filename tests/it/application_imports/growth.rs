//! Feeds that grow: what was planned while the tables were small must not be done when they are large.

use std::fmt::Write;

use muniment::app::Config;
use muniment::database::Database;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::support::bodies::{application, group};
use crate::support::{TestServer, cluster, eventually};

/// People, as many accounts, and grants of `HELD` entitlements each; what each account holds last goes with `last`.
fn feeds(people: usize, last: &str) -> [String; 3] {
    let mut identities = "key,email\n".to_owned();
    let mut accounts = "key,email\n".to_owned();
    let mut grants = "account,entitlement\n".to_owned();
    for person in 0..people {
        writeln!(identities, "p{person},p{person}@bank.example").unwrap();
        writeln!(accounts, "a{person},p{person}@bank.example").unwrap();
        for held in 1..HELD {
            writeln!(grants, "a{person},e{}", person % 7 + held).unwrap();
        }
        writeln!(grants, "a{person},{last}").unwrap();
    }
    [identities, accounts, grants]
}

const HELD: usize = 5;

/// Rows and entries of indexes that PostgreSQL read in a database. Sessions tell it when they end, so all of them do.
async fn read(options: &PgConnectOptions) -> i64 {
    let mut connection = options.connect().await.unwrap();
    eventually("no other session is left", async || {
        let left: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        (left == 0).then_some(())
    })
    .await;
    sqlx::query_scalar(
        "SELECT ((SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
                 + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes))::bigint",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn what_was_planned_for_tiny_tables_is_not_done_with_large_ones() {
    let options = cluster::options().await;
    let server = TestServer::start_with(Database::reach(options.clone()).await.unwrap(), Config::default()).await;
    let directory = server.create(application("Directory", &[group("identities", &["key", "email"])])).await;
    let groups = [group("accounts", &["key", "email"]), group("grants", &["account", "entitlement"])];
    let payments = server.create(application("Payments", &groups)).await;
    let import = async |people: usize, last: &str| {
        let [identities, accounts, grants] = feeds(people, last);
        let ended = server.import(&directory, "identities", &identities).await;
        assert_eq!(ended["status"], "Finished", "{ended}");
        let ended = server.import_all(&payments, &[("accounts", &accounts), ("grants", &grants)]).await;
        assert_eq!(ended["status"], "Finished", "{ended}");
    };
    // So often that each connection has planned all that imports ask.
    for last in ["x", "y"].repeat(8) {
        import(2, last).await;
    }
    for last in ["x", "y", "x"] {
        import(PEOPLE, last).await;
    }
    server.stop().await;
    let (read, rows) = (read(&options).await, (3 * PEOPLE * (2 + HELD)) as i64);
    assert!(read < 50 * rows, "{read} rows were read for {rows} rows imported");
}

/// Its square is a hundred times what may be read.
const PEOPLE: usize = 4000;
