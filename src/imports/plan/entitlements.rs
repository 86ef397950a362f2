//! Entitlements: from their own file and from the grants that name them; one that neither names any more is removed.

use std::collections::{HashMap, HashSet};

use aggregates::application::Content;
use aggregates::difference::{Known, difference};
use aggregates::entitlement::{EntitlementRecord, observe};
use aggregates::ids;
use projections::entitlements::EntitlementRow;
use uuid::Uuid;

use super::access::Named;
use super::{Plan, Planning, remark_unreadable};
use crate::imports::delivered::Delivered;

pub(super) fn plan(
    planning: &Planning<'_>,
    delivered: &mut Delivered,
    known: &HashMap<Uuid, EntitlementRow>,
    plan: &mut Plan,
    named: &Named,
) {
    let Some(named) = named else { return };
    let file = delivered.entitlements.take();
    let mut wanted: Vec<(String, Option<EntitlementRecord>)> = Vec::new();
    let mut told: HashSet<&str> = HashSet::new();
    for (key, (record, _)) in file.iter().flat_map(|file| &file.records) {
        wanted.push((key.clone(), Some(record.clone())));
        told.insert(key);
    }
    // Named only by grants: the entitlement is there, with what is known of it.
    let by_grants = delivered.grants.iter().flat_map(|grants| grants.entitlements.texts());
    for key in by_grants.filter(|key| !told.contains(*key)) {
        if named.contains(&ids::entitlement(planning.application, key)) {
            wanted.push((key.to_owned(), None));
        }
    }
    wanted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut seen: HashSet<Uuid> = HashSet::new();
    for (key, record) in wanted {
        let id = ids::entitlement(planning.application, &key);
        seen.insert(id);
        let row = known.get(&id);
        let before = row.map(|row| row.clone().record());
        let record = record.or_else(|| before.clone()).unwrap_or_default();
        let before = match (row, &before) {
            (Some(row), Some(before)) if row.validity.valid_to.is_none() => Known::Present(before),
            (Some(_), Some(before)) => Known::Removed(before),
            _ => Known::Never,
        };
        plan.metrics.entitlements.count(difference(before, Some(&record)));
        let event = observe(before, planning.import, planning.application, &key, Some(record));
        plan.entitlements.extend(event.map(|event| (id, event)));
    }
    let mut missing: Vec<&EntitlementRow> =
        known.values().filter(|row| row.validity.valid_to.is_none() && !seen.contains(&row.id)).collect();
    missing.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let has_group = planning.definition.delivers(Content::Entitlements);
    for row in missing {
        // Its own file says so; or there is none, and the grants do.
        let is_gone = match (&file, &delivered.grants) {
            (Some(file), _) => file.listing.removes(row.key.as_str()),
            (None, Some(grants)) => !has_group && grants.said.listing.unreadable.is_none(),
            (None, None) => false,
        };
        let is_protected = delivered.grants.as_ref().is_some_and(|grants| {
            let number = grants.entitlements.find(&row.key);
            number.is_some_and(|number| {
                grants.said.listing.protected.iter().any(|(_, entitlement)| *entitlement == number)
            })
        });
        if !is_gone || is_protected || named.contains(&row.id) {
            plan.metrics.entitlements.count(None);
            continue;
        }
        let record = row.clone().record();
        let before = Known::Present(&record);
        plan.metrics.entitlements.count(difference(before, None));
        let event = observe(before, planning.import, planning.application, &row.key, None);
        plan.entitlements.extend(event.map(|event| (row.id, event)));
    }
    if let Some(file) = &file {
        remark_unreadable(&mut plan.remarks, &file.listing.file, file.listing.unreadable);
    }
}
