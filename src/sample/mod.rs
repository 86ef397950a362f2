//! A made-up company: feeds of people, and of the accounts, entitlements and grants of its applications.
//!
//! Everything follows from the seed and the sizes: each row is drawn from its number alone ([`chance`]), so that rows are
//! written as they are made and the same command gives the same bytes on every machine. A change ([`change`]) says of each
//! row of the company before whether it was kept, changed or removed, and how many came. See `docs/OPERATIONS.md`.

mod accounts;
mod chance;
mod change;
mod days;
mod definition;
mod entitlements;
mod files;
mod grants;
mod people;
mod size;
mod words;

use std::path::Path;

use aggregates::application::{Content, Format, fields};
use anyhow::ensure;

use accounts::Accounts;
use chance::Chance;
pub use change::Count;
use change::differences;
use entitlements::Entitlements;
use files::Files;
pub use files::empty;
use grants::{Grants, Held};
use people::People;
use size::Share;
pub use size::Size;

/// What chance begins with.
#[derive(Debug, Clone, Copy)]
pub struct Seed(pub u64);

impl Seed {
    /// The chance of one thing: what it is, and its numbers.
    fn chance(self, what: &str, numbers: &[u32]) -> Chance {
        let mut parts = vec![self.0];
        parts.extend(what.bytes().map(u64::from));
        parts.extend(numbers.iter().map(|number| u64::from(*number)));
        Chance::of(&parts)
    }
}

/// A company to be written.
pub struct Company {
    seed: Seed,
    size: Size,
    shares: Vec<Share>,
    /// Percent of the rows that differ; `None` = as it was before any change.
    change: Option<f64>,
    /// The kinds of rows that are written and that change.
    only: Vec<Content>,
}

/// What was written of a kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub content: Content,
    pub rows: u64,
    pub count: Count,
}

/// In the order in which they are written.
const ALL: [Content; 4] = [Content::Identities, Content::Accounts, Content::Entitlements, Content::Grants];

impl Company {
    /// A company of this size, changed by `change` percent. Only these kinds of rows are written, and only they change; none
    /// named = all.
    pub fn new(seed: Seed, size: Size, change: Option<f64>, only: &[Content]) -> anyhow::Result<Self> {
        let only = if only.is_empty() { ALL.to_vec() } else { only.to_vec() };
        Ok(Self { seed, size, shares: size.shares()?, change, only })
    }

    /// Writes the files into a folder; `progress` is told how many rows of about how many are written.
    pub fn write(&self, folder: &Path, format: Format, progress: &dyn Fn(u64, u64)) -> anyhow::Result<Vec<Written>> {
        self.check_sheets(format)?;
        let written = ALL.into_iter().filter(|content| self.writes(*content));
        let mut written: Vec<Written> =
            written.map(|content| Written { content, rows: 0, count: Count::default() }).collect();
        let mut files = Files::new(folder, format, self.rows(), progress);
        let mut wrote = |content: Content, rows: usize, count: Count| {
            if let Some(written) = written.iter_mut().find(|written| written.content == content) {
                written.rows += rows as u64;
                written.count += count;
            }
        };
        let people = People::new(self.seed, self.size.people, self.percent(Content::Identities));
        if self.writes(Content::Identities) {
            files.definition("", &definition::people(format))?;
            let mut numbers = people.changes.rows();
            self.order("order of people", 0, &mut numbers);
            let mut table = files.table("", Content::Identities, fields::IDENTITIES)?;
            for number in &numbers {
                table.row(&people.row(*number))?;
            }
            table.finish()?;
            wrote(Content::Identities, numbers.len(), people.changes.count());
        }
        if ALL[1..].iter().any(|content| self.writes(*content)) {
            for (application, share) in (0..).zip(&self.shares) {
                self.write_application(&mut files, &people, application, *share, &mut wrote)?;
            }
        }
        Ok(written)
    }

