//! Accounts: from their own file, or, in an application without one, from the grants that name them (rulings 17).

use std::collections::{HashMap, HashSet};

use aggregates::account::{AccountEvent, AccountRecord, Owner, observe, observe_correlation};
use aggregates::application::Content;
use aggregates::difference::{Known, difference};
use aggregates::ids;
use projections::accounts::{AccountRow, known};
use uuid::Uuid;

use super::{AccountChange, Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::correlator::Correlator;
use crate::imports::delivered::{Delivered, Keyed};
use crate::imports::issues::{Issues, Problem};

/// What later steps need to know of the accounts.
pub(super) struct Accounts {
    /// Every account of the application that is or was there: id → key.
    pub(super) keys: HashMap<Uuid, String>,
    /// Accounts that this import removes: their access ends with them.
    pub(super) removed: HashSet<Uuid>,
}

pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    plan: &mut Plan,
    correlator: &Correlator,
    issues: &mut Issues,
) -> Result<Accounts, Fault> {
    let has_group = planning.definition.delivers(Content::Accounts);
    if delivered.accounts.is_none() && delivered.grants.is_none() {
        return Ok(Accounts { keys: HashMap::new(), removed: HashSet::new() });
    }
    let known: HashMap<String, AccountRow> = planning
        .block_on(known(planning.pool, planning.application))?
        .into_iter()
        .map(|row| (row.key.clone(), row))
        .collect();
    let file = match delivered.accounts.take() {
        Some(file) => Some(file),
        None if has_group => None,
        None => delivered.grants.as_ref().map(from_grants),
    };
    let mut present: HashSet<&str> =
        known.values().filter(|row| row.validity.valid_to.is_none()).map(|row| row.key.as_str()).collect();
    let mut removed = HashSet::new();
    if let Some(file) = &file {
        let (mut records, missing) = (Vec::with_capacity(file.records.len()), present.clone());
        for (key, (record, row)) in &file.records {
            records.push((*row, key, record));
            present.insert(key);
        }
        records.sort_unstable_by_key(|(row, ..)| *row);
        for (_, key, record) in records {
            let key: &str = key;
            // A rule that many people share a value of may take its time.
            if (planning.is_interrupted)() {
                return Err(Fault::Interrupted);
            }
            let before = before(known.get(key));
            plan.metrics.accounts.count(difference(before_ref(before.as_ref()), Some(record)));
            let event =
                observe(before_ref(before.as_ref()), planning.import, planning.application, key, Some(record.clone()));
            let correlated =
                correlation(planning, key, record, known.get(key), correlator, &mut plan.metrics.uncorrelated_accounts);
            if event.is_some() || correlated.is_some() {
                plan.accounts.push((
                    plan.account_keys.number(key),
                    AccountChange { event: event.map(Box::new), correlated: correlated.map(Box::new) },
                ));
            }
        }
        let mut missing: Vec<&str> = missing.into_iter().filter(|key| !file.records.contains_key(*key)).collect();
        missing.sort_unstable();
        for key in missing {
            let Some(row) = known.get(key) else { continue };
            if file.removes(key) {
                let before = before(Some(row));
                plan.metrics.accounts.count(difference(before_ref(before.as_ref()), None));
                let event = observe(before_ref(before.as_ref()), planning.import, planning.application, key, None);
                plan.accounts.push((
                    plan.account_keys.number(key),
                    AccountChange { event: event.map(Box::new), correlated: None },
                ));
                removed.insert(row.id);
                present.remove(key);
            } else {
                plan.metrics.accounts.count(None);
                plan.metrics.uncorrelated_accounts += u64::from(row.identity_id.is_none());
            }
        }
        if has_group {
            remark_unreadable(&mut plan.remarks, &file.file, file.unreadable);
        }
    } else {
        let rows = known.values().filter(|row| row.validity.valid_to.is_none());
        plan.metrics.uncorrelated_accounts = rows.filter(|row| row.identity_id.is_none()).count() as u64;
    }
    if has_group {
        refuse_unknown(planning, delivered, &present, issues)?;
    }
    let keys = known.values().map(|row| (row.id, row.key.clone()));
    let new = file.iter().flat_map(|file| file.records.keys());
    let keys = keys.chain(new.map(|key| (ids::account(planning.application, key), key.clone()))).collect();
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
fn from_grants(grants: &crate::imports::delivered::DeliveredGrants) -> Keyed<String, AccountRecord> {
    let mut file = Keyed::new(grants.keyed.file_group_id, &grants.keyed.file);
    file.unreadable = grants.keyed.unreadable;
    for ((account, _), (_, row)) in &grants.keyed.records {
        let key = &grants.accounts.texts[*account as usize];
        let first = file.records.entry(key.clone()).or_insert_with(|| (AccountRecord::default(), *row));
        first.1 = first.1.min(*row);
    }
    file.protected =
        grants.keyed.protected.iter().map(|(account, _)| grants.accounts.texts[*account as usize].clone()).collect();
    file
}

/// Grants of accounts that nobody knows are issues and left out (rulings 17).
fn refuse_unknown(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    present: &HashSet<&str>,
    issues: &mut Issues,
) -> Result<(), Fault> {
    let Some(grants) = &mut delivered.grants else { return Ok(()) };
    let group = planning.definition.group_of(Content::Grants).next();
    let column = group.and_then(|group| group.columns.get("account")?.names().first().cloned());
    let unknown: HashSet<u32> = (0_u32..)
        .zip(&grants.accounts.texts)
        .filter(|(_, key)| !present.contains(key.as_str()))
        .map(|(number, _)| number)
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<((u32, u32), u32)> = grants
        .keyed
        .records
        .iter()
        .filter(|((account, _), _)| unknown.contains(account))
        .map(|(pair, (_, row))| (*pair, *row))
        .collect();
    rows.sort_unstable_by_key(|(_, row)| *row);
    for (pair, row) in rows {
        grants.keyed.records.remove(&pair);
        let key = &grants.accounts.texts[pair.0 as usize];
        let problem = Problem {
            column: column.clone(),
            value: Some(key.clone()),
            code: "unknown_account",
            message: format!("The account {key:?} is in no accounts file"),
            allowed: None,
        };
        grants.keyed.reject(Some(vec![pair]), row, vec![problem], issues)?;
    }
    Ok(())
}
