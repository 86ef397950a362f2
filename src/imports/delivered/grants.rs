//! Grants, of which there may be millions: they are put in order once all are read, which costs less than a place in a map for each.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;

use aggregates::ids;
use uuid::Uuid;

use super::{AttributeSets, Interner, Listing};
use crate::imports::issues::{Issues, Problem};
use crate::imports::mapping::{Few, Plain};
use crate::imports::reader::Batch;

/// A row has rarely fewer bytes than this.
const ROW_BYTES: u64 = 16;
/// Rows that room is taken for at most: 64 MB.
const MOST_ROOM: u64 = 1 << 22;

/// Account's and entitlement's number.
pub type Pair = (u32, u32);

/// What the grants file says.
#[derive(Debug)]
pub struct DeliveredGrants {
    /// Who may do what.
    pub said: GrantRows,
    /// Keys of accounts.
    pub accounts: Interner,
    /// Keys of entitlements.
    pub entitlements: Interner,
    /// Attributes.
    pub attributes: AttributeSets,
    /// Ids of accounts, by number, once finished.
    pub account_ids: Vec<Uuid>,
    /// Ids of entitlements, likewise.
    pub entitlement_ids: Vec<Uuid>,
}

impl DeliveredGrants {
    /// Nothing said yet, of a file of so many bytes.
    pub fn new(file_group_id: Uuid, file: &str, size: u64) -> Self {
        Self {
            said: GrantRows::new(file_group_id, file, size),
            accounts: Interner::default(),
            entitlements: Interner::default(),
            attributes: AttributeSets::default(),
            account_ids: Vec::new(),
            entitlement_ids: Vec::new(),
        }
    }

    /// What rows grant that are two names and nothing else, as most are; `None` for each that must be looked at more closely.
    pub fn pairs(&mut self, batch: &Batch, plain: Plain<2>) -> Vec<Option<Pair>> {
        if batch.has_nul() {
            return Vec::new();
        }
        let names: Vec<Option<[&str; 2]>> = batch.rows().map(|(_, values)| plain.values(&values)).collect();
        let [accounts, entitlements] =
            [0, 1].map(|column| names.iter().flatten().map(|names| names[column]).collect::<Vec<_>>());
        let (accounts, entitlements) = (self.accounts.numbers(&accounts), self.entitlements.numbers(&entitlements));
        let mut pairs = accounts.into_iter().zip(entitlements);
        names.iter().map(|names| names.and_then(|_| pairs.next())).collect()
    }

    /// All rows were read: see [`GrantRows::finish`]; within an account they are in the order of the entitlements' ids.
    pub fn finish(&mut self, application: Uuid, issues: &mut Issues) -> sqlx::Result<u64> {
        let Self { said, accounts, entitlements, .. } = self;
        self.entitlement_ids = entitlements.texts().map(|key| ids::entitlement(application, key)).collect();
        let places = places(&self.entitlement_ids);
        thread::scope(|scope| {
            let account_ids = scope.spawn(|| accounts.texts().map(|key| ids::account(application, key)).collect());
            let duplicates = said.finish(&places, issues);
            self.account_ids = account_ids.join().unwrap_or_else(|panic| resume_unwind(panic));
            duplicates
        })
    }
}

/// The place of each id, by number, were they in order.
fn places(ids: &[Uuid]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_unstable_by_key(|number| ids[*number]);
    let mut places = vec![0; ids.len()];
    for (place, number) in (0..).zip(order) {
        places[number] = place;
    }
    places
}

/// A delivered grant: 16 bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrantRow {
    /// The account's number.
    pub account: u32,
    /// The entitlement's number.
    pub entitlement: u32,
    /// Its attributes' number.
    pub attributes: u32,
    /// The row that said it.
    pub row: u32,
}

impl GrantRow {
    const fn pair(&self) -> Pair {
        (self.account, self.entitlement)
    }
}

/// What one file group says of grants.
#[derive(Debug)]
pub struct GrantRows {
    /// The file, and what was left out of it.
    pub listing: Listing<Pair>,
    /// Once finished each pair is there once, in the order of the accounts' numbers and the entitlements' places.
    rows: Vec<GrantRow>,
}

impl GrantRows {
    /// Nothing said yet, of a file of so many bytes: room for its rows is taken once, and costs nothing until it is used.
    pub fn new(file_group_id: Uuid, file: &str, size: u64) -> Self {
        let rows = Vec::with_capacity((size / ROW_BYTES).min(MOST_ROOM) as usize);
        Self { listing: Listing::new(file_group_id, file), rows }
    }

    /// A row without faults, which grants each of these.
    pub fn add_all(&mut self, pairs: Few<Pair>, attributes: u32, row: u32, _: &mut Issues) -> sqlx::Result<()> {
        let grant = |(account, entitlement)| GrantRow { account, entitlement, attributes, row };
        self.rows.extend(pairs.into_iter().map(grant));
        Ok(())
    }

    /// See [`Listing::reject`].
    pub fn reject(
        &mut self,
        pairs: Option<Few<Pair>>,
        row: u32,
        problems: Vec<Problem>,
        issues: &mut Issues,
    ) -> sqlx::Result<()> {
        self.listing.reject(pairs, row, problems, issues)
    }

