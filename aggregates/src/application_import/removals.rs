use serde::{Deserialize, Serialize};

use super::{KindMetrics, Metrics};

/// Populations below this have no limit (rulings 18).
const SMALL: u64 = 20;

/// What an import would take away, when that is more than its application allows (rulings 18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removals {
    /// People of a source of identities.
    pub identities: Share,
    /// People as any other application knows them.
    #[serde(default, skip_serializing_if = "Share::is_of_nothing")]
    pub accounts: Share,
    /// Who may do what.
    pub grants: Share,
    /// The application's limit, in percent of either.
    pub limit: u8,
    /// SHA-256 of everything that would be removed, hex: whoever accepts it accepts just that.
    pub difference: String,
}

/// A part of what is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Would be removed.
    pub removed: u64,
    /// Of so many that are known.
    pub of: u64,
}

impl Share {
    fn of(kind: KindMetrics) -> Self {
        Self { removed: kind.removed, of: kind.changed + kind.removed + kind.unchanged }
    }

    const fn is_of_nothing(&self) -> bool {
        self.of == 0
    }

    /// Is this more than `limit` percent?
    fn exceeds(self, limit: u8) -> bool {
        self.of >= SMALL && self.removed * 100 > u64::from(limit) * self.of
    }
}

impl Removals {
    /// The removals of a plan that breaks the limit; `None` when it doesn't.
    pub fn beyond(limit: u8, metrics: &Metrics, difference: impl FnOnce() -> String) -> Option<Self> {
        let shares = [metrics.identities, metrics.accounts, metrics.grants].map(Share::of);
        let [identities, accounts, grants] = shares;
        let exceeds = shares.iter().any(|share| share.exceeds(limit));
        exceeds.then(|| Self { identities, accounts, grants, limit, difference: difference() })
    }

    /// The sentence for an import's log.
    pub fn describe(&self) -> String {
        let parts: Vec<String> =
            [("identities", self.identities), ("accounts", self.accounts), ("grants", self.grants)]
                .into_iter()
                .filter(|(_, share)| share.exceeds(self.limit))
                .map(|(noun, share)| {
                    let percent = share.removed as f64 * 100.0 / share.of as f64;
                    format!("{} of {} {noun} ({percent:.1} %)", share.removed, share.of)
                })
                .collect();
        format!("The import would remove {}; the application's limit is {} %", parts.join(" and "), self.limit)
    }
}
