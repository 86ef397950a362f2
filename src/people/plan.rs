//! What a stage of work does to access: one request for each application (and action).

use std::collections::{BTreeMap, BTreeSet};

use aggregates::access_request::{Action, Peers, Privilege, RequestedAccess};
use aggregates::identity::IdentityCommand;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventType, Requested, Stage};
use projections::access_requests::AccessRequestRow;
use sqlx::PgPool;
use uuid::Uuid;

/// A request to be made.
pub struct Planned {
    /// What.
    pub request: RequestedAccess,
    /// The personnel event's approval covers it; a suggestion somebody must approve.
    pub is_approved: bool,
}

/// What a stage does.
#[derive(Default)]
pub struct Plan {
    /// To access.
    pub requests: Vec<Planned>,
    /// To the identity.
    pub identity: Option<IdentityCommand>,
}

/// Entitlements by application and action.
type Wanted = BTreeMap<(Uuid, Action), Vec<Privilege>>;

/// What a stage of an event does.
///
/// # Errors
/// The tables can't be read.
pub async fn of(pool: &PgPool, id: Uuid, event: &PersonnelEvent, stage: Stage) -> sqlx::Result<Plan> {
    let (Some(request), Some(identity)) = (&event.request, event.identity_id) else { return Ok(Plan::default()) };
    let mut is_suggested = false;
    let mut change = None;
    let wanted = match (request.r#type, stage) {
        (PersonnelEventType::Offboard, _) | (PersonnelEventType::Onboard, Stage::Removal) => {
            change = Some(IdentityCommand::Offboard { personnel_event: id });
            all(pool, identity, Action::Remove).await?
        }
        (PersonnelEventType::Absence, Stage::Removal) => {
            restored(pool, identity, projections::access_requests::of_personnel_event(pool, id).await?).await?
        }
        (PersonnelEventType::Absence, _) => all(pool, identity, Action::Suspend).await?,
        (PersonnelEventType::RoleTransition, Stage::TransitionOut) => {
            change = Some(IdentityCommand::EndTransition { personnel_event: id });
            let requests = projections::access_requests::of_personnel_event(pool, id).await?;
            reversed(requests, &held(pool, identity, false).await?)
        }
        (PersonnelEventType::RoleTransition, _) => {
            change = Some(IdentityCommand::Transition { personnel_event: id, record: request.identity.clone() });
            is_suggested = true;
            usual(pool, identity, request, true).await?
        }
        (PersonnelEventType::Onboard, _) => {
            is_suggested = true;
            usual(pool, identity, request, false).await?
        }
    };
    let requests = wanted
        .into_iter()
        .map(|((application_id, action), privileges)| Planned {
            is_approved: !is_suggested,
            request: RequestedAccess {
                action,
                identity_id: identity,
                application_id,
                privileges,
                needed_at: Some(if stage.is_at_end() { request.end_at } else { None }.unwrap_or(request.effective_at)),
                personnel_event_id: Some(id),
                is_suggested,
                review_item: None,
                comment: None,
            },
        })
        .collect();
    Ok(Plan { requests, identity: change })
}

/// What a person holds, by application; an account that holds nothing counts itself.
async fn held(pool: &PgPool, identity: Uuid, is_used_only: bool) -> sqlx::Result<BTreeMap<Uuid, Vec<Privilege>>> {
    let mut accounts = projections::accounts::of_identity(pool, identity).await?;
    // What is switched off is not suspended, nor switched on again at the end.
    accounts.retain(|account| !is_used_only || account.is_active != Some(false));
    let keys: Vec<(Uuid, Uuid)> = accounts.iter().map(|account| (account.application_id, account.id)).collect();
    let mut held: BTreeMap<Uuid, Vec<Privilege>> = BTreeMap::new();
    let mut holding = BTreeSet::new();
    for grant in projections::grants::of_accounts(pool, &keys).await? {
        holding.insert(grant.account_id);
        held.entry(grant.application_id).or_default().push(Privilege {
            account_id: Some(grant.account_id),
            entitlement_id: Some(grant.entitlement_id),
            key: grant.entitlement_key,
            name: grant.entitlement_name,
            peers: None,
        });
    }
    for account in accounts.into_iter().filter(|account| !holding.contains(&account.id)) {
        held.entry(account.application_id).or_default().push(Privilege {
            account_id: Some(account.id),
            entitlement_id: None,
            key: account.key,
            name: account.name,
            peers: None,
        });
    }
    Ok(held)
}

