//! People: their names, who is above whom, and the rows of `identities`.
//!
//! People are numbered from 0. Person n reports to person (n - 1) / 8, so that nobody is above himself; those who have moved
//! report to another of a smaller number.

use super::chance::Chance;
use super::change::{Changes, Fate, added, differences};
use super::words::{COMPANY, DIVISIONS, DOMAIN, EXECUTIVE, FIRST, LAST, OFFICES, TITLES, plain};
use super::{Seed, days};

/// Reports of a manager.
const SPAN: u32 = 8;
/// The first and the last of those who head a department: the reports of the heads of the eight divisions.
const DEPARTMENT_HEADS: std::ops::RangeInclusive<u32> = SPAN + 1..=SPAN + SPAN * SPAN;

/// All people.
pub struct People {
    seed: Seed,
    /// Before the change.
    pub count: u32,
    pub changes: Changes,
}

/// What is found of a person everywhere.
pub struct Person {
    number: u32,
    first: &'static str,
    last: &'static str,
}

impl Person {
    /// Anybody with that number, of the company or not.
    pub fn of(seed: Seed, number: u32) -> Self {
        let mut chance = seed.chance("person", &[number]);
        Self { number, first: chance.pick(FIRST), last: chance.pick(LAST) }
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// With leading zeros: a spreadsheet must not take them away.
    pub fn employee_id(&self) -> String {
        format!("{:07}", self.number + 1)
    }

    pub fn login(&self) -> String {
        format!("{}{}{}", &plain(self.first)[..1], plain(self.last), self.number + 1)
    }

    pub fn email(&self) -> String {
        format!("{}.{}{}@{DOMAIN}", plain(self.first), plain(self.last), self.number + 1)
    }
}

/// The native key of a person.
pub fn key(number: u32) -> String {
    format!("P{}", number + 1)
}

impl People {
    /// So many people, of whom `percent` have joined, moved or left.
    pub fn new(seed: Seed, count: u32, percent: f64) -> Self {
        let wanted = differences(u64::from(count), percent);
        // Nobody's supervisor goes away, since the reports' rows would change with it; nor does the last, see `row`.
        let all = count + added(wanted as u32);
        let may_go = |number| number >= managers(all) && number != count - 1;
        let changes = Changes::draw(count, wanted, seed.chance("people", &[]), &[], may_go);
        Self { seed, count, changes }
    }

    /// The numbers of those who joined.
    pub fn joined(&self) -> std::ops::Range<u32> {
        self.count..self.count + self.changes.added
    }

    /// Those whose row went away.
    pub fn is_gone(&self, number: u32) -> bool {
        self.changes.fate(number) == Fate::Removed
    }

    /// Somebody who has reports and is never removed.
    pub fn manager(&self, chance: &mut Chance) -> u32 {
        chance.below(u64::from(managers(self.count))) as u32
    }

    /// The row of a person, in the order of `fields::IDENTITIES`.
    pub fn row(&self, number: u32) -> [String; 17] {
        let person = Person::of(self.seed, number);
        let is_new = number >= self.count;
        let is_changed = self.changes.fate(number) == Fate::Changed;
        let has_reports = number < managers(self.count);

        let mut chance = self.seed.chance("row of a person", &[number]);
        let mut supervisor = number.checked_sub(1).map(|before| before / SPAN);
        let mut unit = unit(number);
        let mut title = title(number, has_reports, &mut chance);
        let office = chance.pick(OFFICES).to_owned();
        let kind = if has_reports || chance.percent(88) {
            "Employee"
        } else if chance.percent(60) {
            "Temporary"
        } else {
            "Vendor"
        };
        let hired = 400 + chance.below(8000);
        let updated = chance.below(365);
        // One at least has left, the last: a column without any value is none in JSON, and its mapping would be a fault.
        let has_left = chance.percent(2) || number == self.count - 1;
        let left = (!has_reports && !is_new && has_left).then(|| days::ago(updated));
        let (mut created, mut updated, mut inactivated) = (days::ago(hired), days::ago(updated), left);
        if is_new {
            created = days::later(1 + chance.below(28));
            updated.clone_from(&created);
        }
        if is_changed {
            // A day that no other row has: the row differs for sure.
            updated = days::later(1 + chance.below(28));
            if !has_reports && inactivated.is_none() && chance.percent(40) {
                inactivated = Some(updated.clone());
            } else if let Some(before) = supervisor {
                let above = chance.below(u64::from(managers(self.count).min(before + 1))) as u32;
                supervisor = Some(above);
                if !has_reports {
                    unit = self::unit(above);
                    chance.pick(TITLES).clone_into(&mut title);
                }
            }
        }
        [
            key(number),
            person.first.to_owned(),
            person.last.to_owned(),
            person.name(),
            person.email(),
            person.employee_id(),
            kind.to_owned(),
            title,
            COMPANY.to_owned(),
            unit.0.to_owned(),
            unit.1.to_owned(),
            office,
            supervisor.map(key).unwrap_or_default(),
            if inactivated.is_some() { "Disabled" } else { "Active" }.to_owned(),
            created,
            updated,
            inactivated.unwrap_or_default(),
        ]
    }
}

/// How many of so many people have reports; at least the first counts as one.
const fn managers(people: u32) -> u32 {
    let managers = (people - 1).div_ceil(SPAN);
    if managers == 0 { 1 } else { managers }
}

/// The head of a person's department or, further up, the person.
pub fn head(mut number: u32) -> u32 {
    while number > *DEPARTMENT_HEADS.end() {
        number = (number - 1) / SPAN;
    }
    number
}

/// Division and department.
fn unit(number: u32) -> (&'static str, &'static str) {
    let head = head(number);
    if DEPARTMENT_HEADS.contains(&head) {
        let (division, departments) = DIVISIONS[((head - 1) / SPAN - 1) as usize];
        return (division, departments[((head - 1) % SPAN) as usize]);
    }
    head.checked_sub(1).map_or((EXECUTIVE, EXECUTIVE), |division| (DIVISIONS[division as usize].0, EXECUTIVE))
}

fn title(number: u32, has_reports: bool, chance: &mut Chance) -> String {
    let (division, department) = unit(number);
    match number {
        0 => "Chief Executive Officer".to_owned(),
        1..=SPAN => format!("Head of {division}"),
        _ if DEPARTMENT_HEADS.contains(&number) => format!("Director, {department}"),
        _ if has_reports => format!("Team Lead, {department}"),
        _ => chance.pick(TITLES).to_owned(),
    }
}
