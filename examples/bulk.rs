//! The journal's own bulk rate, for `scripts/bench reviews`: events of new streams that no table follows from, a slice at a time.

use std::sync::Arc;
use std::time::Instant;

use aggregates::automation_run::{AutomationRun, AutomationRunEvent};
use aggregates::{Actor, DomainEvent};
use clap::Parser;
use futures_util::{StreamExt, TryStreamExt, stream};
use muniment::clock::{Clock, SystemClock};
use muniment::database::Database;
use muniment::journal::{Append, Context, Expected, Journal, StreamEvents, StreamId};

/// Events of a slice, as many as rows of a block.
const SLICE: u64 = 500;
/// Slices on their way, as runs have them.
const IN_FLIGHT: usize = 3;

/// Append events; prints how many a second.
#[derive(Parser)]
struct Args {
    #[arg(long)]
    database_url: String,
    #[arg(long, default_value_t = 200_000)]
    events: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let database = Database::reach(args.database_url.parse()?).await?;
    let clock: Arc<SystemClock> = Arc::new(SystemClock);
    let (journal, _writer) = Journal::start(database.pool(4), database.application(), clock.clone());
    let context = Context::of(Actor::system("bench"), clock.id().simple().to_string());
    let started = Instant::now();
    stream::iter(0..args.events.div_ceil(SLICE))
        .map(|_| {
            let streams = (0..SLICE).map(|_| stream_of(&*clock)).collect();
            let (take, release) = (Vec::new(), Vec::new());
            journal.append_bulk(Append { streams, guards: Vec::new(), take, release, context: context.clone() })
        })
        .buffered(IN_FLIGHT)
        .map_ok(drop)
        .try_collect::<()>()
        .await?;
    println!("{:.0}", args.events as f64 / started.elapsed().as_secs_f64());
    Ok(())
}

/// An event about as long as a decision about a row.
fn stream_of(clock: &dyn Clock) -> StreamEvents {
    let event = AutomationRunEvent::AutomationRunClaimed { worker: "x".repeat(200) };
    StreamEvents {
        stream: StreamId::of::<AutomationRun>(&clock.id()),
        expected: Expected::New,
        events: vec![DomainEvent::from(event)],
    }
}
