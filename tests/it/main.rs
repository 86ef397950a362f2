//! The integration tests: one binary that mirrors the API, against real PostgreSQL and real HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod acceptance;
mod access_requests;
mod access_workflows;
mod accounts;
mod append_only;
mod application_imports;
mod applications;
mod architecture;
mod automation_runs;
mod automations;
mod certifications;
mod command_line;
mod commit;
mod dialects;
mod errors;
mod events;
mod faults;
mod filters;
mod formats;
mod idempotency;
mod identities;
mod journal;
mod known;
mod openapi;
mod personnel_events;
mod private_postgres;
mod projections;
mod review_faults;
mod sample;
mod schedules;
mod settings;
mod stock;
mod support;
mod tokens;
mod uploads;
