//! Rules of feeds: whether those that a definition names are there and fit, and what they say of rows.

use std::collections::BTreeMap;

use aggregates::application::{CorrelationRule, Definition, FileGroup};
use aggregates::config_object::ObjectType;
use aggregates::rule::{Condition, Correlation, NotExecutable, Place, Rule, Subject};
use projections::config_objects::ConfigObjectRow;
use sqlx::PgPool;

use super::Fault;
use super::issues::{Problem, short};

/// Characters of a rule's name and description that an issue shows.
const SHOWN: usize = 500;

/// The rules that a definition names, as they are now.
pub struct Rules(BTreeMap<String, Result<Rule, NotExecutable>>);

impl Rules {
    /// Reads those that file groups or a correlation name.
    ///
    /// # Errors
    /// The database is away.
    pub async fn load(pool: &PgPool, groups: &[FileGroup], correlation: &[CorrelationRule]) -> sqlx::Result<Self> {
        let named = correlation.iter().filter_map(|rule| match rule {
            CorrelationRule::Named { rule } => Some(rule),
            CorrelationRule::Fields { .. } => None,
        });
        let names: Vec<&str> = groups.iter().flat_map(|group| &group.rules).chain(named).map(String::as_str).collect();
        if names.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let rows = projections::config_objects::named(pool, ObjectType::Rule.as_str(), &names).await?;
        let read = |row: ConfigObjectRow| (row.name, Rule::read(&row.document.value()["object"]));
        Ok(Self(rows.into_iter().map(read).collect()))
    }

    /// Has a look at every rule that a definition names, before anything is read.
    ///
    /// # Errors
    /// One that isn't there, can't be executed, is of the other kind, or doesn't fit the rows.
    pub fn check(&self, definition: &Definition) -> Result<(), Fault> {
        for group in &definition.connector.file_groups {
            self.of_rows(group)?;
        }
        self.of_correlation(&definition.correlation()).map(drop)
    }

    /// A file group's rules, ready for its rows.
    ///
    /// # Errors
    /// As [`Rules::check`].
    pub fn of_rows(&self, group: &FileGroup) -> Result<RowRules, Fault> {
        let of_row = |name: &String| {
            let fault = |reason: String| Fault::File(format!("{}: {reason}", group.name));
            let Rule::Validation(rule) = self.find(name).map_err(fault)? else {
                let reason = format!("the rule {name:?} is a Correlation rule; rows need a Validation rule");
                return Err(fault(reason));
            };
            let condition = rule.of(group.content).map_err(|misfit| {
                fault(format!("the rule {name:?} doesn't fit {}: sourceCode.script: {misfit}", group.content.as_str()))
            })?;
            let description = rule.description.clone();
            Ok(RowRule { name: name.clone(), description, is_warning: rule.is_warning, condition })
        };
        group.rules.iter().map(of_row).collect::<Result<_, _>>().map(RowRules)
    }

    /// The rules that a correlation names.
    ///
    /// # Errors
    /// As [`Rules::check`].
    pub fn of_correlation(&self, rules: &[CorrelationRule]) -> Result<BTreeMap<String, Correlation>, Fault> {
        let mut found = BTreeMap::new();
        for rule in rules {
            let CorrelationRule::Named { rule: name } = rule else { continue };
            let fault = |reason: String| Fault::File(format!("correlation: {reason}"));
            let Rule::Correlation(rule) = self.find(name).map_err(fault)? else {
                let reason = format!("the rule {name:?} is a Validation rule; accounts need a Correlation rule");
                return Err(fault(reason));
            };
            found.insert(name.clone(), rule.clone());
        }
        Ok(found)
    }

    fn find(&self, name: &str) -> Result<&Rule, String> {
        match self.0.get(name) {
            Some(Ok(rule)) => Ok(rule),
            Some(Err(reason)) => Err(format!("the rule {name:?} can't be executed here: {reason}")),
            None => Err(format!("there is no rule {name:?}")),
        }
    }
}

/// What the rows of a file must be.
pub struct RowRules(Vec<RowRule>);

struct RowRule {
    name: String,
    description: Option<String>,
    is_warning: bool,
    condition: Condition,
}

/// What rules say of a row.
#[derive(Default)]
pub struct Broken {
    /// Why it is left out.
    pub problems: Vec<Problem>,
    /// What is remarked on.
    pub remarks: Vec<Problem>,
}

impl RowRules {
    /// Is there none?
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules that a row breaks; it is a subject for each of its keys, and must satisfy them as each.
    pub fn broken<'s>(&self, subjects: &(impl Iterator<Item = Subject<'s>> + Clone)) -> Broken {
        let mut broken = Broken::default();
        for rule in &self.0 {
            if !subjects.clone().all(|subject| rule.condition.holds(subject)) {
                let told = if rule.is_warning { &mut broken.remarks } else { &mut broken.problems };
                told.push(rule.problem());
            }
        }
        broken
    }

    /// What the rules would read and a file group doesn't have: there it has no value.
    pub fn remarks(&self, group: &FileGroup) -> Vec<String> {
        let fills = |place: &Place| match place.known() {
            Some(field) => group.columns.contains_key(field),
            None => group.columns.keys().any(|field| place.is_custom(field)),
        };
        let unfilled = self.0.iter().flat_map(|rule| {
            let places = rule.condition.places().iter().filter(|place| !fills(place));
            places.map(|place| format!("{} has no field {place}, which the rule {:?} reads", group.name, rule.name))
        });
        unfilled.collect()
    }
}

impl RowRule {
    fn problem(&self) -> Problem {
        let why = self.description.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let message = format!("The row doesn't satisfy the rule {:?}{why}", self.name);
        Problem::of_row("rule_not_satisfied", short(&message, SHOWN))
    }
}