    /// All rows were read: puts them in order, tells of repetitions and contradictions. Gives how many rows repeated another.
    /// `places` are the entitlements', by number.
    fn finish(&mut self, places: &[u32], issues: &mut Issues) -> sqlx::Result<u64> {
        self.rows = by_account(std::mem::take(&mut self.rows));
        for rows in self.rows.chunk_by_mut(|a, b| a.account == b.account) {
            // A stable one: rows of one pair stay in the file's order.
            rows.sort_by_key(|row| places[row.entitlement as usize]);
        }
        if self.rows.windows(2).all(|pair| pair[0].pair() != pair[1].pair()) {
            return Ok(0);
        }
        let mut kept = Vec::with_capacity(self.rows.len());
        let (mut repeating, mut contradicting) = (Vec::new(), BTreeMap::new());
        for rows in self.rows.chunk_by(|a, b| a.pair() == b.pair()) {
            let first = rows[0];
            let same = rows.iter().take_while(|row| row.attributes == first.attributes).count();
            repeating.extend(rows[1..same].iter().map(|row| (row.row, first.row)));
            if same == rows.len() {
                kept.push(first);
            } else {
                let all = [&rows[..1], &rows[same..]].concat();
                let all: Vec<u32> = all.iter().map(|row| row.row).collect();
                contradicting.entry(first.row).or_insert_with(Vec::new).push((first.pair(), all));
            }
        }
        self.rows = kept;
        repeating.sort_unstable();
        for (row, first) in &repeating {
            self.listing.repeats(*row, *first, issues)?;
        }
        for (pair, rows) in contradicting.into_values().flatten() {
            self.listing.contradict(pair, &rows, issues)?;
        }
        Ok(repeating.len() as u64)
    }

    /// The grants of each account that has any, with its number.
    pub fn accounts(&self) -> impl Iterator<Item = (u32, &[GrantRow])> {
        self.rows.chunk_by(|a, b| a.account == b.account).map(|rows| (rows[0].account, rows))
    }

    /// Takes all of them out.
    pub fn take(&mut self) -> Vec<GrantRow> {
        std::mem::take(&mut self.rows)
    }

    /// Leaves out the grants of some accounts, in the file's order.
    pub fn leave_out(&mut self, is_meant: impl Fn(u32) -> bool) -> Vec<GrantRow> {
        let (mut left_out, kept): (Vec<_>, Vec<_>) = self.take().into_iter().partition(|row| is_meant(row.account));
        self.rows = kept;
        left_out.sort_unstable_by_key(|row| row.row);
        left_out
    }
}

/// Puts rows beside those of the same account: how many each has says where they are.
fn by_account(rows: Vec<GrantRow>) -> Vec<GrantRow> {
    let accounts = rows.iter().map(|row| row.account as usize + 1).max().unwrap_or_default();
    let mut places = vec![0; accounts];
    for row in &rows {
        places[row.account as usize] += 1;
    }
    let mut before = 0;
    for place in &mut places {
        (*place, before) = (before, before + *place);
    }
    let mut ordered = vec![GrantRow::default(); rows.len()];
    for row in rows {
        let place = &mut places[row.account as usize];
        ordered[*place] = row;
        *place += 1;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use proptest::prelude::*;
    use smallvec::smallvec;
    use sqlx::PgPool;
    use tokio::runtime::Builder;

    use super::*;

    proptest! {
        /// What rulings 16 say, row by row: the first of equal rows counts; rows that contradict each other don't.
        #[test]
        fn each_pair_is_there_once_or_contradicted(
            said in prop::collection::vec((0..6_u32, 0..4_u32, 0..2_u32), 0..60),
        ) {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let _entered = runtime.enter();
            // Too few issues to be written: nobody connects.
            let pool = PgPool::connect_lazy("postgres://nobody@localhost/none").unwrap();
            let mut issues = Issues::new(pool, runtime.handle().clone(), Uuid::nil());
            let mut rows = GrantRows::new(Uuid::nil(), "f", 0);
            let mut expected: HashMap<Pair, (u32, u32)> = HashMap::new();
            let (mut contradicted, mut repeated) = (BTreeSet::new(), 0);
            for (row, (account, entitlement, attributes)) in (2..).zip(said) {
                let pair = (account, entitlement);
                rows.add_all(smallvec![pair], attributes, row, &mut issues).unwrap();
                match expected.get(&pair) {
                    _ if contradicted.contains(&pair) => {}
                    None => drop(expected.insert(pair, (attributes, row))),
                    Some((known, _)) if *known == attributes => repeated += 1,
                    Some(_) => {
                        expected.remove(&pair);
                        contradicted.insert(pair);
                    }
                }
            }
            prop_assert_eq!(rows.finish(&[3, 2, 1, 0], &mut issues).unwrap(), repeated);
            prop_assert_eq!(rows.listing.protected.iter().copied().collect::<BTreeSet<_>>(), contradicted);
            let mut last = None;
            for (account, rows) in rows.accounts() {
                prop_assert!(last < Some(account));
                last = Some(account);
                prop_assert!(rows.windows(2).all(|rows| rows[0].entitlement > rows[1].entitlement));
            }
            let found: HashMap<Pair, (u32, u32)> =
                rows.take().into_iter().map(|row| (row.pair(), (row.attributes, row.row))).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
