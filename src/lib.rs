//! Muniment: an event-sourced access-governance server. `docs/ARCHITECTURE.md` is the map.

pub mod app;
pub mod batched;
pub mod cli;
pub mod clock;
pub mod configuration;
pub mod database;
pub mod http;
pub mod imports;
pub mod journal;
pub mod jwt;
pub mod people;
pub mod postgres;
pub mod reviews;
pub mod sample;
pub mod server;
pub mod signing_keys;
pub mod tokens;
pub mod webhooks;
pub mod work;
