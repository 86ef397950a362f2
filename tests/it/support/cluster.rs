//! One private PostgreSQL for all tests of a checkout, left running between processes; a database per test, copied from a
//! migrated template in some 60 ms.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use muniment::database::Database;
use muniment::postgres::PrivatePostgres;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

const SETTINGS: &[(&str, &str)] =
    &[("fsync", "off"), ("full_page_writes", "off"), ("shared_buffers", "128MB"), ("max_connections", "300")];

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Where the tests' PostgreSQL lives; `scripts/test` stops it at the end.
pub fn folder() -> PathBuf {
    match std::env::var_os("MUNIMENT_TEST_DIR") {
        Some(folder) => folder.into(),
        None => std::env::temp_dir().join(format!("muniment-tests-{}", &hash(env!("CARGO_MANIFEST_DIR"))[..8])),
    }
}

fn hash(text: &str) -> String {
    muniment::tokens::hex(&Sha256::digest(text))
}

/// A fresh database, migrated.
pub async fn database() -> Database {
    Database::reach(options().await).await.unwrap()
}

/// How to reach a fresh, migrated database as superuser.
pub async fn options() -> PgConnectOptions {
    let postgres = open().await;
    let template = template(&postgres).await;
    // Without a runtime of its own nothing of `postgres` outlives the test; PostgreSQL itself goes on.
    let name = format!("t_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = postgres.options("postgres").connect().await.unwrap();
    // Another test may be copying the template at this moment.
    locked(&mut connection, async |connection| {
        connection.execute(format!("CREATE DATABASE {name} TEMPLATE {template}").as_str()).await.unwrap();
    })
    .await;
    // Rights on a database are no part of a template; without this one nothing would run under its own role.
    connection.execute(format!("GRANT CREATE ON DATABASE {name} TO muniment_owner").as_str()).await.unwrap();
    connection.close().await.unwrap();
    let options = postgres.options(&name);
    std::mem::forget(postgres);
    options
}

/// An empty database, not migrated.
pub async fn empty() -> PgConnectOptions {
    let postgres = open().await;
    let name = format!("t_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = postgres.options("postgres").connect().await.unwrap();
    connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
    let options = postgres.options(&name);
    std::mem::forget(postgres);
    options
}

async fn open() -> PrivatePostgres {
    PrivatePostgres::open(&folder(), SETTINGS).await.unwrap()
}

async fn locked<T>(connection: &mut PgConnection, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
    connection.execute("SELECT pg_advisory_lock(4711)").await.unwrap();
    let result = work(connection).await;
    connection.execute("SELECT pg_advisory_unlock(4711)").await.unwrap();
    result
}

/// The template's name: it says which migrations and tables it holds, so a changed program makes a new one.
async fn template(postgres: &PrivatePostgres) -> &'static str {
    static NAME: OnceCell<String> = OnceCell::const_new();
    NAME.get_or_init(|| async {
        let mut text = format!("{:?}", muniment::database::expected_version());
        for projection in projections::ALL {
            text.push_str(projection.tables);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            text.push_str(&std::fs::read_to_string(file).unwrap());
        }
        let name = format!("template_{}", &hash(&text)[..16]);
        let mut connection = postgres.options("postgres").connect().await.unwrap();
        locked(&mut connection, async |connection| {
            remove_left_over(connection).await;
            let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(&name)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            if exists {
                return;
            }
            connection.execute("DROP DATABASE IF EXISTS template_making").await.unwrap();
            connection.execute("CREATE DATABASE template_making").await.unwrap();
            let mut database = Database::reach(postgres.options("template_making")).await.unwrap();
            database.migrate(|_, _| ()).await.unwrap();
            connection.execute(format!("ALTER DATABASE template_making RENAME TO {name}").as_str()).await.unwrap();
        })
        .await;
        connection.close().await.unwrap();
        name
    })
    .await
}

/// Databases of test processes that are gone.
async fn remove_left_over(connection: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 't\\_%'")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    for name in names {
        let pid = name.split('_').nth(1).unwrap_or_default();
        if !std::path::Path::new("/proc").join(pid).exists() {
            connection.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str()).await.unwrap();
        }
    }
}
