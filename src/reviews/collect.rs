//! What a certification reviews: current access as it was at a position, application by application, account by account.

use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::Arc;

use aggregates::certification::{ApplicationCompleteness, CertificationDefinition, Known};
use aggregates::certification_row::{Folded, RowFilter, View};
use aggregates::certification_rows::{Destination, Row, Source, SourceIdentity};
use projections::applications::ApplicationRow;
use projections::certifications::{
    CollectedAccount, CollectedGrant, accounts_at, entitlements_at, grants_ended, grants_holding, snapshot,
};
use projections::entitlements::EntitlementRow;
use projections::identities::{IdentityRow, active, with_emails};
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Grants that are read, and rows that are handed on, together.
const PAGE: i64 = 4_000;

/// An account or entitlement, with what filters and the next certification see of it.
#[derive(Debug)]
pub struct Part<T> {
    /// As it is recorded.
    pub shown: T,
    /// For filters.
    pub folded: Folded,
    /// For the comparison with the certification before.
    pub known: Known,
    /// Whoever manages it: of an account its person's supervisor, of an entitlement its owners.
    pub managers: Vec<Uuid>,
}

/// A grant in scope.
#[derive(Debug, Clone)]
pub struct Collected {
    /// The account.
    pub source: Arc<Part<Source>>,
    /// The entitlement.
    pub destination: Arc<Part<Destination>>,
    /// The grant; its numbers aren't known yet.
    pub row: Row,
    /// For filters.
    pub folded: Arc<Folded>,
}

impl Collected {
    /// The row for a filter.
    pub fn view<'r>(&'r self, previous: Option<&'r Folded>) -> View<'r> {
        View { source: &self.source.folded, destination: &self.destination.folded, grant: &self.folded, previous }
    }
}

/// Hands on every row in scope, in an order that is the same each time; gives the account of completeness.
///
/// # Errors
/// The tables can't be read, or the filter doesn't fit any more.
pub async fn collect(
    pool: &PgPool,
    definition: &CertificationDefinition,
    position: i64,
    filter: &RowFilter,
    rows: &mpsc::Sender<Vec<Collected>>,
) -> sqlx::Result<Vec<ApplicationCompleteness>> {
    let known = projections::applications::find_all(pool, &definition.application_ids).await?;
    let mut snapshot = snapshot(pool).await?;
    let mut accounts = Vec::new();
    for id in &definition.application_ids {
        let Some(application) = known.get(id) else { continue };
        accounts.push(collect_application(&mut snapshot, pool, application, position, filter, rows).await?);
    }
    snapshot.rollback().await?;
    Ok(accounts)
}

async fn collect_application(
    snapshot: &mut PgConnection,
    pool: &PgPool,
    application: &ApplicationRow,
    position: i64,
    filter: &RowFilter,
    rows: &mpsc::Sender<Vec<Collected>>,
) -> sqlx::Result<ApplicationCompleteness> {
    let mut count = ApplicationCompleteness {
        application_id: application.id,
        name: application.name.clone(),
        rows_in_feeds: 0,
        in_scope: 0,
        out_of_scope_by_filter: 0,
        uncorrelated: 0,
    };
    let entitlements = entitlements_at(&mut *snapshot, application.id, position).await?;
    let destinations = destinations(pool, application, entitlements).await?;
    let mut ended = grants_ended(&mut *snapshot, application.id, position).await?.into_iter().peekable();
    let mut after = (Uuid::nil(), Uuid::nil());
    let mut source: Option<(Uuid, Option<Arc<Part<Source>>>)> = None;
    loop {
        let holding = grants_holding(&mut *snapshot, application.id, position, after, PAGE).await?;
        let last = holding.last().map(|grant| (grant.account_id, grant.entitlement_id));
        let is_last = holding.len() < PAGE as usize;
        let grants = merged(holding, &mut ended, last.filter(|_| !is_last));
        let mut accounts: Vec<Uuid> = grants.iter().map(|grant| grant.account_id).collect();
        accounts.dedup();
        let accounts = accounts_at(&mut *snapshot, &accounts, position).await?;
        let mut batch = Vec::with_capacity(grants.len());
        for grant in grants {
            count.rows_in_feeds += 1;
            if source.as_ref().is_none_or(|(id, _)| *id != grant.account_id) {
                let account = accounts.get(&grant.account_id);
                source = Some((grant.account_id, account.and_then(|account| part_of(account, application))));
            }
            let source = source.as_ref().and_then(|(_, source)| source.as_ref());
            let (Some(source), Some(destination)) = (source, destinations.get(&grant.entitlement_id)) else {
                count.uncorrelated += 1;
                continue;
            };
            let collected = collected(grant, source, destination);
            if filter.as_ref().is_none_or(|filter| filter.matches(&collected.view(None))) {
                count.in_scope += 1;
                batch.push(collected);
            } else {
                count.out_of_scope_by_filter += 1;
            }
        }
        hand_on(rows, batch).await?;
        match last {
            Some(last) if !is_last => after = last,
            _ => return Ok(count),
        }
    }
}

