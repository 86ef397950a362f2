//! The read side: events to tables, and the queries on those tables.
//!
//! A projection is a declaration ([`Projection`]): its tables, and how a batch of events changes them. The same `apply` runs
//! inside the append transaction and in a rebuild, and gives the same tables for every split of the log into batches.
//! *Invariant:* nothing here issues a command, reads a clock, or draws a number at random.
//!
//! Tables are named without a schema: the connection's `search_path` says whether they are the live ones (`read`), the ones
//! being rebuilt (`read_next`) or those of a verification.

pub mod access_requests;
pub mod access_workflows;
pub mod accounts;
pub mod api_clients;
pub mod api_tokens;
pub mod application_imports;
pub mod applications;
pub mod automation_runs;
pub mod automations;
pub mod certifications;
pub mod config_jobs;
pub mod config_objects;
mod copied;
pub mod counts;
pub mod entitlements;
pub mod events;
pub mod filter;
pub mod grants;
pub mod identities;
pub mod page;
pub mod personnel_events;
pub mod rebuild;
pub mod settings;
mod statement;
pub mod verify;
mod versions;

use std::future::Future;
use std::pin::Pin;

use aggregates::Recorded;
use sqlx::PgConnection;

pub use copied::{Fields, copy};
pub use statement::Statement;

/// What `apply` returns.
pub type Applied<'a> = Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + 'a>>;

/// A set of tables that follow from the log.
pub struct Projection {
    /// The noun.
    pub name: &'static str,
    /// Raised whenever `tables` or `apply` change in meaning; `migrate` then rebuilds.
    pub version: u32,
    /// The types of the streams that it folds.
    pub aggregate_types: &'static [&'static str],
    /// Creates its tables in the first schema of the `search_path`, with a comment on each table and column.
    pub tables: &'static str,
    /// Folds a batch, given in position order. Events of other streams may be among them and are passed over.
    pub apply: Apply,
}

/// How a projection folds a batch.
pub enum Apply {
    /// By statements of its own, which may read what is there.
    Alone(for<'a> fn(&'a mut PgConnection, &'a [Recorded]) -> Applied<'a>),
    /// By parts of a statement that changes other tables as well: for what people wait for.
    Beside(fn(&mut Statement, &[Recorded]) -> sqlx::Result<()>),
}

/// Every projection, in the order in which their tables are made.
pub const ALL: &[Projection] = &[
    counts::PROJECTION,
    settings::PROJECTION,
    api_clients::PROJECTION,
    api_tokens::PROJECTION,
    applications::PROJECTION,
    application_imports::PROJECTION,
    identities::PROJECTION,
    entitlements::PROJECTION,
    accounts::PROJECTION,
    grants::PROJECTION,
    personnel_events::PROJECTION,
    access_requests::PROJECTION,
    access_workflows::PROJECTION,
    automations::PROJECTION,
    certifications::PROJECTION,
    automation_runs::PROJECTION,
    config_objects::PROJECTION,
    config_jobs::PROJECTION,
];

/// Folds a batch, given in position order, into every projection that it concerns.
///
/// `statement` holds what else is to be changed, and runs first; gives the value that is asked for beside.
pub async fn apply(
    connection: &mut PgConnection,
    batch: &[Recorded],
    mut statement: Statement,
    value: &str,
) -> sqlx::Result<String> {
    let concerned: Vec<&Projection> = ALL.iter().filter(|projection| projection.is_concerned(batch)).collect();
    for projection in &concerned {
        if let Apply::Beside(apply) = projection.apply {
            apply(&mut statement, batch)?;
        }
    }
    let value = statement.select(connection, value).await?;
    for projection in concerned {
        if let Apply::Alone(apply) = projection.apply {
            apply(connection, batch).await?;
        }
    }
    Ok(value)
}

impl Projection {
    fn is_concerned(&self, batch: &[Recorded]) -> bool {
        batch.iter().any(|event| self.aggregate_types.contains(&event.event.aggregate_type()))
    }
}

/// Names the tables that this program expects: changes whenever a projection does.
pub fn fingerprint() -> String {
    ALL.iter().map(|projection| format!("{}{}", projection.name, projection.version)).collect::<Vec<_>>().join(".")
}
