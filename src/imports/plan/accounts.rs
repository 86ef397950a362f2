//! Accounts: from their own file, or, in an application without one, from the grants that name them (rulings 17).

use std::collections::{HashMap, HashSet};

use aggregates::account::{AccountEvent, AccountRecord, Owner, observe_correlation};
use aggregates::application::Content;
use aggregates::difference::{Known, difference};
use projections::accounts::KnownAccount;
use smallvec::smallvec;
use uuid::Uuid;

use super::{AccountChange, Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::correlator::Correlator;
use crate::imports::delivered::{Delivered, DeliveredGrants, Keyed};
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
    rows: Vec<KnownAccount>,
    plan: &mut Plan,
    correlator: &Correlator,
    issues: &mut Issues,
) -> Result<Accounts, Fault> {
    let has_group = planning.definition.delivers(Content::Accounts);
    if delivered.accounts.is_none() && delivered.grants.is_none() {
        return Ok(Accounts::default());
    }
    let current = || rows.iter().filter(|row| row.is_present);
    let nothing = AccountRecord::default();
    let file = delivered.accounts.take();
    let said = match (&file, &delivered.grants) {
        (Some(file), _) => Some(Said::File(file)),
        (None, Some(grants)) if !has_group => Some(Said::of_grants(grants)),
        _ => None,
    };
    let mut removed = HashSet::new();
    if let Some(said) = &said {
        let Compared { named, mut missing } = said.compare(&rows);
        for Named { key, record, known: row, .. } in named {
            // A rule that many people share a value of may take its time.
            if (planning.is_interrupted)() {
                return Err(Fault::Interrupted);
            }
            let happens = difference(before(row, &nothing), Some(record));
            plan.metrics.accounts.count(happens);
            let correlated =
                correlation(planning, key, record, row, correlator, &mut plan.metrics.uncorrelated_accounts);
            if happens.is_some() || correlated.is_some() {
                let says_more = happens.is_some() && *record != AccountRecord::default();
                let change = AccountChange {
                    happens,
                    record: says_more.then(|| Box::new(record.clone())),
                    correlated: correlated.map(Box::new),
                };
                plan.accounts.push((plan.account_keys.number(key), change));
            }
        }
        missing.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        for row in missing {
            if said.removes(&row.key) {
                let happens = difference(before(Some(row), &nothing), None);
                plan.metrics.accounts.count(happens);
                plan.accounts
                    .push((plan.account_keys.number(&row.key), AccountChange { happens, ..AccountChange::default() }));
                removed.insert(row.id);
            } else {
                plan.metrics.accounts.count(None);
                plan.metrics.uncorrelated_accounts += u64::from(row.owner.is_none());
            }
        }
        if has_group && let Some(file) = &file {
            remark_unreadable(&mut plan.remarks, &file.listing.file, file.listing.unreadable);
        }
    } else {
        plan.metrics.uncorrelated_accounts = current().filter(|row| row.owner.is_none()).count() as u64;
    }
    if has_group {
        let known = by_key(&rows);
        let is_present = |key: &str| {
            file.as_ref().is_some_and(|file| file.records.contains_key(key))
                || known.get(key).is_some_and(|row| row.is_present && !removed.contains(&row.id))
        };
        refuse_unknown(planning, delivered, is_present, issues)?;
    }
    let keys = rows.into_iter().map(|row| (row.id, row.key)).collect();
    Ok(Accounts { keys, removed })
}

fn by_key(rows: &[KnownAccount]) -> HashMap<&str, &KnownAccount> {
    rows.iter().map(|row| (row.key.as_str(), row)).collect()
}

/// What is known of an account: its record, which may be `nothing`, and whether it is there.
fn before<'a>(row: Option<&'a KnownAccount>, nothing: &'a AccountRecord) -> Known<'a, AccountRecord> {
    let Some(KnownAccount { is_present, record, .. }) = row else { return Known::Never };
    let record = record.as_deref().unwrap_or(nothing);
    if *is_present { Known::Present(record) } else { Known::Removed(record) }
}

/// An account that is there.
struct Named<'a> {
    /// The first row that names it.
    row: u32,
    key: &'a str,
    record: &'a AccountRecord,
    known: Option<&'a KnownAccount>,
}

