//! Access: delivered grants against current ones, both in the order of account and entitlement ids, side by side.

use std::collections::{HashMap, HashSet};

use aggregates::ids;
use projections::entitlements::known;
use projections::grants::{HeldGrant, current};
use uuid::Uuid;

use super::accounts::Accounts;
use super::{AccessChange, Operation, Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::delivered::{Delivered, DeliveredGrants, Pair};

/// Current grants that are read at once.
const PAGE: i64 = 20_000;

/// A delivered grant, ready to be compared: 40 bytes.
struct Row {
    key: (Uuid, Uuid),
    pair: Pair,
    attributes: u32,
}

/// Which entitlements are named by a grant once the import is applied; `None` = nobody looked, none changes.
pub(super) type Named = Option<HashSet<Uuid>>;

pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
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
    let rows = delivered.grants.as_mut().map(|grants| sorted(planning, grants)).unwrap_or_default();
    let grants = delivered.grants.as_ref();
    let mut comparison =
        Comparison { plan, accounts, entitlement_keys, grants, named: rows.iter().map(|row| row.key.1).collect() };
    let mut rows = rows.into_iter().peekable();
    // The next page is read while this one is compared.
    let page_after = |after: (Uuid, Uuid)| {
        let (pool, application) = (planning.pool.clone(), planning.application);
        planning.handle.spawn(async move { current(&pool, application, after, PAGE).await })
    };
    let mut next = Some(page_after((Uuid::nil(), Uuid::nil())));
    while let Some(reading) = next {
        let page = planning.block_on(async { reading.await.map_err(|_| sqlx::Error::WorkerCrashed)? })?;
        let is_full = page.len() as i64 == PAGE;
        next = page.last().filter(|_| is_full).map(|held| page_after((held.account_id, held.entitlement_id)));
        for held in &page {
            let key = (held.account_id, held.entitlement_id);
            while let Some(row) = rows.next_if(|row| row.key < key) {
                comparison.granted(&row);
            }
            match rows.next_if(|row| row.key == key) {
                Some(row) => comparison.both(&row, held),
                None => comparison.missing(held),
            }
        }
    }
    for row in rows {
        comparison.granted(&row);
    }
    let named = comparison.named;
    if let Some(grants) = grants {
        remark_unreadable(&mut plan.remarks, &grants.keyed.file, grants.keyed.unreadable);
    }
    Ok(Some(named))
}

/// Takes the delivered grants out: there may be a million.
fn sorted(planning: &Planning<'_>, grants: &mut DeliveredGrants) -> Vec<Row> {
    let ids = |keys: &[String], id: fn(Uuid, &str) -> Uuid| -> Vec<Uuid> {
        keys.iter().map(|key| id(planning.application, key)).collect()
    };
    let accounts = ids(&grants.accounts.texts, ids::account);
    let entitlements = ids(&grants.entitlements.texts, ids::entitlement);
    let mut rows: Vec<Row> = std::mem::take(&mut grants.keyed.records)
        .into_iter()
        .map(|(pair, (attributes, _))| Row {
            key: (accounts[pair.0 as usize], entitlements[pair.1 as usize]),
            pair,
            attributes,
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.key);
    rows
}

struct Comparison<'a> {
    plan: &'a mut Plan,
    accounts: &'a Accounts,
    entitlement_keys: HashMap<Uuid, String>,
    grants: Option<&'a DeliveredGrants>,
    named: HashSet<Uuid>,
}

impl Comparison<'_> {
    /// Delivered and not held.
    fn granted(&mut self, row: &Row) {
        self.plan.metrics.grants.added += 1;
        self.change(row, Operation::Grant);
    }

    /// Delivered and held.
    fn both(&mut self, row: &Row, held: &HeldGrant) {
        let delivered = self.grants.map(|grants| &grants.attributes.sets[row.attributes as usize]);
        let is_same = match (&held.attributes, delivered) {
            (None, Some(delivered)) => delivered.is_empty(),
            (Some(held), Some(delivered)) => held.0 == *delivered,
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
    fn missing(&mut self, held: &HeldGrant) {
        let (Some(account), Some(entitlement)) = (
            self.accounts.keys.get(&held.account_id).cloned(),
            self.entitlement_keys.get(&held.entitlement_id).cloned(),
        ) else {
            // The account was not looked at, so neither accounts nor grants were delivered.
            self.keep(held);
            return;
        };
        let is_revoked = self.accounts.removed.contains(&held.account_id)
            || self.grants.is_some_and(|grants| {
                let pair = grants.accounts.find(&account).zip(grants.entitlements.find(&entitlement));
                grants.keyed.unreadable.is_none() && pair.is_none_or(|pair| !grants.keyed.protected.contains(&pair))
            });
        if !is_revoked {
            self.keep(held);
            return;
        }
        self.plan.metrics.grants.removed += 1;
        self.plan.access.push(AccessChange {
            account: self.plan.account_keys.number(&account),
            entitlement: self.plan.entitlement_keys.number(&entitlement),
            attributes: 0,
            operation: Operation::Revoke,
        });
    }

    fn keep(&mut self, held: &HeldGrant) {
        self.plan.metrics.grants.unchanged += 1;
        self.named.insert(held.entitlement_id);
    }

    fn change(&mut self, row: &Row, operation: Operation) {
        let Some(grants) = self.grants else { return };
        let attributes = self.plan.attributes.number(grants.attributes.sets[row.attributes as usize].clone());
        self.plan.access.push(AccessChange {
            account: self.plan.account_keys.number(&grants.accounts.texts[row.pair.0 as usize]),
            entitlement: self.plan.entitlement_keys.number(&grants.entitlements.texts[row.pair.1 as usize]),
            attributes,
            operation,
        });
    }
}
