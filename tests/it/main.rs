//! The integration tests: one binary that mirrors the API, against real PostgreSQL and real HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod application_imports;
mod applications;
mod architecture;
mod errors;
mod events;
mod idempotency;
mod identities;
mod openapi;
mod private_postgres;
mod support;
mod tokens;
mod uploads;
