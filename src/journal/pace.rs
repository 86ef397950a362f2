//! How much a slice of bulk work should hold: what the writer digests in about 10 ms, or 100 while nobody waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Journal;

/// Rows that the writer digests in a second, until it is known, and rather too few.
const SPEED: usize = 5_000;
/// Rows of a slice.
const FEWEST_ROWS: usize = 100;
const MOST_ROWS: usize = 20_000;
/// What a slice should cost the writer while people append as well, and while nobody does: each costs a commit, too.
const TARGET: Duration = Duration::from_millis(10);
const QUIET_TARGET: Duration = Duration::from_millis(100);
/// So long nobody must have appended.
const QUIET: Duration = Duration::from_secs(1);

/// The pace of one piece of bulk work. What counts as a row is that work's affair.
#[derive(Debug)]
pub struct Pace(AtomicUsize);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicUsize::new(SPEED))
    }
}

impl Pace {
    /// Rows that the next slice should hold.
    pub fn rows(&self, journal: &Journal) -> usize {
        let target = if journal.quiet_for() < QUIET { TARGET } else { QUIET_TARGET };
        let wanted = self.0.load(Ordering::Relaxed) as f64 * target.as_secs_f64();
        (wanted as usize).clamp(FEWEST_ROWS, MOST_ROWS)
    }

    /// Notes how long the writer worked on a slice: half way towards what was measured, so that one slow commit doesn't starve the work.
    pub fn measured(&self, rows: usize, took: Duration) {
        let known = self.0.load(Ordering::Relaxed);
        let measured = (rows as f64 / took.as_secs_f64().max(0.000_1)) as usize;
        self.0.store(usize::midpoint(known, measured.clamp(known / 4, known * 4)).max(1), Ordering::Relaxed);
    }
}
