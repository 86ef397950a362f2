//! How much of everything there is, and how applications share it.

use anyhow::ensure;

/// How large a company is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub people: u32,
    pub applications: u32,
    /// Of all applications, as are entitlements and grants.
    pub accounts: u32,
    pub entitlements: u32,
    pub grants: u64,
}

/// What one application has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub accounts: u32,
    pub entitlements: u32,
    pub grants: u64,
}

impl Size {
    /// The sizes of the applications: the first has about twice as much as the average, the last almost nothing.
    pub fn shares(&self) -> anyhow::Result<Vec<Share>> {
        let applications = self.applications;
        for (option, found) in [("accounts", self.accounts), ("entitlements", self.entitlements)] {
            ensure!(
                found >= applications,
                "--{option} {found}: {applications} applications have at least one each, so {applications} or more are allowed"
            );
        }
        let (accounts, entitlements) = (self.split(self.accounts), self.split(self.entitlements));
        let room: Vec<u64> = accounts.iter().zip(&entitlements).map(|(accounts, rights)| accounts * rights).collect();
        let most = self.room();
        ensure!(
            self.grants <= most,
            "--grants {}: {} accounts × {} entitlements in {applications} applications have room for {most} at most",
            self.grants,
            self.accounts,
            self.entitlements
        );
        let mut grants = apportion(self.grants, &accounts);
        let mut rest = 0;
        for (grants, room) in grants.iter_mut().zip(&room) {
            rest += grants.saturating_sub(*room);
            *grants = (*grants).min(*room);
        }
        for (grants, room) in grants.iter_mut().zip(&room) {
            let more = rest.min(room - *grants);
            *grants += more;
            rest -= more;
        }
        let shares = accounts.into_iter().zip(entitlements).zip(grants);
        Ok(shares
            .map(|((accounts, entitlements), grants)| Share {
                accounts: accounts as u32,
                entitlements: entitlements as u32,
                grants,
            })
            .collect())
    }

    /// How many grants there can be: each account of an application with each of its entitlements.
    pub fn room(&self) -> u64 {
        let both = self.split(self.accounts).into_iter().zip(self.split(self.entitlements));
        both.map(|(accounts, entitlements)| accounts * entitlements).sum()
    }

    /// At least one for each application, and more for those that come first.
    fn split(&self, total: u32) -> Vec<u64> {
        let weights: Vec<u64> = (1..=u64::from(self.applications)).rev().collect();
        let more = apportion(u64::from(total.saturating_sub(self.applications)), &weights);
        more.into_iter().map(|more| more + 1).collect()
    }
}

/// Splits a total by weights, exactly: each part is its share, rounded up or down.
pub fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let all: u64 = weights.iter().sum::<u64>().max(1);
    let mut weight = 0;
    let mut given = 0;
    let parts = weights.iter().map(|own| {
        weight += own;
        let until = (u128::from(total) * u128::from(weight) / u128::from(all)) as u64;
        let part = until - given;
        given = until;
        part
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_none_is_larger_than_its_room() {
        for (applications, accounts, entitlements, grants) in [
            (1, 1, 1, 1),
            (5, 3000, 500, 24_000),
            (7, 7, 7, 7),
            (4, 10, 40, 107),
            (3, 4, 4, 6),
            (1000, 1000, 1000, 999),
        ] {
            let size = Size { people: 1, applications, accounts, entitlements, grants };
            let shares = size.shares().unwrap();
            assert_eq!(shares.len() as u32, applications);
            assert_eq!(shares.iter().map(|share| share.accounts).sum::<u32>(), accounts);
            assert_eq!(shares.iter().map(|share| share.entitlements).sum::<u32>(), entitlements);
            assert_eq!(shares.iter().map(|share| share.grants).sum::<u64>(), grants);
            for share in shares {
                assert!(share.accounts > 0 && share.entitlements > 0, "{share:?}");
                assert!(share.grants <= u64::from(share.accounts) * u64::from(share.entitlements), "{share:?}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_does() {
        let size = Size { people: 1, applications: 2, accounts: 4, entitlements: 4, grants: 100 };
        let error = size.shares().unwrap_err().to_string();
        assert!(
            error.starts_with("--grants 100: 4 accounts × 4 entitlements in 2 applications have room for "),
            "{error}"
        );
        let error = Size { accounts: 1, ..size }.shares().unwrap_err().to_string();
        assert_eq!(error, "--accounts 1: 2 applications have at least one each, so 2 or more are allowed");
    }
}
