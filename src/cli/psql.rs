//! `muniment psql`: the database in psql.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::process::Command;

use super::Place;
use super::open::Open;
use crate::postgres::DATABASE;

pub async fn run(place: &Place, arguments: &[String]) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| {
        let mut psql = match (&open.private, &place.database_url) {
            (Some(private), _) => {
                let mut psql = Command::new(private.bin_dir().join("psql"));
                psql.arg("--host").arg(private.socket_dir()).args(["--username", "postgres", "--dbname", DATABASE]);
                psql
            }
            (None, url) => {
                let mut psql = Command::new("psql");
                psql.args(url);
                psql
            }
        };
        // Ctrl-C is psql's while it runs.
        let _ignored = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        let status =
            psql.env("PGOPTIONS", "-c search_path=read,journal,work,evidence,public").args(arguments).status().await;
        let status = status.context("psql can't be run; install the PostgreSQL client")?;
        Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
    })
    .await
}