/// Grants that hold and grants that have ended since, as one list; of the latter those up to `until`, or all.
fn merged(
    holding: Vec<CollectedGrant>,
    ended: &mut Peekable<impl Iterator<Item = CollectedGrant>>,
    until: Option<(Uuid, Uuid)>,
) -> Vec<CollectedGrant> {
    let place = |grant: &CollectedGrant| (grant.account_id, grant.entitlement_id);
    let mut grants = holding;
    let before = grants.len();
    grants.extend(std::iter::from_fn(|| ended.next_if(|grant| until.is_none_or(|until| place(grant) <= until))));
    if grants.len() > before {
        grants.sort_by_key(place);
    }
    grants
}

async fn hand_on(rows: &mpsc::Sender<Vec<Collected>>, batch: Vec<Collected>) -> sqlx::Result<()> {
    // Whoever wanted them has stopped: so does this.
    rows.send(batch).await.map_err(|_| sqlx::Error::WorkerCrashed)
}

fn collected(grant: CollectedGrant, source: &Arc<Part<Source>>, destination: &Arc<Part<Destination>>) -> Collected {
    let row = Row {
        source: 0,
        destination: 0,
        granted_at: grant.granted_at,
        attributes: grant.attributes.map(|attributes| attributes.0).unwrap_or_default(),
        previous: None,
        is_unchanged: false,
        reviewers: 0,
    };
    let folded = Arc::new(row.folded());
    Collected { source: Arc::clone(source), destination: Arc::clone(destination), row, folded }
}

/// `None` when nobody is known to have the account.
fn part_of(account: &CollectedAccount, application: &ApplicationRow) -> Option<Arc<Part<Source>>> {
    let shown = Source {
        id: account.id,
        r#type: account.r#type.clone(),
        name: account.name.clone().unwrap_or_else(|| account.key.clone()),
        key: account.key.clone(),
        email: account.email.clone(),
        employee_id: account.employee_id.clone(),
        datasource_id: application.id,
        datasource_name: application.name.clone(),
        is_active: account.is_active.unwrap_or(true),
        last_login_at: account.last_login_at,
        attributes: account.attributes.clone(),
        identity: person(account.identity.as_ref()?),
    };
    let (folded, known) = (shown.folded(), Known::from(&shown));
    let managers = account.manager_id.into_iter().collect();
    Some(Arc::new(Part { shown, folded, known, managers }))
}

fn person(row: &IdentityRow) -> SourceIdentity {
    SourceIdentity {
        id: row.id,
        r#type: row.r#type.clone(),
        status: row.status.clone(),
        is_active: row.status == "Active",
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        display_name: row.display_name.clone(),
        email: row.email.clone(),
        employee_id: row.employee_id.clone(),
        title: row.title.clone(),
        company: row.company.clone(),
        division: row.division.clone(),
        department: row.department.clone(),
        office: row.office.clone(),
        supervisor: row.supervisor.clone(),
        supervisor_id: row.supervisor_id,
        created_date: row.created_date,
        updated_date: row.updated_date,
        inactivated_date: row.inactivated_date,
        attributes: row.attributes.0.clone(),
    }
}

/// An entitlement's owner is whoever has that e-mail address; where nobody does, who answers for the application manages it.
async fn destinations(
    pool: &PgPool,
    application: &ApplicationRow,
    rows: Vec<EntitlementRow>,
) -> sqlx::Result<HashMap<Uuid, Arc<Part<Destination>>>> {
    let mut owners: Vec<String> = rows.iter().filter_map(|row| row.owner.as_deref().map(str::to_lowercase)).collect();
    owners.sort_unstable();
    owners.dedup();
    let owners: HashMap<String, Uuid> = with_emails(pool, &owners).await?.into_iter().collect();
    let responders = active(pool, &application.responders.0).await?;
    let part = |row: EntitlementRow| {
        let owner = row.owner.as_deref().and_then(|owner| owners.get(&owner.to_lowercase()));
        let managers = owner.map_or_else(|| responders.clone(), |owner| vec![*owner]);
        let shown = Destination {
            id: row.id,
            r#type: row.r#type,
            name: row.name.unwrap_or_else(|| row.key.clone()),
            key: row.key,
            description: row.description,
            owner: row.owner,
            datasource_id: application.id,
            datasource_name: application.name.clone(),
            is_active: true,
            is_privileged: row.is_privileged,
            attributes: row.attributes.0,
        };
        let (folded, known) = (shown.folded(), Known::from(&shown));
        Arc::new(Part { shown, folded, known, managers })
    };
    Ok(rows.into_iter().map(|row| (row.id, part(row))).collect())
}
