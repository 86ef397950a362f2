//! What isn't derived from events: leases, evidence taken, progress, issues and plans of imports, idempotency keys,
//! last-used times, signing keys.

pub mod evidence;
pub mod idempotency;
pub mod issues;
pub mod leases;
pub mod listeners;
pub mod planned_events;
pub mod progress;
pub mod signing_keys;
pub mod token_usage;
