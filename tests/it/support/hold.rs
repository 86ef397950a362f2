//! A table that nobody else can use, to stop others exactly where they need it.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};

/// A table, held until released or dropped.
pub struct Hold {
    connection: PgConnection,
    table: String,
}

impl Hold {
    /// Takes it, as another process would: from those who write it (`EXCLUSIVE`), or from those who read it, too (`ACCESS EXCLUSIVE`).
    pub async fn take(mut connection: PgConnection, table: &str, mode: &str) -> Self {
        connection.execute(format!("BEGIN; LOCK TABLE {table} IN {mode} MODE").as_str()).await.unwrap();
        Self { connection, table: table.to_owned() }
    }

    /// Waits until somebody waits for it, for a minute at most.
    pub async fn wanted(&mut self) {
        for _ in 0..12_000 {
            let is_wanted: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            )
            .bind(&self.table)
            .fetch_one(&mut self.connection)
            .await
            .unwrap();
            if is_wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody wanted {} within a minute", self.table);
    }

    /// Lets the others go on.
    pub async fn release(self) {
        self.connection.close().await.unwrap();
    }
}
