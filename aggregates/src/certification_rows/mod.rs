//! The rows of a certification as reviewers see them: recorded once, 500 to an event, each block a stream of its own, so that
//! what was decided on is evidence and no query repeated later (design §3).

mod record;
#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use record::{Destination, Row, Source, SourceIdentity};

use crate::ids;

/// The stream type.
pub const TYPE: &str = "certification_rows";

/// Rows of a block.
pub const BLOCK: u32 = 500;

crate::event::events! {
    /// What happens to a block of rows.
    CertificationRowsEvent {
        /// It was recorded. Accounts, entitlements and groups of reviewers are named once: a row refers to them by number, those of
        /// `sources` and `destinations` counted over the whole certification, in the order in which rows came to need them.
        CertificationRowsRecorded("1.0") {
            certification_id: Uuid,
            /// 0, 1, 2, ...; its first row is this times 500.
            block: u32,
            first_source: u32,
            sources: Vec<Source>,
            first_destination: u32,
            destinations: Vec<Destination>,
            /// Rows refer to these by their place here.
            reviewers: Vec<Vec<Uuid>>,
            rows: Vec<Row>,
        }
    }
}

/// The stream of a block.
pub fn stream(certification: Uuid, block: u32) -> Uuid {
    ids::part(certification, TYPE, block)
}
