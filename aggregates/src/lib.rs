//! The rules of access governance: commands in, events out.
//!
//! Nothing here reads a clock, makes an id, or touches a file, a socket or a database. Facts that a rule needs are looked
//! up first and put into the command. Each folder is one aggregate, whose name is its `aggregate_type` in the log; but for
//! [`filter`], the language in which reviews and their rules say which rows they mean, [`rule`], filters with a name that feeds
//! follow, [`transform`], the language in which a value is made of others, and [`webhook`], what a configuration object says of
//! events that leave.

pub mod access_request;
pub mod access_workflow;
pub mod account;
pub mod actor;
pub mod api_client;
pub mod api_token;
pub mod application;
pub mod application_import;
pub mod automation;
pub mod automation_run;
pub mod automation_run_rows;
pub mod ballot;
pub mod certification;
pub mod certification_row;
pub mod certification_rows;
#[cfg(test)]
mod chance;
pub mod config_job;
pub mod config_object;
pub mod difference;
pub mod entitlement;
pub mod event;
pub mod filter;
pub mod identity;
pub mod ids;
pub mod party;
pub mod personnel_event;
pub mod rule;
pub mod settings;
pub mod transform;
pub mod values;
pub mod violation;
pub mod webhook;

pub use actor::{Actor, ActorKind};
pub use event::{DomainEvent, Recorded};
pub use violation::{Refusal, Violation};

/// What the journal asks of every aggregate beyond `cqrs_es::Aggregate`.
pub trait Stream: cqrs_es::Aggregate<Error = Refusal, Services = (), Event: Into<DomainEvent>> {
    /// The uniqueness claims that this state holds: texts of which at most one stream may hold each.
    ///
    /// The journal compares the claims before and after a command, takes the new ones and gives up the old ones in the
    /// same append, so "two applications never share a name" is decided where events get their order.
    fn claims(&self) -> Vec<String> {
        Vec::new()
    }
}
