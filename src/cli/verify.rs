//! `muniment verify`: is the log what its writer wrote?

use std::process::ExitCode;

use super::Place;
use super::bar::Bar;
use super::open::Open;

pub async fn run(place: &Place) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| {
        open.database.require_current().await?;
        let pool = open.database.pool(1);
        let bar = Bar::new("checking the log");
        let found = crate::journal::check::check(&pool, |position, head| bar.at(position, head)).await?;
        bar.done();
        pool.close().await;
        if found.faults.is_empty() {
            println!("{} events: positions and sequences are dense, every leaf hash is right", found.events);
            return Ok(ExitCode::SUCCESS);
        }
        for fault in &found.faults {
            println!("{fault}");
        }
        println!("{} faults in {} events", found.faults.len(), found.events);
        Ok(ExitCode::FAILURE)
    })
    .await
}
