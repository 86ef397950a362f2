//! Who is who: a key that was seen before is the same person; a new one matches an unlinked person by employeeId, then
//! e-mail; two candidates are an issue, no guess (rulings 11).

use std::collections::{BTreeMap, HashMap, HashSet};

use aggregates::account::comparable;
use aggregates::difference::{Known, difference};
use aggregates::identity::{IdentityRecord, Source, SourceRecord, merge, observe};
use aggregates::values::folded;
use projections::identities::{Candidate, KnownRecord, Whole, candidates, known_records, other_records, precedence};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Plan, Planning, remark_unreadable};
use crate::imports::Fault;
use crate::imports::correlator::Correlator;
use crate::imports::delivered::{Delivered, Keyed};
use crate::imports::issues::{Issues, Place, Problem};
use crate::imports::known::IdentityIndex;

/// Fields by which a new key finds a person whom another source named, in order.
const MATCHING: [&str; 2] = ["employeeId", "email"];

/// A delivered record and whose it is.
struct Person {
    id: Uuid,
    record: IdentityRecord,
    matched_by: Option<String>,
}

/// Plans the identities; gives the correlator by which accounts find them, those of this import included.
pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    plan: &mut Plan,
    issues: &mut Issues,
) -> Result<Correlator, Fault> {
    let mut correlator = Correlator::new(planning.definition.correlation(), planning.correlation.clone());
    let file = delivered.identities.take();
    // Accounts that only grants name have nothing but a key by which somebody could be found.
    let correlates = delivered.accounts.is_some() || (delivered.grants.is_some() && correlator.finds_by_key());
    if file.is_none() && !correlates {
        return Ok(correlator);
    }
    let is_whole = correlates && correlator.needs_whole();
    let candidates = planning.block_on(candidates(planning.pool, is_whole))?;
    let Some(mut file) = file else {
        for candidate in candidates {
            correlator.add(candidate);
        }
        return Ok(correlator);
    };
    let known = planning.block_on(known_records(planning.pool, planning.application))?;
    let known: HashMap<String, KnownRecord> = known.into_iter().map(|record| (record.key.clone(), record)).collect();
    let mut people = find_people(planning, &mut file, &known, &candidates, issues)?;
    let candidates = renewed(planning, &file, &known, &people, candidates, is_whole)?;
    find_supervisors(&mut people, &known, &candidates);
    for candidate in candidates {
        correlator.add(candidate);
    }
    observe_all(planning, plan, &file, &known, people);
    remark_unreadable(&mut plan.remarks, &file.listing.file, file.listing.unreadable);
    Ok(correlator)
}

/// Gives each delivered key its identity.
fn find_people(
    planning: &Planning<'_>,
    file: &mut Keyed<IdentityRecord>,
    known: &HashMap<String, KnownRecord>,
    candidates: &[Candidate],
    issues: &mut Issues,
) -> Result<BTreeMap<String, Person>, Fault> {
    let mut unlinked = IdentityIndex::of(MATCHING);
    for candidate in candidates.iter().filter(|candidate| !candidate.sources.contains(&planning.application)) {
        unlinked.add_candidate(candidate);
    }
    // In the order of rows, so that ids and matches don't depend on chance.
    let mut rows: Vec<(u32, String, IdentityRecord)> =
        std::mem::take(&mut file.records).into_iter().map(|(key, (record, row))| (row, key, record)).collect();
    rows.sort_unstable_by_key(|(row, ..)| *row);
    let mut taken: HashMap<Uuid, u32> = HashMap::new();
    let mut people = BTreeMap::new();
    for (row, key, record) in rows {
        let (id, matched_by) = match known.get(&key) {
            Some(known) => (known.identity_id, None),
            None => match find_unlinked(&unlinked, &record, &taken) {
                Ok(Some((id, field))) => {
                    taken.insert(id, row);
                    (id, Some(field))
                }
                Ok(None) => (planning.clock.id(), None),
                Err(message) => {
                    let place = Place { file_group_id: file.listing.file_group_id, file: &file.listing.file, row };
                    issues.reject(place, vec![Problem::of_row("ambiguous_identity", message)])?;
                    file.listing.protected.insert(key);
                    continue;
                }
            },
        };
        people.insert(key, Person { id, record, matched_by });
    }
    Ok(people)
}

/// The one unlinked identity that a record means; two are an issue.
fn find_unlinked(
    unlinked: &IdentityIndex,
    record: &IdentityRecord,
    taken: &HashMap<Uuid, u32>,
) -> Result<Option<(Uuid, String)>, String> {
    for field in MATCHING {
        let value = if field == "email" { &record.email } else { &record.employee_id };
        let Some(value) = value else { continue };
        match unlinked.find(field, &comparable(value)).as_slice() {
            [] => {}
            [id] => {
                return match taken.get(id) {
                    None => Ok(Some((*id, field.to_owned()))),
                    Some(row) => {
                        Err(format!("The {field} {value:?} belongs to identity {id}, which row {row} has matched"))
                    }
                };
            }
            several => {
                let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
                return Err(format!("The {field} {value:?} belongs to several identities: {}", ids.join(", ")));
            }
        }
    }
    Ok(None)
}

