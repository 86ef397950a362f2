use serde::{Deserialize, Serialize};

use crate::difference::Change;

/// What an import did (rulings 19).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Data rows in all files.
    pub rows_read: u64,
    /// Rows with a fault, not applied.
    pub rows_rejected: u64,
    /// Rows that repeat another one exactly; they count once.
    pub duplicates: u64,
    /// People.
    pub identities: KindMetrics,
    /// Log-ins.
    pub accounts: KindMetrics,
    /// What may be granted.
    pub entitlements: KindMetrics,
    /// Who may do what.
    pub grants: KindMetrics,
    /// Current accounts of the application that belong to no identity.
    pub uncorrelated_accounts: u64,
    /// Added, changed and removed of every kind, in percent of what was known before or is new; two decimals.
    pub change_percent: f64,
}

/// Of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindMetrics {
    /// First seen, or back again.
    pub added: u64,
    /// With another record.
    pub changed: u64,
    /// Named no more.
    pub removed: u64,
    /// As before.
    pub unchanged: u64,
}

impl KindMetrics {
    /// Counts one change; `None` = unchanged.
    pub fn count(&mut self, change: Option<Change>) {
        match change {
            Some(Change::Added | Change::Returned) => self.added += 1,
            Some(Change::Changed) => self.changed += 1,
            Some(Change::Removed) => self.removed += 1,
            None => self.unchanged += 1,
        }
    }

    fn touched(self) -> u64 {
        self.added + self.changed + self.removed
    }
}

impl Metrics {
    /// Sets `change_percent` from the counts.
    pub fn sum_up(&mut self) {
        let kinds = [self.identities, self.accounts, self.entitlements, self.grants];
        let touched: u64 = kinds.iter().map(|kind| kind.touched()).sum();
        let all: u64 = kinds.iter().map(|kind| kind.touched() + kind.unchanged).sum();
        self.change_percent = if all == 0 { 0.0 } else { (touched as f64 * 10_000.0 / all as f64).round() / 100.0 };
    }
}
