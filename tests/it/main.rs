//! The integration tests: one binary that mirrors the API, against real PostgreSQL and real HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod acceptance;
mod applications;
mod private_postgres;
mod support;
