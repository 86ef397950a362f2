//! The integration tests: one binary that mirrors the API, against real PostgreSQL and real HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod acceptance;
mod append_only;
mod applications;
mod command_line;
mod commit;
mod faults;
mod journal;
mod private_postgres;
mod projections;
mod stock;
mod support;
