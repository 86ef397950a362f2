//! Who may do what in one application. What an account holds follows from its number, so grants are never held in memory.

use super::Seed;
use super::accounts::Accounts;
use super::chance::Lottery;
use super::change::{Count, Fate, differences};
use super::size::{Share, apportion};

/// How much an account holds, compared with others; one of these by chance.
const WEIGHTS: [u64; 10] = [1, 1, 1, 1, 2, 2, 2, 3, 4, 6];
/// Entitlements of a department's role.
const ROLE: u64 = 12;

/// How many grants each account has.
pub struct Held {
    /// By account.
    pub counts: Vec<u64>,
    /// Only so many entitlements are granted, the first.
    pub granted: u32,
}

impl Held {
    /// Splits an application's grants among its accounts.
    pub fn new(seed: Seed, application: u32, share: Share) -> Self {
        // One entitlement in fifty is granted to nobody, if there is room without it.
        let granted = share.entitlements - share.entitlements / 50;
        let is_roomy = share.grants <= u64::from(share.accounts) * u64::from(granted);
        let granted = if is_roomy { granted } else { share.entitlements };
        let weight = |account| seed.chance("weight", &[application, account]).pick(&WEIGHTS);
        let counts = apportion(share.grants, &(0..share.accounts).map(weight).collect::<Vec<_>>());
        if counts.iter().all(|count| *count <= u64::from(granted)) {
            return Self { counts, granted };
        }
        Self { counts: apportion(share.grants, &vec![1; share.accounts as usize]), granted }
    }
}

/// What an account holds.
#[derive(Debug, Clone, Copy)]
struct Holding {
    /// Before the change.
    before: u32,
    /// Of those, given up.
    removed: u32,
    added: u32,
}

/// The grants of one application.
pub struct Grants<'a> {
    seed: Seed,
    application: u32,
    accounts: &'a Accounts<'a>,
    granted: u32,
    /// By account, those that were added last.
    holdings: Vec<Holding>,
    sampler: Sampler,
}

impl<'a> Grants<'a> {
    /// How many grants may go away with their accounts when so many rows differ.
    pub const fn may_go(differences: u64) -> u64 {
        differences / 4
    }

    /// The grants after a change of `percent`: grants of accounts that went away, first grants of new accounts, and one given
    /// up for another.
    pub fn new(seed: Seed, application: u32, accounts: &'a Accounts<'a>, held: &Held, percent: f64) -> Self {
        let granted = held.granted;
        let total: u64 = held.counts.iter().sum();
        let mut left = differences(total, percent);
        let is_gone = |account: usize| accounts.changes.fate(account as u32) == Fate::Removed;
        let mut holdings: Vec<Holding> =
            held.counts.iter().map(|count| Holding { before: *count as u32, removed: 0, added: 0 }).collect();

        let usual = (total / held.counts.len() as u64).max(1).min(u64::from(granted));
        let mut for_new = left / 4;
        for (account, holding) in holdings.iter_mut().enumerate().filter(|(account, _)| is_gone(*account)) {
            holding.removed = holding.before;
            left -= held.counts[account];
        }
        for _ in 0..accounts.changes.added {
            let added = usual.min(for_new);
            for_new -= added;
            left -= added;
            holdings.push(Holding { before: 0, removed: 0, added: added as u32 });
        }

        // One for another, as far as there is another.
        let room =
            |holding: &Holding| u64::from(holding.before.saturating_sub(holding.removed).min(granted - holding.before));
        let all_room = holdings.iter().map(room).sum();
        let swapped = (left / 2).min(all_room);
        let mut lottery = Lottery::new(seed.chance("swapped", &[application]), swapped, all_room);
        for holding in &mut holdings {
            let swaps = lottery.draw_many(room(holding));
            holding.removed += swaps;
            holding.added += swaps;
        }
        left -= 2 * swapped;

        // What is left over goes away.
        let rest = |holding: &Holding| u64::from(holding.before - holding.removed);
        let mut lottery = Lottery::new(seed.chance("dropped", &[application]), left, holdings.iter().map(rest).sum());
        for holding in &mut holdings {
            holding.removed += lottery.draw_many(rest(holding));
        }
        Self { seed, application, accounts, granted, holdings, sampler: Sampler::default() }
    }

    pub fn count(&self) -> Count {
        let sum = |part: fn(&Holding) -> u32| self.holdings.iter().map(|holding| u64::from(part(holding))).sum();
        Count { added: sum(|holding| holding.added), changed: 0, removed: sum(|holding| holding.removed) }
    }

    /// How many there are after the change.
    pub fn rows(&self) -> u64 {
        self.holdings.iter().map(|holding| u64::from(holding.before - holding.removed + holding.added)).sum()
    }

    /// Tells every grant of these accounts as numbers of account and entitlement.
    pub fn each<E>(&mut self, accounts: &[u32], mut tell: impl FnMut(u32, u32) -> Result<(), E>) -> Result<(), E> {
        for account in accounts.iter().copied() {
            let Holding { before, removed, added } = self.holdings[account as usize];
            if before + added == 0 {
                continue;
            }
            let (seed, application) = (self.seed, self.application);
            let department = self.accounts.department(account);
            // What was added follows what was there: the sampler never draws an entitlement twice.
            self.sampler.draw(seed, [application, account], department, self.granted, (before, before + added));
            let chance = seed.chance("given up", &[application, account]);
            let mut given_up = Lottery::new(chance, u64::from(removed), u64::from(before));
            for (place, entitlement) in (0..).zip(&self.sampler.drawn) {
                let is_removed = place < before && given_up.draw();
                if !is_removed {
                    tell(account, *entitlement)?;
                }
            }
        }
        Ok(())
    }
}

/// Draws different entitlements.
#[derive(Default)]
struct Sampler {
    drawn: Vec<u32>,
    /// By entitlement: drawn for this account already?
    is_drawn: Vec<bool>,
}

impl Sampler {
    /// Draws `count` entitlements; the first `before` of them are the same whatever `count` is.
    fn draw(
        &mut self,
        seed: Seed,
        account: [u32; 2],
        department: Option<u32>,
        granted: u32,
        (before, count): (u32, u32),
    ) {
        let mut chance = seed.chance("grants", &account);
        self.is_drawn.resize(granted as usize, false);
        for entitlement in self.drawn.drain(..) {
            self.is_drawn[entitlement as usize] = false;
        }
        // At most half are added to what an account has, so that only what it had before, or a new account, decides.
        if before > granted / 4 || count > granted / 2 {
            // Who holds so much holds anything: drawing again and again until another comes would take long.
            self.drawn.extend(0..granted);
            chance.shuffle(&mut self.drawn);
            self.drawn.truncate(count as usize);
            return;
        }
        while self.drawn.len() < count as usize {
            let entitlement = match department {
                // Half of what an account holds comes with the department.
                Some(department) if chance.percent(50) => {
                    let place = chance.below(ROLE) as u32;
                    seed.chance("role", &[account[0], department, place]).below(u64::from(granted))
                }
                _ => chance.skewed(u64::from(granted)),
            } as u32;
            if !std::mem::replace(&mut self.is_drawn[entitlement as usize], true) {
                self.drawn.push(entitlement);
            }
        }
    }
}
