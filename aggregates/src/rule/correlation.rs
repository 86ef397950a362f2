//! Whose an account is.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::condition::{holds, place};
use super::subject::{Field, catalogue};
use super::template::Template;
use super::{Condition, NotExecutable, Place, SCRIPT, Subject, misfit, not_executable};
use crate::application::Content;
use crate::filter::{Checked, Condition as Is, Filter, FilterError, Literal, Order, Test};

/// A correlation rule: a filter over people, whose texts may hold placeholders for what the account says.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    condition: Condition,
    /// By the folded literal in which they are written.
    templates: HashMap<String, Template>,
    probe: Probe,
}

/// How the people are found who may be meant, so that not everybody is held against the filter.
#[derive(Debug, Clone, PartialEq)]
enum Probe {
    /// Those with this text there.
    Equal(Place, Template),
    /// Those whom each of these finds: the fewest are enough.
    Fewest(Vec<Self>),
    /// Those whom one of these finds.
    Any(Vec<Self>),
}

/// The people among whom an account's owner is looked for.
pub trait People {
    /// Those who have this folded text there.
    fn with(&self, place: &Place, folded: &str) -> &[Uuid];
    /// Is a person meant, under one of the keys by which sources call them?
    fn is_meant(&self, identity: Uuid, holds: &dyn Fn(Subject<'_>) -> bool) -> bool;
}

impl Correlation {
    pub(super) fn read(filter: &Filter) -> Result<Self, NotExecutable> {
        let checked = filter.check(&catalogue(Content::Identities)).map_err(misfit)?;
        check_placeholders(filter).map_err(misfit)?;
        let mut templates = HashMap::new();
        each_literal(&checked, &mut |literal| {
            if literal.contains(['{', '}'])
                && let Ok(template) = Template::read(literal)
            {
                templates.insert(literal.to_owned(), template);
            }
        });
        let probe = probe(&checked, &templates).ok_or_else(|| {
            let reason = "Nobody can be looked up by it: each side of every or needs a comparison such as \
                          email eq \"{account.email}\", with eq and a placeholder, that is in no not";
            not_executable(SCRIPT, reason)
        })?;
        Ok(Self { condition: Condition::new(checked), templates, probe })
    }

    /// The people whom the rule means for an account; two stand for however many more there are.
    ///
    /// A comparison with a placeholder for which the account has no value is not true, and neither is its contrary.
    pub fn find(&self, account: Subject<'_>, people: &impl People) -> Vec<Uuid> {
        let candidates = self.probe.find(account, people).unwrap_or_default();
        let Condition { filter, places } = &self.condition;
        // Where the look-up is the whole filter there is nothing left to be checked.
        if candidates.is_empty() || matches!(filter, Checked::Test(_)) {
            return candidates.iter().copied().take(2).collect();
        }
        let filled = self.filled(filter, account, false);
        let is_meant = |id: &Uuid| people.is_meant(*id, &|person| holds(&filled, places, person));
        candidates.iter().copied().filter(is_meant).take(2).collect()
    }

    /// The places by which people are looked up.
    pub fn places(&self) -> BTreeSet<&Place> {
        let mut places = BTreeSet::new();
        self.probe.each(&mut |place, _| {
            places.insert(place);
        });
        places
    }

    /// May it find somebody for an account that has nothing but a key?
    pub fn finds_by_key(&self) -> bool {
        let mut finds = false;
        self.probe.each(&mut |_, template| finds |= template.places().all(|place| place.known() == Some("key")));
        finds
    }

    /// The filter with what the account says in place of the placeholders.
    fn filled(&self, filter: &Checked<Field>, account: Subject<'_>, is_negated: bool) -> Checked<Field> {
        let all = |parts: &[Checked<Field>]| parts.iter().map(|part| self.filled(part, account, is_negated)).collect();
        match filter {
            Checked::All(parts) => Checked::All(all(parts)),
            Checked::Any(parts) => Checked::Any(all(parts)),
            Checked::Not(inner) => Checked::Not(Box::new(self.filled(inner, account, !is_negated))),
            Checked::Test(test) => {
                let template = literal(&test.condition).and_then(|literal| self.templates.get(literal));
                let Some(template) = template else { return filter.clone() };
                match template.fill(account) {
                    Some(text) => Checked::Test(Test { condition: with(&test.condition, text), ..test.clone() }),
                    None if is_negated => Checked::All(Vec::new()),
                    None => Checked::Any(Vec::new()),
                }
            }
        }
    }
}

impl Probe {
    /// Who may be meant, each once; `None` when the account has no value by which to tell.
    fn find<'p>(&self, account: Subject<'_>, people: &'p impl People) -> Option<Cow<'p, [Uuid]>> {
        match self {
            Self::Equal(place, template) => Some(Cow::Borrowed(people.with(place, &template.fill(account)?))),
            Self::Fewest(probes) => {
                let found = probes.iter().map(|probe| probe.find(account, people)).collect::<Option<Vec<_>>>()?;
                found.into_iter().min_by_key(|found| found.len())
            }
            Self::Any(probes) => {
                let found: Vec<Cow<'p, [Uuid]>> =
                    probes.iter().filter_map(|probe| probe.find(account, people)).collect();
                let mut all = found.concat();
                all.sort_unstable();
                all.dedup();
                Some(Cow::Owned(all))
            }
        }
    }

    fn each<'p>(&'p self, show: &mut impl FnMut(&'p Place, &'p Template)) {
        match self {
            Self::Equal(place, template) => show(place, template),
            Self::Fewest(probes) | Self::Any(probes) => probes.iter().for_each(|probe| probe.each(show)),
        }
    }
}

/// By what people are found whom a filter may mean; `None` when that may be anybody.
fn probe(filter: &Checked<Field>, templates: &HashMap<String, Template>) -> Option<Probe> {
    match filter {
        Checked::Test(test) => match &test.condition {
            Is::Text(Order::Equal, literal) => {
                let template = templates.get(literal).filter(|template| template.places().next().is_some())?;
                Some(Probe::Equal(place(test), template.clone()))
            }
            _ => None,
        },
        Checked::All(parts) => {
            let probes: Vec<Probe> = parts.iter().filter_map(|part| probe(part, templates)).collect();
            (!probes.is_empty()).then_some(Probe::Fewest(probes))
        }
        Checked::Any(parts) => parts.iter().map(|part| probe(part, templates)).collect::<Option<_>>().map(Probe::Any),
        Checked::Not(_) => None,
    }
}

/// The text with which a value is compared.
fn literal(condition: &Is) -> Option<&str> {
    match condition {
        Is::Text(_, literal) | Is::Part(_, literal) => Some(literal),
        Is::Present | Is::NotEmpty | Is::Number(..) | Is::Boolean(_) | Is::Time(..) => None,
    }
}

/// The same comparison with another text.
fn with(condition: &Is, text: String) -> Is {
    match condition {
        Is::Text(order, _) => Is::Text(*order, text),
        Is::Part(part, _) => Is::Part(*part, text),
        other => other.clone(),
    }
}

fn each_literal(filter: &Checked<Field>, show: &mut impl FnMut(&str)) {
    match filter {
        Checked::Test(test) => literal(&test.condition).into_iter().for_each(show),
        Checked::Not(inner) => each_literal(inner, show),
        Checked::All(parts) | Checked::Any(parts) => parts.iter().for_each(|part| each_literal(part, show)),
    }
}

/// Is every brace in the filter's texts one of a placeholder? Looked at before the filter is checked, where places are known.
fn check_placeholders(filter: &Filter) -> Result<(), FilterError> {
    match filter {
        Filter::Present(_) => Ok(()),
        Filter::Within(_, inner) | Filter::Not(inner) => check_placeholders(inner),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().try_for_each(check_placeholders),
        Filter::Compare(comparison) => match &*comparison.literal {
            Literal::Text(text) => {
                let position = comparison.literal.position;
                let misfit = |(found, expected)| FilterError { position, found, expected };
                Template::read(text).map(drop).map_err(misfit)
            }
            _ => Ok(()),
        },
    }
}
