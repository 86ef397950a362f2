//! A clock that stands still and ids that count, so that a response is a whole snapshot.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use muniment::clock::Clock;
use uuid::{Builder, Uuid};

/// Stands still until it is moved.
pub struct TestClock {
    now: Mutex<DateTime<Utc>>,
    ids: AtomicU64,
}

impl TestClock {
    /// 2026-03-15 12:00 UTC.
    pub fn new() -> Arc<Self> {
        let now = DateTime::parse_from_rfc3339("2026-03-15T12:00:00Z").unwrap().with_timezone(&Utc);
        Arc::new(Self { now: Mutex::new(now), ids: AtomicU64::new(1) })
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        *self.now.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    /// Ids (version 7) of one millisecond, counting.
    fn id(&self) -> Uuid {
        let count = self.ids.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 10];
        random[2..].copy_from_slice(&count.to_be_bytes());
        Builder::from_unix_timestamp_millis(1_773_576_000_000, &random).into_uuid()
    }
}
