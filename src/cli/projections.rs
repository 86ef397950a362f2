//! `muniment migrate` and `muniment projections`.

use std::cell::Cell;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Place;
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

/// A progress bar on a terminal, a line every few seconds elsewhere; nothing for short work.
pub struct Bar {
    what: &'static str,
    inner: ProgressBar,
    is_terminal: bool,
    told: Cell<Instant>,
}

impl Bar {
    pub fn new(what: &'static str) -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = ProgressBar::with_draw_target(
            Some(0),
            if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { what, inner: bar, is_terminal, told: Cell::new(Instant::now()) }
    }

    pub fn at(&self, position: i64, head: i64) {
        self.inner.set_length(head.unsigned_abs());
        self.inner.set_position(position.unsigned_abs());
        if !self.is_terminal && self.told.get().elapsed() > Duration::from_secs(5) {
            self.told.set(Instant::now());
            eprintln!("{}: {position} of {head}", self.what);
        }
    }

    pub fn done(&self) {
        self.inner.finish_and_clear();
    }
}
