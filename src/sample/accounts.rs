//! Accounts of one application and the rows of `accounts`.
//!
//! The first are people's: one each in an order of the application's own, then second ones. After them come a few orphans,
//! whose people left long ago, and a few service accounts, which are nobody's; then those that a change added.

use super::change::{Changes, Fate};
use super::people::{People, Person, head};
use super::words::SERVICES;
use super::{Seed, days};

/// The columns. Accounts of applications with an even number know the employee number of their person, those of the others
/// the e-mail address.
pub const fn header(application: u32) -> [&'static str; 6] {
    [
        "key",
        "name",
        if application.is_multiple_of(2) { "employeeId" } else { "email" },
        "isActive",
        "lastLoginAt",
        "type",
    ]
}

/// All accounts of one application.
pub struct Accounts<'a> {
    seed: Seed,
    people: &'a People,
    application: u32,
    /// Before the change.
    pub count: u32,
    /// Of people, of those.
    personal: u32,
    orphans: u32,
    /// Whose the first accounts are.
    owners: Vec<u32>,
    /// Whose those are that were added: a person, and how many accounts he had before.
    added: Vec<(u32, u32)>,
    pub changes: Changes,
}

/// Whose an account is.
enum Owner {
    /// A person's, who has so many others here.
    Person(u32, u32),
    /// Somebody's who is gone.
    Orphan(u32),
    /// Nobody's.
    Service(u32),
}

impl<'a> Accounts<'a> {
    /// So many accounts, so many of which differ after the change; only those that `may_go` went away.
    pub fn new(
        seed: Seed,
        people: &'a People,
        application: u32,
        count: u32,
        differences: u64,
        mut may_go: impl FnMut(u32) -> bool,
    ) -> Self {
        let few = count / 50;
        let personal = count - 2 * few;
        let mut owners: Vec<u32> = (0..people.count).collect();
        seed.chance("owners", &[application]).shuffle(&mut owners);
        // The accounts of those who left go first.
        let of_gone = (0..personal.min(people.count)).filter(|number| people.is_gone(owners[*number as usize]));
        let of_gone: Vec<u32> = of_gone.collect();
        let chance = seed.chance("accounts", &[application]);
        let changes = Changes::draw(count, differences, chance, &of_gone, |number| number > 0 && may_go(number));
        let next = (personal..).map(|place| (owners[(place % people.count) as usize], place / people.count));
        let next = next.filter(|(person, _)| !people.is_gone(*person));
        let joined = people.joined().map(|person| (person, 0));
        let added = joined.chain(next).take(changes.added as usize).collect();
        Self { seed, people, application, count, personal, orphans: few, owners, added, changes }
    }

    fn owner(&self, number: u32) -> Owner {
        if let Some((person, others)) = number.checked_sub(self.count).map(|place| self.added[place as usize]) {
            return Owner::Person(person, others);
        }
        if number < self.personal {
            let place = number % self.people.count;
            return Owner::Person(self.owners[place as usize], number / self.people.count);
        }
        let place = number - self.personal;
        if place < self.orphans { Owner::Orphan(place) } else { Owner::Service(place - self.orphans) }
    }

    /// Whoever once had an orphan: numbers that nobody in the company has, before or after a change.
    fn former(&self, orphan: u32) -> Person {
        Person::of(self.seed, 2 * self.people.count + orphan)
    }

    /// The native key.
    pub fn key(&self, number: u32) -> String {
        match self.owner(number) {
            Owner::Person(person, 0) => Person::of(self.seed, person).login(),
            Owner::Person(person, 1) => format!("{}-adm", Person::of(self.seed, person).login()),
            Owner::Person(person, others) => format!("{}-{}", Person::of(self.seed, person).login(), others + 1),
            Owner::Orphan(orphan) => self.former(orphan).login(),
            Owner::Service(service) => {
                format!("svc-{}-{}", SERVICES[service as usize % SERVICES.len()], service + 1)
            }
        }
    }

    /// A number that colleagues of one department share; a service account has no colleagues.
    pub fn department(&self, number: u32) -> Option<u32> {
        match self.owner(number) {
            Owner::Person(person, _) => Some(head(person)),
            Owner::Orphan(orphan) => Some(head(orphan)),
            Owner::Service(_) => None,
        }
    }

    /// The row of an account, in the order of [`header`].
    pub fn row(&self, number: u32) -> [String; 6] {
        let (person, kind) = match self.owner(number) {
            Owner::Person(person, others) => {
                (Some(Person::of(self.seed, person)), if others == 1 { "Administrator" } else { "User" })
            }
            Owner::Orphan(orphan) => (Some(self.former(orphan)), "User"),
            Owner::Service(_) => (None, "Service"),
        };
        let key = self.key(number);
        let mut chance = self.seed.chance("row of an account", &[self.application, number]);
        let mut is_active = chance.percent(95);
        let time = format!("{}T08:{:02}:00Z", days::ago(chance.below(90)), chance.below(60));
        // The first always: see `People::row`.
        let mut last_login = if number > 0 && chance.percent(10) { String::new() } else { time };
        if self.changes.fate(number) == Fate::Changed {
            // A day that no other row has: the row differs for sure.
            last_login = format!("{}T17:{:02}:00Z", days::later(1 + chance.below(28)), chance.below(60));
            is_active ^= chance.percent(30);
        }
        let found_by = if self.application.is_multiple_of(2) { Person::employee_id } else { Person::email };
        let found_by = person.as_ref().map(found_by).unwrap_or_default();
        let name = person.as_ref().map_or_else(|| key.clone(), Person::name);
        [key, name, found_by, if is_active { "yes" } else { "no" }.to_owned(), last_login, kind.to_owned()]
    }
}
