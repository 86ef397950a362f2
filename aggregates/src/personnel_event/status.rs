use serde::{Deserialize, Serialize};

/// Where a personnel event stands (contracts §1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "TRANSITIONS says it")]
pub enum Status {
    Pending,
    Scheduled,
    Open,
    Snoozed,
    Resolved,
    Completed,
    Canceled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Open, Self::Resolved, Self::Completed, Self::Canceled, Self::Scheduled, Self::Snoozed];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Scheduled => "Scheduled",
            Self::Open => "Open",
            Self::Snoozed => "Snoozed",
            Self::Resolved => "Resolved",
            Self::Completed => "Completed",
            Self::Canceled => "Canceled",
        }
    }

    /// Nothing more happens to it.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

/// Where an event begins.
pub const STARTS: [(Status, &str); 2] =
    [(Status::Scheduled, "for a later date"), (Status::Pending, "for today or before")];

/// Every way from one status to another. The diagram in docs/PEOPLE.md is drawn from it, and a test walks at random and meets
/// no other.
pub const TRANSITIONS: [(Status, Status, &str); 16] = [
    (Status::Scheduled, Status::Pending, "its date comes, not yet approved"),
    (Status::Scheduled, Status::Open, "its date comes, or its end date"),
    (Status::Scheduled, Status::Canceled, "canceled or rejected"),
    (Status::Pending, Status::Open, "approved by all responders"),
    (Status::Pending, Status::Scheduled, "rescheduled to a later date"),
    (Status::Pending, Status::Canceled, "canceled or rejected"),
    (Status::Open, Status::Scheduled, "waits for its end date, or is rescheduled"),
    (Status::Open, Status::Snoozed, "done, and the return is unknown"),
    (Status::Open, Status::Resolved, "all work is done"),
    (Status::Open, Status::Completed, "nothing to do, or verified at once"),
    (Status::Open, Status::Canceled, "canceled"),
    (Status::Snoozed, Status::Scheduled, "the return becomes known"),
    (Status::Snoozed, Status::Canceled, "canceled"),
    (Status::Resolved, Status::Open, "verification is rejected"),
    (Status::Resolved, Status::Completed, "imports or responders verify it"),
    (Status::Resolved, Status::Canceled, "canceled"),
];