async fn all(pool: &PgPool, identity: Uuid, action: Action) -> sqlx::Result<Wanted> {
    let held = held(pool, identity, action == Action::Suspend).await?;
    Ok(held.into_iter().map(|(application, privileges)| ((application, action), privileges)).collect())
}

/// What was suspended and nobody has wanted to take since.
async fn restored(pool: &PgPool, identity: Uuid, requests: Vec<AccessRequestRow>) -> sqlx::Result<Wanted> {
    let first = requests.iter().map(|row| row.number).min().unwrap_or_default();
    let taken = projections::access_requests::taken_after(pool, identity, first).await?;
    let is_left = |privilege: &Privilege| !taken.contains(&(privilege.account_id, privilege.entitlement_id));
    let suspended = requests.into_iter().filter_map(|row| row.state.0.request.filter(|_| row.status != "Canceled"));
    let mut wanted = Wanted::new();
    for request in suspended.filter(|request| request.action == Action::Suspend) {
        let left: Vec<Privilege> = request.privileges.into_iter().filter(is_left).collect();
        if !left.is_empty() {
            wanted.entry((request.application_id, Action::Restore)).or_default().extend(left);
        }
    }
    Ok(wanted)
}

/// What a transition gave is taken, as far as it is held; what it took is given back.
fn reversed(requests: Vec<AccessRequestRow>, held: &BTreeMap<Uuid, Vec<Privilege>>) -> Wanted {
    let mut wanted = Wanted::new();
    for row in requests.into_iter().filter(|row| matches!(row.status.as_str(), "Resolved" | "Completed")) {
        let Some(request) = row.state.0.request else { continue };
        let application = request.application_id;
        if request.action == Action::Remove {
            let given = request.privileges.into_iter().map(|privilege| Privilege { peers: None, ..privilege });
            wanted.entry((application, Action::Add)).or_default().extend(given);
        } else {
            let taken: BTreeSet<Option<Uuid>> =
                request.privileges.iter().map(|privilege| privilege.entitlement_id).collect();
            let of_it = held.get(&application).into_iter().flatten();
            let of_it: Vec<Privilege> = of_it
                .filter(|held| held.entitlement_id.is_some() && taken.contains(&held.entitlement_id))
                .cloned()
                .collect();
            if !of_it.is_empty() {
                wanted.entry((application, Action::Remove)).or_default().extend(of_it);
            }
        }
    }
    wanted
}

/// What at least half of the people with the same department and title hold and the person doesn't; and, where there are such people,
/// what the person holds and none of them does.
async fn usual(pool: &PgPool, identity: Uuid, request: &Requested, takes: bool) -> sqlx::Result<Wanted> {
    let known = projections::identities::find(pool, identity).await?;
    let (department, title) = known.map(|view| (view.row.department, view.row.title)).unwrap_or_default();
    let (Some(department), Some(title)) =
        (request.identity.department.clone().or(department), request.identity.title.clone().or(title))
    else {
        return Ok(Wanted::new());
    };
    let usual = projections::identities::usual(pool, &department, &title, Some(identity)).await?;
    let held = held(pool, identity, false).await?;
    let has = |application: Uuid, entitlement: Uuid| {
        held.get(&application).into_iter().flatten().any(|held| held.entitlement_id == Some(entitlement))
    };
    let mut wanted = Wanted::new();
    for usual in usual.iter().filter(|usual| usual.holding * 2 >= usual.peers) {
        if !has(usual.application_id, usual.entitlement_id) {
            wanted.entry((usual.application_id, Action::Add)).or_default().push(Privilege {
                account_id: None,
                entitlement_id: Some(usual.entitlement_id),
                key: usual.key.clone(),
                name: usual.name.clone(),
                peers: Some(Peers { holding: usual.holding, of: usual.peers }),
            });
        }
    }
    let Some(peers) = usual.first().map(|usual| usual.peers).filter(|_| takes) else { return Ok(wanted) };
    let kept: BTreeSet<(Uuid, Uuid)> = usual.iter().map(|usual| (usual.application_id, usual.entitlement_id)).collect();
    for (application, privileges) in held {
        for privilege in privileges {
            let is_unusual =
                privilege.entitlement_id.is_some_and(|entitlement| !kept.contains(&(application, entitlement)));
            if is_unusual {
                let peers = Some(Peers { holding: 0, of: peers });
                wanted.entry((application, Action::Remove)).or_default().push(Privilege { peers, ..privilege });
            }
        }
    }
    Ok(wanted)
}
