//! Access: what was delivered against what is held, account by account in the order of ids, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use aggregates::account::Attributes;
use projections::entitlements::EntitlementRow;
use projections::grants::HeldAccess;
use uuid::Uuid;

use super::accounts::Accounts;
use super::ahead::Ahead;
use super::{AccessChange, Operation, Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::delivered::{Delivered, DeliveredGrants, GrantRow};

/// Which entitlements are named by a grant once the import is applied; `None` = nobody looked, none changes.
pub(super) type Named = Option<HashSet<Uuid>>;

pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    ahead: &mut Ahead,
    entitlements: &HashMap<Uuid, EntitlementRow>,
    plan: &mut Plan,
    accounts: &Accounts,
) -> Result<Named, Fault> {
    if delivered.grants.is_none() && accounts.removed.is_empty() && delivered.entitlements.is_none() {
        return Ok(None);
    }
    let sorted = delivered.grants.as_mut().map(Sorted::of).unwrap_or_default();
    // Of a first feed all of them; what isn't needed is never touched.
    plan.access.reserve(sorted.rows.len());
    let grants = delivered.grants.as_ref();
    let named = grants.map(|grants| sorted.named(grants)).unwrap_or_default();
    let numbers = vec![None; grants.map_or(0, |grants| grants.entitlements.count())];
    let mut comparison =
        Comparison { plan, accounts, entitlements, grants, sorted: &sorted, named, account: None, numbers };
    let mut delivered_accounts = sorted.accounts.iter().peekable();
    while let Some(page) = planning.block_on(ahead.access())? {
        for held in &page {
            while let Some(account) = delivered_accounts.next_if(|account| account.id < held.account_id) {
                comparison.of_account(Some(account), None);
            }
            let account = delivered_accounts.next_if(|account| account.id == held.account_id);
            comparison.of_account(account, Some(held));
        }
    }
    for account in delivered_accounts {
        comparison.of_account(Some(account), None);
    }
    let named = comparison.named;
    if let Some(grants) = grants {
        remark_unreadable(&mut plan.remarks, &grants.said.listing.file, grants.said.listing.unreadable);
    }
    Ok(Some(named))
}

/// Delivered grants in the order of ids.
#[derive(Default)]
struct Sorted {
    /// Those that hold anything, ascending.
    accounts: Vec<Account>,
    rows: Vec<GrantRow>,
}

struct Account {
    id: Uuid,
    /// In `Sorted::rows`, ascending by the entitlement's id.
    rows: Range<usize>,
}

impl Sorted {
    /// Takes the delivered grants out: there may be a million.
    fn of(grants: &mut DeliveredGrants) -> Self {
        let rows = grants.said.take();
        let mut accounts = Vec::with_capacity(grants.accounts.count());
        let mut start = 0;
        for rows in rows.chunk_by(|a, b| a.account == b.account) {
            let id = grants.account_ids[rows[0].account as usize];
            accounts.push(Account { id, rows: start..start + rows.len() });
            start += rows.len();
        }
        accounts.sort_unstable_by_key(|account| account.id);
        Self { accounts, rows }
    }

    fn named(&self, grants: &DeliveredGrants) -> HashSet<Uuid> {
        let mut is_named = vec![false; grants.entitlement_ids.len()];
        for row in &self.rows {
            is_named[row.entitlement as usize] = true;
        }
        grants.entitlement_ids.iter().zip(is_named).filter(|(_, is_named)| *is_named).map(|(id, _)| *id).collect()
    }
}

struct Comparison<'a> {
    plan: &'a mut Plan,
    accounts: &'a Accounts,
    entitlements: &'a HashMap<Uuid, EntitlementRow>,
    grants: Option<&'a DeliveredGrants>,
    sorted: &'a Sorted,
    named: HashSet<Uuid>,
    /// The account's number in the plan, if it is named there.
    account: Option<u32>,
    /// Numbers of entitlements in the plan, by those in the file.
    numbers: Vec<Option<u32>>,
}

