//! From the plan to events: stream by stream, in slices at the writer's pace.

use std::collections::HashMap;
use std::ops::Range;

use aggregates::account::{Account, AccountEvent, GrantEntry, access_changed, event_of};
use aggregates::application_import::ApplicationImport;
use aggregates::difference::Change;
use aggregates::entitlement::{Entitlement, EntitlementEvent};
use aggregates::identity::Identity;
use aggregates::{DomainEvent, ids};
use cqrs_es::Aggregate;
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::Fault;
use super::delivered::Interner;
use super::plan::{AccessChange, AccountChange, Operation, Plan};
use crate::journal::{Append, AppendError, Context, Expected, Journal, Pace, StreamEvents, StreamId};
use crate::work::planned_events::PlannedEvent;

/// Slices on their way: while the writer works on one, the next is made.
const IN_FLIGHT: usize = 2;

/// Applies a plan. `version` is the import stream's: as soon as it moves on (cancelled, taken over) nothing more is applied.
pub async fn apply(
    journal: &Journal,
    context: &Context,
    import: Uuid,
    application: Uuid,
    version: i64,
    plan: Plan,
    mut applied: impl FnMut(usize),
) -> Result<(), Fault> {
    let guard = (StreamId::of::<ApplicationImport>(&import), version);
    let pace = Pace::default();
    let mut streams = streams(import, application, plan).peekable();
    let slices = std::iter::from_fn(|| {
        // An event is one, and each grant that it changes is another.
        let wanted = pace.rows(journal);
        let (mut slice, mut rows) = (Vec::new(), 0);
        while rows < wanted
            && let Some(stream) = streams.next()
        {
            rows += stream.events.iter().map(rows_of).sum::<usize>();
            slice.push(stream);
        }
        (!slice.is_empty()).then_some((slice, rows))
    });
    let answers = stream::iter(slices)
        .map(|(slice, rows)| {
            let append = Append {
                streams: slice,
                guards: vec![guard.clone()],
                take: Vec::new(),
                release: Vec::new(),
                context: context.clone(),
            };
            async move { journal.append_bulk(append).await.map(|appended| (appended.took, rows)) }
        })
        .buffered(IN_FLIGHT);
    let mut answers = std::pin::pin!(answers);
    loop {
        match answers.try_next().await {
            Ok(Some((took, rows))) => {
                applied(rows);
                pace.measured(rows, took);
            }
            Ok(None) => return Ok(()),
            Err(AppendError::Guard { .. }) => return Err(Fault::Interrupted),
            Err(error) => return Err(Fault::Command(error.into())),
        }
    }
}

/// How many rows an import applies.
pub fn rows(plan: &Plan) -> usize {
    plan.identities.len() + plan.entitlements.len() + plan.accounts.len() + plan.access.len()
}

/// The events of a plan, not to be appended.
pub fn planned(import: Uuid, application: Uuid, plan: Plan) -> impl Iterator<Item = PlannedEvent> + Send {
    streams(import, application, plan).flat_map(|stream| {
        let aggregate_id = stream.stream.aggregate_id;
        let planned = move |event| PlannedEvent { aggregate_id: aggregate_id.clone(), changes: rows_of(&event), event };
        stream.events.into_iter().map(planned)
    })
}

/// How many changes an event holds.
fn rows_of(event: &DomainEvent) -> usize {
    match event {
        DomainEvent::Account(AccountEvent::AccountAccessChanged { granted, changed, revoked, .. }) => {
            granted.len() + changed.len() + revoked.len()
        }
        _ => 1,
    }
}

fn stream_of<A: Aggregate>(id: Uuid, events: Vec<DomainEvent>) -> StreamEvents {
    // The guard says that it is this import's turn. Whoever else writes here, links by hand, wins in either order.
    StreamEvents { stream: StreamId::of::<A>(&id), expected: Expected::Any, events }
}

/// People first, then what can be granted, then accounts with their access, and last what is granted no more.
fn streams(import: Uuid, application: Uuid, plan: Plan) -> impl Iterator<Item = StreamEvents> + Send {
    let Plan { identities, entitlements, accounts, access, account_keys, entitlement_keys, attributes, .. } = plan;
    let (removed, present): (Vec<_>, Vec<_>) =
        entitlements.into_iter().partition(|(_, event)| matches!(event, EntitlementEvent::EntitlementRemoved { .. }));
    let entitlement_streams = |list: Vec<(Uuid, EntitlementEvent)>| {
        list.into_iter().map(|(id, event)| stream_of::<Entitlement>(id, vec![event.into()]))
    };
    let joined = by_account(application, accounts, &access, &account_keys);
    let account_streams = joined.into_iter().map(move |Joined { id, number, change, access: range }| {
        let mut events = Vec::new();
        let record = change.record.map(|record| *record).unwrap_or_default();
        let mut happened =
            change.happens.map(|happens| event_of(happens, import, application, account_keys.text(number), record));
        if change.happens != Some(Change::Removed) {
            events.extend(happened.take().map(DomainEvent::from));
        }
        events.extend(change.correlated.map(|event| DomainEvent::from(*event)));
        let (mut granted, mut changed, mut revoked) = (Vec::new(), Vec::new(), Vec::new());
        for change in &access[range] {
            let entitlement = entitlement_keys.text(change.entitlement).to_owned();
            let attributes = || attributes.sets[change.attributes as usize].clone();
            match change.operation {
                Operation::Grant => granted.push(GrantEntry { attributes: attributes(), entitlement }),
                Operation::Change => changed.push(GrantEntry { attributes: attributes(), entitlement }),
                Operation::Revoke => revoked.push(entitlement),
            }
        }
        events
            .extend(access_changed(import, application, granted, changed, revoked).into_iter().map(DomainEvent::from));
        events.extend(happened.map(DomainEvent::from));
        stream_of::<Account>(id, events)
    });
    identities
        .into_iter()
        .map(|(id, event)| stream_of::<Identity>(id, vec![event.into()]))
        .chain(entitlement_streams(present))
        .chain(account_streams)
        .chain(entitlement_streams(removed))
}

/// All that happens to an account.
struct Joined {
    id: Uuid,
    /// Of its key.
    number: u32,
    change: AccountChange,
    access: Range<usize>,
}

/// Joins what happens to accounts with what happens to their access, in the order of ids: neighbours in the log are then
/// neighbours in every index.
fn by_account(
    application: Uuid,
    accounts: Vec<(u32, AccountChange)>,
    access: &[AccessChange],
    keys: &Interner,
) -> Vec<Joined> {
    let mut ranges: HashMap<u32, Range<usize>> = HashMap::new();
    let mut start = 0;
    for group in access.chunk_by(|a, b| a.account == b.account) {
        ranges.insert(group[0].account, start..start + group.len());
        start += group.len();
    }
    let join =
        |number, change, access| Joined { id: ids::account(application, keys.text(number)), number, change, access };
    let mut joined: Vec<Joined> = accounts
        .into_iter()
        .map(|(number, change)| join(number, change, ranges.remove(&number).unwrap_or_default()))
        .collect();
    joined.extend(ranges.into_iter().map(|(number, range)| join(number, AccountChange::default(), range)));
    joined.sort_unstable_by_key(|joined| joined.id);
    joined
}
