//! `muniment migrate` and `muniment projections`.

use std::process::ExitCode;

use clap::Subcommand;

use super::Place;
use super::bar::Bar;
use super::open::Open;

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Fill new tables from the log beside the live ones and swap them; commands go on meanwhile
    Rebuild,
    /// Rebuild into a scratch schema and compare with the live tables; fails when they differ
    Verify {
        /// Events folded at once; any number must give the same tables
        #[arg(long, default_value_t = 5000)]
        batch: i64,
    },
}

pub async fn migrate(place: &Place) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| {
        let bar = Bar::new("rebuilding the read tables");
        open.database.migrate(|position, head| bar.at(position, head)).await?;
        bar.done();
        println!("the database is at this program's version");
        Ok(ExitCode::SUCCESS)
    })
    .await
}

pub async fn run(place: &Place, command: Command) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| {
        open.database.require_current().await?;
        match command {
            Command::Rebuild => {
                let bar = Bar::new("rebuilding the read tables");
                let position = open.database.rebuild(|position, head| bar.at(position, head)).await?;
                bar.done();
                println!("rebuilt at position {position}");
                Ok(ExitCode::SUCCESS)
            }
            Command::Verify { batch } => verify(open, batch.max(1)).await,
        }
    })
    .await
}

async fn verify(open: &Open, batch: i64) -> anyhow::Result<ExitCode> {
    let bar = Bar::new("folding the log");
    let mut connection = open.database.connect_owner().await?;
    let found = projections::verify::verify(&mut connection, batch, |position, head| bar.at(position, head)).await?;
    bar.done();
    if found.differences.is_empty() {
        println!("no difference: {} tables equal the log at position {}", found.tables, found.position);
        return Ok(ExitCode::SUCCESS);
    }
    for difference in &found.differences {
        println!(
            "{}: {} rows missing, {} unexpected, for example {}",
            difference.table, difference.missing, difference.unexpected, difference.example
        );
    }
    println!(
        "{} of {} tables differ from the log at position {}",
        found.differences.len(),
        found.tables,
        found.position
    );
    Ok(ExitCode::FAILURE)
}
