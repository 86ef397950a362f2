//! Time and ids, injected so that a test's response is a whole snapshot.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Where times and ids come from.
pub trait Clock: Send + Sync + 'static {
    /// Now, UTC, in microseconds.
    fn now(&self) -> DateTime<Utc>;
    /// A new UUIDv7.
    fn id(&self) -> Uuid;
}

/// What everybody holds.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
