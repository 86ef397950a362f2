//! Entitlements of one application and the rows of `entitlements`.

use super::change::{Changes, Fate};
use super::people::{self, People};
use super::words::{OBJECTS, VERBS};
use super::{Seed, days};

/// All entitlements of one application.
pub struct Entitlements<'a> {
    seed: Seed,
    people: &'a People,
    application: u32,
    /// The first letters of keys.
    initials: String,
    pub changes: Changes,
}

impl<'a> Entitlements<'a> {
    /// So many entitlements, so many of which differ after the change. The first are `granted`; only others go away.
    pub fn new(
        seed: Seed,
        people: &'a People,
        application: u32,
        initials: String,
        (count, granted): (u32, u32),
        differences: u64,
    ) -> Self {
        let chance = seed.chance("entitlements", &[application]);
        let changes = Changes::draw(count, differences, chance, &[], |number| number >= granted);
        Self { seed, people, application, initials, changes }
    }

    /// The native key.
    pub fn key(&self, number: u32) -> String {
        format!("{}-{:04}", self.initials, number + 1)
    }

    /// The row of an entitlement, in the order of `fields::ENTITLEMENTS`.
    pub fn row(&self, number: u32) -> [String; 6] {
        let mut chance = self.seed.chance("row of an entitlement", &[self.application, number]);
        let place = number as usize;
        let (verb, object) = (VERBS[place % VERBS.len()], OBJECTS[place / VERBS.len() % OBJECTS.len()]);
        let series = place / (VERBS.len() * OBJECTS.len());
        let name = if series == 0 { format!("{verb} {object}") } else { format!("{verb} {object} {}", series + 1) };
        let kind = chance.pick(&["Role", "Role", "Role", "Group", "Group", "Permission"]);
        let owner = people::key(self.people.manager(&mut chance));
        let is_privileged = verb == "Administer" || chance.percent(3);
        let mut description = match chance.below(20) {
            0 => format!("Called \"{}\" before the merger;\nask the owner before granting it", name.to_uppercase()),
            roll if roll < 10 || number == 0 => format!("May {} {object}, within limits", verb.to_lowercase()),
            _ => String::new(),
        };
        if self.changes.fate(number) == Fate::Changed {
            // A day that no other row has: the row differs for sure.
            let reviewed = format!("Reviewed on {}", days::later(1 + chance.below(28)));
            description = if description.is_empty() { reviewed } else { format!("{reviewed}. {description}") };
        }
        let is_privileged = if is_privileged { "yes" } else { "no" };
        [self.key(number), name, kind.to_owned(), description, owner, is_privileged.to_owned()]
    }
}