/// What is said, and what is known.
struct Compared<'a> {
    /// In the file's order.
    named: Vec<Named<'a>>,
    /// There, and not named.
    missing: Vec<&'a KnownAccount>,
}

/// What says which accounts there are.
enum Said<'a> {
    /// A file of accounts.
    File(&'a Keyed<AccountRecord>),
    /// In an application without one an account is there as long as a grant names it.
    Grants {
        grants: &'a DeliveredGrants,
        /// By number of the account: the first row that names it.
        first: Vec<Option<u32>>,
        /// Accounts of rows that were left out.
        protected: HashSet<u32>,
        /// What is said of each: that it is there.
        record: Box<AccountRecord>,
    },
}

impl<'a> Said<'a> {
    fn of_grants(grants: &'a DeliveredGrants) -> Self {
        let mut first = vec![None; grants.accounts.count()];
        for (number, rows) in grants.said.accounts() {
            first[number as usize] = rows.iter().map(|row| row.row).min();
        }
        let protected = grants.said.listing.protected.iter().map(|(account, _)| *account).collect();
        Self::Grants { grants, first, protected, record: Box::default() }
    }

    /// Holds it against what is known.
    fn compare<'b>(&'b self, rows: &'b [KnownAccount]) -> Compared<'b> {
        let (mut named, mut missing) = (Vec::new(), Vec::new());
        match self {
            Self::File(file) => {
                let known = by_key(rows);
                named.extend(file.records.iter().map(|(key, (record, row))| {
                    let known = known.get(key.as_str()).copied();
                    Named { row: *row, key, record, known }
                }));
                missing.extend(rows.iter().filter(|row| !file.records.contains_key(&row.key)));
            }
            Self::Grants { grants, first, record, .. } => {
                // By number: each key is looked up once.
                let mut known = vec![None; first.len()];
                for row in rows {
                    match grants.accounts.find(&row.key).map(|number| number as usize) {
                        Some(number) if first[number].is_some() => known[number] = Some(row),
                        _ => missing.push(row),
                    }
                }
                named.extend((0..).zip(first.iter().zip(known)).filter_map(|(number, (row, known))| {
                    Some(Named { row: (*row)?, key: grants.accounts.text(number), record, known })
                }));
            }
        }
        named.sort_unstable_by_key(|named| named.row);
        missing.retain(|row| row.is_present);
        Compared { named, missing }
    }

    /// May an account that it doesn't name be removed?
    fn removes(&self, key: &str) -> bool {
        match self {
            Self::File(file) => file.listing.removes(key),
            Self::Grants { grants, protected, .. } => {
                grants.said.listing.unreadable.is_none()
                    && grants.accounts.find(key).is_none_or(|number| !protected.contains(&number))
            }
        }
    }
}

/// The event that says whose the account is, if that changes. Also counts the accounts that are nobody's. An account that was
/// linked by hand is left alone.
fn correlation(
    planning: &Planning<'_>,
    key: &str,
    record: &AccountRecord,
    known: Option<&KnownAccount>,
    correlator: &Correlator,
    uncorrelated: &mut u64,
) -> Option<AccountEvent> {
    let owner = known.and_then(|known| known.owner.as_ref());
    if matches!(owner, Some(Owner::Assigned { .. })) {
        return None;
    }
    let found = correlator.find(key, record);
    *uncorrelated += u64::from(found.is_none());
    observe_correlation(owner, planning.import, found)
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
    let numbers = 0..grants.accounts.count() as u32;
    let unknown: HashSet<u32> = numbers.filter(|number| !is_present(grants.accounts.text(*number))).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    for row in grants.said.leave_out(|account| unknown.contains(&account)) {
        let key = grants.accounts.text(row.account);
        let problem = Problem {
            column: column.clone(),
            value: Some(key.to_owned()),
            code: "unknown_account",
            message: format!("The account {key:?} is in no accounts file"),
            allowed: None,
        };
        grants.said.reject(Some(smallvec![(row.account, row.entitlement)]), row.row, vec![problem], issues)?;
    }
    Ok(())
}
