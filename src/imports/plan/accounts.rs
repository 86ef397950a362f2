//! Accounts: from their own file, or, in an application without one, from the grants that name them (rulings 17).

use std::collections::{HashMap, HashSet};

use aggregates::account::{AccountEvent, AccountRecord, Owner, observe, observe_correlation};
use aggregates::application::Content;
use aggregates::difference::{Known, difference};
use projections::accounts::AccountRow;
use smallvec::smallvec;
use uuid::Uuid;

use super::ahead::Ahead;
use super::{AccountChange, Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::correlator::Correlator;
use crate::imports::delivered::{Delivered, DeliveredGrants, GrantRow, Keyed};
use crate::imports::issues::{Issues, Problem};

/// What later steps need to know of the accounts.
#[derive(Default)]
pub(super) struct Accounts {
    /// Every account of the application that is or was there: id → key.
    keys: HashMap<Uuid, String>,
    /// Accounts that this import removes: their access ends with them.
    pub(super) removed: HashSet<Uuid>,
}

impl Accounts {
    /// The key of an account that is or was there.
    pub(super) fn key(&self, id: Uuid) -> Option<&str> {
        self.keys.get(&id).map(String::as_str)
    }
}

pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    ahead: &mut Ahead,
    plan: &mut Plan,
    correlator: &Correlator,
    issues: &mut Issues,
) -> Result<Accounts, Fault> {
    let has_group = planning.definition.delivers(Content::Accounts);
    if delivered.accounts.is_none() && delivered.grants.is_none() {
        return Ok(Accounts::default());
    }
    let rows = planning.block_on(ahead.accounts())?;
    let known: HashMap<&str, &AccountRow> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
    let current = || rows.iter().filter(|row| row.validity.valid_to.is_none());
    let file = match delivered.accounts.take() {
        Some(file) => Some(file),
        None if has_group => None,
        None => delivered.grants.as_ref().map(from_grants),
    };
    let mut removed = HashSet::new();
    if let Some(file) = &file {
        let mut records: Vec<_> =
            file.records.iter().map(|(key, (record, row))| (*row, key.as_str(), record)).collect();
        records.sort_unstable_by_key(|(row, ..)| *row);
        for (_, key, record) in records {
            // A rule that many people share a value of may take its time.
            if (planning.is_interrupted)() {
                return Err(Fault::Interrupted);
            }
            let row = known.get(key).copied();
            let before = before(row);
            plan.metrics.accounts.count(difference(before_ref(before.as_ref()), Some(record)));
            let event =
                observe(before_ref(before.as_ref()), planning.import, planning.application, key, Some(record.clone()));
            let correlated =
                correlation(planning, key, record, row, correlator, &mut plan.metrics.uncorrelated_accounts);
            if event.is_some() || correlated.is_some() {
                plan.accounts.push((
                    plan.account_keys.number(key),
                    AccountChange { event: event.map(Box::new), correlated: correlated.map(Box::new) },
                ));
            }
        }
        let mut missing: Vec<&AccountRow> = current().filter(|row| !file.records.contains_key(&row.key)).collect();
        missing.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        for row in missing {
            if file.listing.removes(row.key.as_str()) {
                let before = before(Some(row));
                plan.metrics.accounts.count(difference(before_ref(before.as_ref()), None));
                let event = observe(before_ref(before.as_ref()), planning.import, planning.application, &row.key, None);
                plan.accounts.push((
                    plan.account_keys.number(&row.key),
                    AccountChange { event: event.map(Box::new), correlated: None },
                ));
                removed.insert(row.id);
            } else {
                plan.metrics.accounts.count(None);
                plan.metrics.uncorrelated_accounts += u64::from(row.identity_id.is_none());
            }
        }
        if has_group {
            remark_unreadable(&mut plan.remarks, &file.listing.file, file.listing.unreadable);
        }
    } else {
        plan.metrics.uncorrelated_accounts = current().filter(|row| row.identity_id.is_none()).count() as u64;
    }
    if has_group {
        let is_present = |key: &str| {
            file.as_ref().is_some_and(|file| file.records.contains_key(key))
                || known.get(key).is_some_and(|row| row.validity.valid_to.is_none() && !removed.contains(&row.id))
        };
        refuse_unknown(planning, delivered, is_present, issues)?;
    }
    let keys = rows.into_iter().map(|row| (row.id, row.key)).collect();
    Ok(Accounts { keys, removed })
}

/// What is known of an account: its record, and whether it is there.
fn before(row: Option<&AccountRow>) -> Option<(AccountRecord, bool)> {
    row.map(|row| (row.clone().record(), row.validity.valid_to.is_none()))
}

fn before_ref(before: Option<&(AccountRecord, bool)>) -> Known<'_, AccountRecord> {
    match before {
        None => Known::Never,
        Some((record, true)) => Known::Present(record),
        Some((record, false)) => Known::Removed(record),
    }
}

/// The event that says whose the account is, if that changes. Also counts the accounts that are nobody's. An account that was
/// linked by hand is left alone.
fn correlation(
    planning: &Planning<'_>,
    key: &str,
    record: &AccountRecord,
    known: Option<&AccountRow>,
    correlator: &Correlator,
    uncorrelated: &mut u64,
) -> Option<AccountEvent> {
    let owner = known.and_then(AccountRow::owner);
    if matches!(owner, Some(Owner::Assigned { .. })) {
        return None;
    }
    let found = correlator.find(key, record);
    *uncorrelated += u64::from(found.is_none());
    observe_correlation(owner.as_ref(), planning.import, found)
}

/// In an application without an accounts file an account is there as long as a grant names it.
fn from_grants(grants: &DeliveredGrants) -> Keyed<AccountRecord> {
    let listing = &grants.said.listing;
    let mut file = Keyed::new(listing.file_group_id, &listing.file);
    let key = |number: u32| grants.accounts.texts[number as usize].clone();
    let first = |rows: &[GrantRow]| rows.iter().map(|row| row.row).min().unwrap_or_default();
    let named = grants.said.accounts();
    file.records = named.map(|(number, rows)| (key(number), (AccountRecord::default(), first(rows)))).collect();
    file.listing.unreadable = listing.unreadable;
    file.listing.protected = listing.protected.iter().map(|(account, _)| key(*account)).collect();
    file
}

/// Grants of accounts that nobody knows are issues and left out (rulings 17).
fn refuse_unknown(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    is_present: impl Fn(&str) -> bool,
    issues: &mut Issues,
) -> Result<(), Fault> {
    let Some(grants) = &mut delivered.grants else { return Ok(()) };
    let group = planning.definition.group_of(Content::Grants).next();
    let column = group.and_then(|group| group.columns.get("account")?.names().first().cloned());
    let unknown: HashSet<u32> =
        (0_u32..).zip(&grants.accounts.texts).filter(|(_, key)| !is_present(key)).map(|(number, _)| number).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    for row in grants.said.leave_out(|account| unknown.contains(&account)) {
        let key = &grants.accounts.texts[row.account as usize];
        let problem = Problem {
            column: column.clone(),
            value: Some(key.clone()),
            code: "unknown_account",
            message: format!("The account {key:?} is in no accounts file"),
            allowed: None,
        };
        grants.said.reject(Some(smallvec![(row.account, row.entitlement)]), row.row, vec![problem], issues)?;
    }
    Ok(())
}