impl Comparison<'_> {
    /// What was delivered of an account against what it holds.
    fn of_account(&mut self, account: Option<&Account>, held: Option<&HeldAccess>) {
        self.account = None;
        let sorted = self.sorted;
        let entitlements = self.grants.map(|grants| grants.entitlement_ids.as_slice()).unwrap_or_default();
        let rows = account.map(|account| &sorted.rows[account.rows.clone()]).unwrap_or_default();
        let mut rows = rows.iter().peekable();
        let id = |row: &GrantRow| entitlements[row.entitlement as usize];
        if let Some(held) = held {
            for entitlement in &held.entitlements {
                while let Some(row) = rows.next_if(|row| id(row) < *entitlement) {
                    self.granted(*row);
                }
                match rows.next_if(|row| id(row) == *entitlement) {
                    Some(row) => {
                        let attributes = held.attributes.as_ref().and_then(|attributes| attributes.get(entitlement));
                        self.both(*row, attributes);
                    }
                    None => self.missing(held.account_id, *entitlement),
                }
            }
        }
        for row in rows {
            self.granted(*row);
        }
    }

    /// Delivered and not held.
    fn granted(&mut self, row: GrantRow) {
        self.plan.metrics.grants.added += 1;
        self.change(row, Operation::Grant);
    }

    /// Delivered and held, with these attributes.
    fn both(&mut self, row: GrantRow, held: Option<&BTreeMap<String, String>>) {
        let delivered = self.grants.map(|grants| &grants.attributes.sets[row.attributes as usize]);
        let is_same = match (held, delivered) {
            (None, Some(delivered)) => delivered.is_empty(),
            (Some(held), Some(delivered)) => held == delivered,
            (_, None) => true,
        };
        if is_same {
            self.plan.metrics.grants.unchanged += 1;
        } else {
            self.plan.metrics.grants.changed += 1;
            self.change(row, Operation::Change);
        }
    }

    /// Held and not delivered: revoked, unless nobody may say so.
    fn missing(&mut self, account_id: Uuid, entitlement_id: Uuid) {
        let (Some(account), Some(entitlement)) =
            (self.accounts.key(account_id), self.entitlements.get(&entitlement_id).map(|row| &row.key))
        else {
            // The account was not looked at, so neither accounts nor grants were delivered.
            self.keep(entitlement_id);
            return;
        };
        let is_revoked = self.accounts.removed.contains(&account_id)
            || self.grants.is_some_and(|grants| {
                let pair = grants.accounts.find(account).zip(grants.entitlements.find(entitlement));
                grants.said.listing.unreadable.is_none()
                    && pair.is_none_or(|pair| !grants.said.listing.protected.contains(&pair))
            });
        if !is_revoked {
            self.keep(entitlement_id);
            return;
        }
        self.plan.metrics.grants.removed += 1;
        self.plan.access.push(AccessChange {
            account: self.plan.account_keys.number(account),
            entitlement: self.plan.entitlement_keys.number(entitlement),
            attributes: 0,
            operation: Operation::Revoke,
        });
    }

    fn keep(&mut self, entitlement_id: Uuid) {
        self.plan.metrics.grants.unchanged += 1;
        self.named.insert(entitlement_id);
    }

    fn change(&mut self, row: GrantRow, operation: Operation) {
        let Some(grants) = self.grants else { return };
        let attributes: &Attributes = &grants.attributes.sets[row.attributes as usize];
        let plan = &mut *self.plan;
        let (account, entitlement) = (&mut self.account, &mut self.numbers[row.entitlement as usize]);
        plan.access.push(AccessChange {
            account: *account.get_or_insert_with(|| plan.account_keys.number(grants.accounts.text(row.account))),
            entitlement: *entitlement
                .get_or_insert_with(|| plan.entitlement_keys.number(grants.entitlements.text(row.entitlement))),
            attributes: plan.attributes.number(attributes.clone()),
            operation,
        });
    }
}
