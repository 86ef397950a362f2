//! Access: what was delivered against what is held, account by account in the order of ids, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use aggregates::account::Attributes;
use aggregates::ids;
use projections::entitlements::known;
use projections::grants::HeldAccess;
use uuid::Uuid;

use super::accounts::Accounts;
use super::ahead::Ahead;
use super::{AccessChange, Operation, Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::delivered::{Delivered, DeliveredGrants};

/// Which entitlements are named by a grant once the import is applied; `None` = nobody looked, none changes.
pub(super) type Named = Option<HashSet<Uuid>>;

pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    ahead: &mut Ahead,
    plan: &mut Plan,
    accounts: &Accounts,
) -> Result<Named, Fault> {
    if delivered.grants.is_none() && accounts.removed.is_empty() && delivered.entitlements.is_none() {
        return Ok(None);
    }
    let entitlement_keys: HashMap<Uuid, String> = planning
        .block_on(known(planning.pool, planning.application))?
        .into_iter()
        .map(|row| (row.id, row.key))
        .collect();
    let sorted = delivered.grants.as_mut().map(|grants| Sorted::of(planning.application, grants)).unwrap_or_default();
    let named = sorted.named();
    let grants = delivered.grants.as_ref();
    let mut comparison = Comparison { plan, accounts, entitlement_keys, grants, sorted: &sorted, named };
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
        remark_unreadable(&mut plan.remarks, &grants.keyed.file, grants.keyed.unreadable);
    }
    Ok(Some(named))
}

/// Delivered grants in the order of ids: 8 bytes each.
#[derive(Default)]
struct Sorted {
    /// Those that hold anything, ascending.
    accounts: Vec<Account>,
    rows: Vec<Row>,
    /// By number.
    entitlements: Vec<Uuid>,
}

struct Account {
    id: Uuid,
    number: u32,
    /// In `Sorted::rows`, ascending by the entitlement's id.
    rows: Range<usize>,
}

/// Numbers of an entitlement and of a set of attributes.
#[derive(Clone, Copy, Default)]
struct Row {
    entitlement: u32,
    attributes: u32,
}

impl Sorted {
    /// Takes the delivered grants out: there may be a million.
    fn of(application: Uuid, grants: &mut DeliveredGrants) -> Self {
        let records = std::mem::take(&mut grants.keyed.records);
        let entitlements: Vec<Uuid> =
            grants.entitlements.texts.iter().map(|key| ids::entitlement(application, key)).collect();
        // How many each account has says where its rows are; there is no need to sort a million.
        let mut ends = vec![0; grants.accounts.texts.len()];
        for (account, _) in records.keys() {
            ends[*account as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            (total, *end) = (total + *end, total);
        }
        let mut rows = vec![Row::default(); total];
        for ((account, entitlement), (attributes, _)) in records {
            let end = &mut ends[account as usize];
            rows[*end] = Row { entitlement, attributes };
            *end += 1;
        }
        let mut accounts = Vec::with_capacity(ends.len());
        let mut start = 0;
        for ((number, key), end) in (0_u32..).zip(&grants.accounts.texts).zip(ends) {
            if start < end {
                rows[start..end].sort_unstable_by_key(|row| entitlements[row.entitlement as usize]);
                accounts.push(Account { id: ids::account(application, key), number, rows: start..end });
            }
            start = end;
        }
        accounts.sort_unstable_by_key(|account| account.id);
        Self { accounts, rows, entitlements }
    }

    fn named(&self) -> HashSet<Uuid> {
        let mut is_named = vec![false; self.entitlements.len()];
        for row in &self.rows {
            is_named[row.entitlement as usize] = true;
        }
        self.entitlements.iter().zip(is_named).filter(|(_, is_named)| *is_named).map(|(id, _)| *id).collect()
    }
}

struct Comparison<'a> {
    plan: &'a mut Plan,
    accounts: &'a Accounts,
    entitlement_keys: HashMap<Uuid, String>,
    grants: Option<&'a DeliveredGrants>,
    sorted: &'a Sorted,
    named: HashSet<Uuid>,
}

impl Comparison<'_> {
    /// What was delivered of an account against what it holds.
    fn of_account(&mut self, account: Option<&Account>, held: Option<&HeldAccess>) {
        let sorted = self.sorted;
        let rows = account.map(|account| &sorted.rows[account.rows.clone()]).unwrap_or_default();
        let number = account.map(|account| account.number).unwrap_or_default();
        let mut rows = rows.iter().peekable();
        let id = |row: &Row| sorted.entitlements[row.entitlement as usize];
        if let Some(held) = held {
            for entitlement in &held.entitlements {
                while let Some(row) = rows.next_if(|row| id(row) < *entitlement) {
                    self.granted(number, *row);
                }
                match rows.next_if(|row| id(row) == *entitlement) {
                    Some(row) => {
                        let attributes = held.attributes.as_ref().and_then(|attributes| attributes.get(entitlement));
                        self.both(number, *row, attributes);
                    }
                    None => self.missing(held.account_id, *entitlement),
                }
            }
        }
        for row in rows {
            self.granted(number, *row);
        }
    }

    /// Delivered and not held.
    fn granted(&mut self, account: u32, row: Row) {
        self.plan.metrics.grants.added += 1;
        self.change(account, row, Operation::Grant);
    }

    /// Delivered and held, with these attributes.
    fn both(&mut self, account: u32, row: Row, held: Option<&BTreeMap<String, String>>) {
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
            self.change(account, row, Operation::Change);
        }
    }

    /// Held and not delivered: revoked, unless nobody may say so.
    fn missing(&mut self, account_id: Uuid, entitlement_id: Uuid) {
        let (Some(account), Some(entitlement)) =
            (self.accounts.key(account_id), self.entitlement_keys.get(&entitlement_id))
        else {
            // The account was not looked at, so neither accounts nor grants were delivered.
            self.keep(entitlement_id);
            return;
        };
        let is_revoked = self.accounts.removed.contains(&account_id)
            || self.grants.is_some_and(|grants| {
                let pair = grants.accounts.find(account).zip(grants.entitlements.find(entitlement));
                grants.keyed.unreadable.is_none() && pair.is_none_or(|pair| !grants.keyed.protected.contains(&pair))
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

    fn change(&mut self, account: u32, row: Row, operation: Operation) {
        let Some(grants) = self.grants else { return };
        let attributes: &Attributes = &grants.attributes.sets[row.attributes as usize];
        self.plan.access.push(AccessChange {
            account: self.plan.account_keys.number(&grants.accounts.texts[account as usize]),
            entitlement: self.plan.entitlement_keys.number(&grants.entitlements.texts[row.entitlement as usize]),
            attributes: self.plan.attributes.number(attributes.clone()),
            operation,
        });
    }
}
