//! Muniment: an event-sourced access-governance server. `docs/ARCHITECTURE.md` is the map.

pub mod clock;
pub mod database;
pub mod journal;
pub mod postgres;
