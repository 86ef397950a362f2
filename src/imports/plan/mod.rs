//! The plan: the complete difference between what was delivered and what is known. Nothing is applied before it is whole.

mod access;
mod accounts;
mod ahead;
mod entitlements;
mod identities;

use std::collections::BTreeMap;

use aggregates::account::{AccountEvent, AccountRecord};
use aggregates::application::Definition;
use aggregates::application_import::Metrics;
use aggregates::difference::Change;
use aggregates::entitlement::EntitlementEvent;
use aggregates::identity::IdentityEvent;
use aggregates::rule::Correlation;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::Fault;
use super::delivered::{AttributeSets, Delivered, Interner};
use super::issues::Issues;
use crate::clock::SharedClock;

pub use ahead::Ahead;

/// What a plan needs to be made. Planning blocks: call it where blocking is allowed.
pub struct Planning<'a> {
    /// The import.
    pub import: Uuid,
    /// The application.
    pub application: Uuid,
    /// Its definition when the import was first claimed.
    pub definition: &'a Definition,
    /// The rules that its correlation names.
    pub correlation: BTreeMap<String, Correlation>,
    /// The tables.
    pub pool: &'a PgPool,
    /// Where database calls run.
    pub handle: &'a Handle,
    /// Ids of new identities.
    pub clock: &'a SharedClock,
    /// Asked now and then: shall we stop?
    pub is_interrupted: &'a dyn Fn() -> bool,
}

/// What happens to one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// New.
    Grant,
    /// Other attributes.
    Change,
    /// Gone.
    Revoke,
}

/// A change of one grant: 16 bytes, so that a million of them are 16 MB.
#[derive(Debug, Clone, Copy)]
pub struct AccessChange {
    /// Index into `Plan::account_keys`.
    pub account: u32,
    /// Index into `Plan::entitlement_keys`.
    pub entitlement: u32,
    /// Index into `Plan::attributes`.
    pub attributes: u32,
    /// What happens.
    pub operation: Operation,
}

/// What happens to one account beside its access: 24 bytes, and what few have is boxed.
#[derive(Debug, Default)]
pub struct AccountChange {
    /// Added, changed, back or removed; a removal comes after the revocation of its access.
    pub happens: Option<Change>,
    /// What its feed says of it; `None` = nothing but that it is there.
    pub record: Option<Box<AccountRecord>>,
    /// Whose it is, if that changes.
    pub correlated: Option<Box<AccountEvent>>,
}

// A million rows are a plan of some 22 MB where each account has ten.
const _: () = assert!(size_of::<AccessChange>() == 16 && size_of::<(u32, AccountChange)>() == 32);

/// The complete difference.
#[derive(Default)]
pub struct Plan {
    /// Identity → its event.
    pub identities: Vec<(Uuid, IdentityEvent)>,
    /// Entitlement → its event, removals last.
    pub entitlements: Vec<(Uuid, EntitlementEvent)>,
    /// Index into `account_keys` → what happens, ascending.
    pub accounts: Vec<(u32, AccountChange)>,
    /// In the order of accounts.
    pub access: Vec<AccessChange>,
    /// Keys of accounts that are named in the plan.
    pub account_keys: Interner,
    /// Keys of entitlements that are named in the plan.
    pub entitlement_keys: Interner,
    /// Attributes of grants.
    pub attributes: AttributeSets,
    /// What it amounts to.
    pub metrics: Metrics,
    /// For people: why something was not done.
    pub remarks: Vec<String>,
}

impl Plan {
    /// SHA-256, hex, of every person, account and grant that would be removed, in an order of their own.
    pub fn removals_sha256(&self) -> String {
        let people = self.identities.iter().filter(|(_, event)| matches!(event, IdentityEvent::IdentityRemoved { .. }));
        let mut people: Vec<Uuid> = people.map(|(id, _)| *id).collect();
        people.sort_unstable();
        let revoked = self.access.iter().filter(|change| change.operation == Operation::Revoke);
        let mut grants: Vec<(&str, &str)> = revoked
            .map(|change| (self.account_keys.text(change.account), self.entitlement_keys.text(change.entitlement)))
            .collect();
        grants.sort_unstable();
        let removed = self.accounts.iter().filter(|(_, change)| change.happens == Some(Change::Removed));
        let mut accounts: Vec<&str> = removed.map(|(number, _)| self.account_keys.text(*number)).collect();
        accounts.sort_unstable();
        let mut hash = Sha256::new();
        for id in people {
            hash.update(id);
        }
        hash.update((accounts.len() as u64).to_be_bytes());
        for key in
            accounts.into_iter().chain(grants.into_iter().flat_map(|(account, entitlement)| [account, entitlement]))
        {
            hash.update((key.len() as u64).to_be_bytes());
            hash.update(key);
        }
        crate::tokens::hex(&hash.finalize())
    }
}

impl Planning<'_> {
    /// Makes the plan. `ahead` was started when the files began to be read.
    pub fn plan(&self, mut delivered: Delivered, mut ahead: Ahead, issues: &mut Issues) -> Result<Plan, Fault> {
        let mut plan = Plan::default();
        plan.metrics.rows_read = delivered.rows_read;
        plan.metrics.duplicates = delivered.duplicates;
        plan.remarks = std::mem::take(&mut delivered.remarks);
        let correlator = identities::plan(self, &mut delivered, &mut plan, issues)?;
        if delivered.accounts.is_some() || delivered.entitlements.is_some() || delivered.grants.is_some() {
            let known = self.block_on(ahead.known())?;
            let accounts = accounts::plan(self, &mut delivered, known.accounts, &mut plan, &correlator, issues)?;
            let named = access::plan(self, &mut delivered, &mut ahead, &known.entitlements, &mut plan, &accounts)?;
            entitlements::plan(self, &mut delivered, &known.entitlements, &mut plan, &named);
        }
        issues.flush()?;
        plan.metrics.rows_rejected = issues.rows_rejected;
        plan.metrics.sum_up();
        Ok(plan)
    }

    fn block_on<T>(&self, future: impl Future<Output = sqlx::Result<T>>) -> Result<T, Fault> {
        if (self.is_interrupted)() {
            return Err(Fault::Interrupted);
        }
        Ok(self.handle.block_on(future)?)
    }
}

/// Why nothing that a file doesn't name is removed.
fn remark_unreadable(remarks: &mut Vec<String>, file: &str, row: Option<u32>) {
    if let Some(row) = row {
        remarks.push(format!("Nothing was removed because of {file}: the key of row {row} can't be read"));
    }
}
