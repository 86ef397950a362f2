//! `muniment api`: the switch of the API (seed 001, rulings 6).

use std::process::ExitCode;

use aggregates::settings::{self, Settings, SettingsCommand};
use clap::Subcommand;

use super::Place;
use super::open::Open;

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Answer requests
    Enable,
    /// Refuse requests with 403
    Disable,
}

pub async fn run(place: &Place, command: Command) -> anyhow::Result<ExitCode> {
    let (asked, word) = match command {
        Command::Enable => (SettingsCommand::EnableApi, "on"),
        Command::Disable => (SettingsCommand::DisableApi, "off"),
    };
    Open::with(place, async |open| {
        open.write(async |desk| {
            if projections::settings::api_enabled(&desk.pool).await?.is_none() {
                // Before the first start the API is on: that is an event of its own.
                desk.journal
                    .execute::<Settings>(settings::ID, SettingsCommand::EnableApi, None, desk.context())
                    .await?;
            }
            let executed = desk.journal.execute::<Settings>(settings::ID, asked, None, desk.context()).await?;
            println!("the API is {word}{}", if executed.appended.is_some() { "" } else { ", as it was" });
            Ok(())
        })
        .await
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