    fn write_application(
        &self,
        files: &mut Files,
        people: &People,
        application: u32,
        share: Share,
        wrote: &mut impl FnMut(Content, usize, Count),
    ) -> anyhow::Result<()> {
        let (name, initials) = definition::name(application);
        let folder = definition::folder(&name);
        let delivered: Vec<Content> = ALL[1..].iter().copied().filter(|content| self.writes(*content)).collect();
        files.definition(&folder, &definition::application(&name, application, files.format, &delivered))?;

        let held = Held::new(self.seed, application, share);
        let mut may_go = Grants::may_go(differences(share.grants, self.percent(Content::Grants)));
        let accounts = Accounts::new(
            self.seed,
            people,
            application,
            share.accounts,
            differences(u64::from(share.accounts), self.percent(Content::Accounts)),
            |account| {
                let rest = may_go.checked_sub(held.counts[account as usize]);
                may_go = rest.unwrap_or(may_go);
                rest.is_some()
            },
        );
        let mut numbers = accounts.changes.rows();
        if self.change.is_none() {
            numbers.sort_by_cached_key(|number| accounts.key(*number));
        }
        self.order("order of accounts", application, &mut numbers);
        if self.writes(Content::Accounts) {
            let mut table = files.table(&folder, Content::Accounts, &accounts::header(application))?;
            for number in &numbers {
                table.row(&accounts.row(*number))?;
            }
            table.finish()?;
            wrote(Content::Accounts, numbers.len(), accounts.changes.count());
        }

        let entitlements = Entitlements::new(
            self.seed,
            people,
            application,
            initials,
            (share.entitlements, held.granted),
            differences(u64::from(share.entitlements), self.percent(Content::Entitlements)),
        );
        if self.writes(Content::Entitlements) {
            let mut numbers = entitlements.changes.rows();
            self.order("order of entitlements", application, &mut numbers);
            let mut table = files.table(&folder, Content::Entitlements, fields::ENTITLEMENTS)?;
            for number in &numbers {
                table.row(&entitlements.row(*number))?;
            }
            table.finish()?;
            wrote(Content::Entitlements, numbers.len(), entitlements.changes.count());
        }

        if self.writes(Content::Grants) {
            let mut grants = Grants::new(self.seed, application, &accounts, &held, self.percent(Content::Grants));
            let mut table = files.table(&folder, Content::Grants, fields::GRANTS)?;
            let mut tell = |account, entitlement| table.row(&[accounts.key(account), entitlements.key(entitlement)]);
            if self.change.is_none() {
                grants.each(&numbers, &mut tell)?;
            } else {
                // Any order needs all of them at once: eight bytes each.
                let mut all = Vec::with_capacity(grants.rows() as usize);
                grants.each(&numbers, |account, entitlement| {
                    all.push((account, entitlement));
                    anyhow::Ok(())
                })?;
                self.order("order of grants", application, &mut all);
                for (account, entitlement) in all {
                    tell(account, entitlement)?;
                }
            }
            table.finish()?;
            wrote(Content::Grants, grants.rows() as usize, grants.count());
        }
        Ok(())
    }

    fn writes(&self, content: Content) -> bool {
        self.only.contains(&content)
    }

    /// How much of these rows differs.
    fn percent(&self, content: Content) -> f64 {
        self.change.filter(|_| self.writes(content)).unwrap_or(0.0)
    }

    /// A company that nobody changed comes in order, as an export would (accounts and their grants by key); a changed one in
    /// an order of its own.
    fn order<T>(&self, what: &str, application: u32, rows: &mut [T]) {
        if let Some(change) = self.change {
            let bits = change.to_bits();
            self.seed.chance(what, &[application, (bits >> 32) as u32, bits as u32]).shuffle(rows);
        }
    }

    /// Rows that are written, but for the change.
    fn rows(&self) -> u64 {
        let rows = |content| match content {
            Content::Identities => u64::from(self.size.people),
            Content::Accounts => u64::from(self.size.accounts),
            Content::Entitlements => u64::from(self.size.entitlements),
            Content::Grants => self.size.grants,
        };
        self.only.iter().copied().map(rows).sum()
    }

    /// Tells before anything is written what no sheet can hold.
    fn check_sheets(&self, format: Format) -> anyhow::Result<()> {
        let largest = |of: fn(&Share) -> u64| self.shares.iter().map(of).max().unwrap_or_default();
        for (content, rows) in [
            (Content::Identities, u64::from(self.size.people)),
            (Content::Accounts, largest(|share| u64::from(share.accounts))),
            (Content::Entitlements, largest(|share| u64::from(share.entitlements))),
            (Content::Grants, largest(|share| share.grants)),
        ] {
            let most = u64::from(crate::imports::writer::SHEET_ROWS) - 1;
            ensure!(
                format != Format::Xlsx || !self.writes(content) || rows <= most,
                "--format xlsx: one file would have {rows} {}; a sheet holds {most} at most",
                content.as_str()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