/// The identities as they will be once the import is applied: what it changes must not be found by its old values, or the
/// same feed would find something else the next time.
fn renewed(
    planning: &Planning<'_>,
    file: &Keyed<IdentityRecord>,
    known: &HashMap<String, KnownRecord>,
    people: &BTreeMap<String, Person>,
    candidates: Vec<Candidate>,
    is_whole: bool,
) -> Result<Vec<Candidate>, Fault> {
    let source = |key: &str| Source { application_id: planning.application, key: key.to_owned() };
    let mut records: HashMap<Uuid, Vec<SourceRecord>> = HashMap::new();
    for (key, person) in people {
        let said = SourceRecord { source: source(key), record: person.record.clone(), is_present: true };
        records.entry(person.id).or_default().push(said);
    }
    for gone in known.values().filter(|known| !people.contains_key(&known.key)) {
        let is_present = gone.is_present && !file.listing.removes(gone.key.as_str());
        let said = SourceRecord { source: source(&gone.key), record: gone.record.0.clone(), is_present };
        records.entry(gone.identity_id).or_default().push(said);
    }
    let speaks = |(key, person): &(&String, &Person)| {
        known.get(*key).is_none_or(|known| !known.is_present || known.record.0 != person.record)
    };
    let spoken: HashSet<Uuid> = people.iter().filter(speaks).map(|(_, person)| person.id).collect();
    let shared: Vec<Uuid> = candidates
        .iter()
        .filter(|candidate| candidate.sources.iter().any(|source| *source != planning.application))
        .map(|candidate| candidate.id)
        .filter(|id| records.contains_key(id))
        .collect();
    for other in planning.block_on(other_records(planning.pool, planning.application, &shared))? {
        let source = Source { application_id: other.application_id, key: other.key };
        // What a personnel event said is over when this import speaks of the person.
        let is_over = source.is_of_people() && spoken.contains(&other.identity_id);
        let said = SourceRecord { source, record: other.record.0, is_present: other.is_present && !is_over };
        records.entry(other.identity_id).or_default().push(said);
    }
    let order = planning.block_on(precedence(planning.pool))?;
    let untouched = candidates.into_iter().filter(|candidate| !records.contains_key(&candidate.id)).collect::<Vec<_>>();
    let touched = records.iter().map(|(id, said)| {
        let merged = merge(said, &order);
        let whole = is_whole.then(|| Json(Whole::of(said, merged.clone())));
        Candidate {
            id: *id,
            display_name: merged.display_name,
            email: merged.email,
            employee_id: merged.employee_id,
            attributes: Json(merged.attributes),
            keys: said.iter().map(|said| said.source.key.clone()).collect(),
            sources: said.iter().map(|said| said.source.application_id).collect(),
            whole,
        }
    });
    Ok(untouched.into_iter().chain(touched).collect())
}

/// Resolves each supervisor: by key in this source, else by display name among the delivered, else among all known.
fn find_supervisors(
    people: &mut BTreeMap<String, Person>,
    known: &HashMap<String, KnownRecord>,
    candidates: &[Candidate],
) {
    let mut delivered_names: HashMap<String, HashSet<Uuid>> = HashMap::new();
    let mut known_names: HashMap<String, HashSet<Uuid>> = HashMap::new();
    let mut keys: HashMap<&str, Uuid> = known.iter().map(|(key, known)| (key.as_str(), known.identity_id)).collect();
    for (key, person) in people.iter() {
        keys.insert(key, person.id);
        if let Some(name) = display_name(&person.record) {
            delivered_names.entry(folded(&name)).or_default().insert(person.id);
        }
    }
    for candidate in candidates {
        if let Some(name) = &candidate.display_name {
            known_names.entry(folded(name)).or_default().insert(candidate.id);
        }
    }
    let only = |names: &HashMap<String, HashSet<Uuid>>, name: &str| match names.get(name) {
        Some(ids) if ids.len() == 1 => ids.iter().next().copied(),
        _ => None,
    };
    let found: Vec<Option<Uuid>> = people
        .values()
        .map(|person| {
            let supervisor = person.record.supervisor.as_deref()?;
            let name = folded(supervisor);
            keys.get(supervisor)
                .copied()
                .or_else(|| only(&delivered_names, &name))
                .or_else(|| only(&known_names, &name))
        })
        .collect();
    for (person, supervisor_id) in people.values_mut().zip(found) {
        person.record.supervisor_id = supervisor_id;
    }
}

fn display_name(record: &IdentityRecord) -> Option<String> {
    record
        .display_name
        .clone()
        .or_else(|| Some(format!("{} {}", record.first_name.as_ref()?, record.last_name.as_ref()?)))
}

fn observe_all(
    planning: &Planning<'_>,
    plan: &mut Plan,
    file: &Keyed<IdentityRecord>,
    known: &HashMap<String, KnownRecord>,
    people: BTreeMap<String, Person>,
) {
    let source = |key: &str| Source { application_id: planning.application, key: key.to_owned() };
    let mut missing: Vec<&KnownRecord> =
        known.values().filter(|known| known.is_present && !people.contains_key(&known.key)).collect();
    missing.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    for (key, person) in people {
        let before = match known.get(&key) {
            None => Known::Never,
            Some(known) if known.is_present => Known::Present(&known.record.0),
            Some(known) => Known::Removed(&known.record.0),
        };
        plan.metrics.identities.count(difference(before, Some(&person.record)));
        let event = observe(before, planning.import, source(&key), Some(person.record), person.matched_by);
        plan.identities.extend(event.map(|event| (person.id, event)));
    }
    for known in missing {
        if !file.listing.removes(known.key.as_str()) {
            plan.metrics.identities.count(None);
            continue;
        }
        let before = Known::Present(&known.record.0);
        plan.metrics.identities.count(difference(before, None));
        let event = observe(before, planning.import, source(&known.key), None, None);
        plan.identities.extend(event.map(|event| (known.identity_id, event)));
    }
}
