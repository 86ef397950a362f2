use std::collections::HashMap;

use aggregates::identity::{IdentityRecord, IdentityType, SourceRecord};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{IdentityRow, status};
use crate::counts;
use crate::page::{Page, Window};

/// A current identity with its supervisor's name.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct IdentityView {
    /// The identity.
    #[sqlx(flatten)]
    pub row: IdentityRow,
    /// `Last, First` of the supervisor; else its display name; else what the feed says.
    pub supervisor_name: Option<String>,
}

const SELECT: &str = "
    SELECT i.*, CASE
               WHEN s.last_name IS NOT NULL AND s.first_name IS NOT NULL THEN s.last_name || ', ' || s.first_name
               ELSE coalesce(s.display_name, s.last_name, s.first_name, i.supervisor)
           END AS supervisor_name
    FROM identities AS i LEFT JOIN identities AS s ON s.id = i.supervisor_id AND s.valid_to IS NULL
    WHERE i.valid_to IS NULL";

/// One page, by last name and first name; who has no last name stands under the display name.
pub async fn list(pool: &PgPool, page: i64) -> sqlx::Result<Page<IdentityView>> {
    let total = counts::rows(pool, "identities", Uuid::nil()).await?;
    let window = Window::of(page, total);
    let direction = window.direction();
    let rows = sqlx::query_as(&format!(
        "{SELECT} ORDER BY coalesce(i.last_name, i.display_name, '') {direction}, coalesce(i.first_name, '') {direction},
                           i.id {direction} OFFSET $1 LIMIT $2"
    ))
    .bind(window.offset)
    .bind(window.limit)
    .fetch_all(pool)
    .await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// One identity.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<IdentityView>> {
    sqlx::query_as(&format!("{SELECT} AND i.id = $1")).bind(id).fetch_optional(executor).await
}

/// Several identities, by id.
pub async fn find_all(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, IdentityView>> {
    let rows: Vec<IdentityView> =
        sqlx::query_as(&format!("{SELECT} AND i.id = ANY ($1)")).bind(ids).fetch_all(executor).await?;
    Ok(rows.into_iter().map(|view| (view.row.id, view)).collect())
}

/// Is `above` the supervisor of the supervisor ... of `identity`, or the same person?
pub async fn is_above(executor: impl PgExecutor<'_>, above: Uuid, identity: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "WITH RECURSIVE line AS (
             SELECT id, supervisor_id FROM identities WHERE id = $2 AND valid_to IS NULL
             UNION SELECT i.id, i.supervisor_id FROM line JOIN identities AS i ON i.id = line.supervisor_id
             WHERE i.valid_to IS NULL
         ) SELECT EXISTS (SELECT FROM line WHERE id = $1)",
    )
    .bind(above)
    .bind(identity)
    .fetch_one(executor)
    .await
}

/// The identity with this e-mail address, whatever its case, and its status: one who is here before one who left.
pub async fn with_email(executor: impl PgExecutor<'_>, email: &str) -> sqlx::Result<Option<(Uuid, String)>> {
    sqlx::query_as(
        "SELECT id, status FROM identities WHERE lower(email) = lower($1) AND valid_to IS NULL
         ORDER BY status = 'Removed', id LIMIT 1",
    )
    .bind(email)
    .fetch_optional(executor)
    .await
}

/// Those of these identities that are Active, in their order.
pub async fn active(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT i.id FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, place)
         JOIN identities AS i ON i.id = u.id AND i.valid_to IS NULL AND i.status = 'Active' ORDER BY u.place",
    )
    .bind(ids)
    .fetch_all(executor)
    .await
}

/// Active identities by their e-mail addresses, which are given in lower case.
pub async fn with_emails(executor: impl PgExecutor<'_>, emails: &[String]) -> sqlx::Result<Vec<(String, Uuid)>> {
    sqlx::query_as(
        "SELECT DISTINCT ON (lower(email)) lower(email), id FROM identities
         WHERE lower(email) = ANY ($1) AND valid_to IS NULL AND status = 'Active' ORDER BY lower(email), id",
    )
    .bind(emails)
    .fetch_all(executor)
    .await
}

/// Was an identity Active again after this time?
pub async fn was_active_after(executor: impl PgExecutor<'_>, id: Uuid, at: DateTime<Utc>) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM identities WHERE id = $1 AND status = 'Active' AND (valid_to_at IS NULL OR valid_to_at > $2)
                        AND valid_from_at > $2)",
    )
    .bind(id)
    .bind(at)
    .fetch_one(executor)
    .await
}

/// An entitlement that people of a department and title hold.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Usual {
    pub application_id: Uuid,
    pub entitlement_id: Uuid,
    pub key: String,
    pub name: Option<String>,
    /// People who hold it.
    pub holding: i64,
    /// People with that department and title.
    pub peers: i64,
}

/// What active people of a department and title hold, `except` aside.
pub async fn usual(
    executor: impl PgExecutor<'_>,
    department: &str,
    title: &str,
    except: Option<Uuid>,
) -> sqlx::Result<Vec<Usual>> {
    sqlx::query_as(
        "WITH peers AS (
             SELECT id FROM identities
             WHERE valid_to IS NULL AND status = 'Active' AND department = $1 AND title = $2 AND id IS DISTINCT FROM $3
         ), held AS (
             SELECT g.application_id, g.entitlement_id, count(DISTINCT p.id) AS holding
             FROM peers AS p JOIN accounts AS a ON a.identity_id = p.id AND a.valid_to IS NULL
             JOIN applications AS p2 ON p2.id = a.application_id AND NOT p2.is_archived
             JOIN grants AS g ON g.application_id = a.application_id AND g.account_id = a.id AND g.valid_to IS NULL
             GROUP BY g.application_id, g.entitlement_id
         )
         SELECT h.application_id, h.entitlement_id, e.key, e.name, h.holding, (SELECT count(*) FROM peers) AS peers
         FROM held AS h JOIN entitlements AS e ON e.id = h.entitlement_id AND e.valid_to IS NULL
         ORDER BY h.application_id, e.key",
    )
    .bind(department)
    .bind(title)
    .bind(except)
    .fetch_all(executor)
    .await
}

/// What a source said of an identity.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct KnownRecord {
    pub key: String,
    pub identity_id: Uuid,
    pub record: Json<IdentityRecord>,
    pub is_present: bool,
}

/// All that a source ever said, by key.
pub async fn known_records(executor: impl PgExecutor<'_>, application: Uuid) -> sqlx::Result<Vec<KnownRecord>> {
    sqlx::query_as(
        "SELECT key, identity_id, record, is_present FROM identity_records WHERE application_id = $1 ORDER BY key",
    )
    .bind(application)
    .fetch_all(executor)
    .await
}

/// A current identity as correlation sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct Candidate {
    pub id: Uuid,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub employee_id: Option<String>,
    pub attributes: Json<std::collections::BTreeMap<String, String>>,
    /// What its sources call it.
    pub keys: Vec<String>,
    /// The applications that name it.
    pub sources: Vec<Uuid>,
    /// All of it, where rules need that.
    pub whole: Option<Json<Whole>>,
}

/// An identity as rules see it.
#[derive(Debug, Clone, Deserialize)]
pub struct Whole {
    /// What its sources amount to.
    pub record: Box<IdentityRecord>,
    /// Active, Disabled or Removed.
    pub status: String,
}

impl Whole {
    /// The identity that sources amount to, in the words of `identities`.
    pub fn of(records: &[SourceRecord], merged: IdentityRecord) -> Self {
        let r#type = Some(merged.r#type.unwrap_or(IdentityType::Unknown));
        let status = status(records, &merged).to_owned();
        Self { record: Box::new(IdentityRecord { r#type, status: None, ..merged }), status }
    }
}

/// Every current identity, for matching and correlation; `is_whole`: with all that rules may ask for.
pub async fn candidates(executor: impl PgExecutor<'_>, is_whole: bool) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query_as(
        "SELECT i.id, i.display_name, i.email, i.employee_id, i.attributes, r.keys, r.sources,
                CASE WHEN $1 THEN jsonb_build_object('status', i.status, 'record', jsonb_build_object(
                    'firstName', i.first_name, 'lastName', i.last_name, 'displayName', i.display_name, 'email', i.email,
                    'employeeId', i.employee_id, 'type', i.type, 'title', i.title, 'company', i.company,
                    'division', i.division, 'department', i.department, 'office', i.office, 'supervisor', i.supervisor,
                    'createdDate', i.created_date, 'updatedDate', i.updated_date,
                    'inactivatedDate', i.inactivated_date, 'attributes', i.attributes)) END AS whole
         FROM identities AS i
         JOIN (SELECT identity_id, array_agg(key ORDER BY key) AS keys, array_agg(application_id ORDER BY key) AS sources
               FROM identity_records GROUP BY identity_id) AS r ON r.identity_id = i.id
         WHERE i.valid_to IS NULL ORDER BY i.id",
    )
    .bind(is_whole)
    .fetch_all(executor)
    .await
}

/// What a source says of an identity.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct OtherRecord {
    pub identity_id: Uuid,
    pub application_id: Uuid,
    pub key: String,
    pub record: Json<IdentityRecord>,
    pub is_present: bool,
}

/// What other sources than `application` say of identities.
pub async fn other_records(
    executor: impl PgExecutor<'_>,
    application: Uuid,
    identities: &[Uuid],
) -> sqlx::Result<Vec<OtherRecord>> {
    sqlx::query_as(
        "SELECT identity_id, application_id, key, record, is_present FROM identity_records
         WHERE identity_id = ANY ($1) AND application_id <> $2",
    )
    .bind(identities)
    .bind(application)
    .fetch_all(executor)
    .await
}

/// People with these names, of each name that only one of them has.
pub async fn named(executor: impl PgExecutor<'_>, names: &[String]) -> sqlx::Result<Vec<(String, Uuid)>> {
    sqlx::query_as(
        "SELECT display_name, (array_agg(id))[1] FROM identities
         WHERE display_name = ANY ($1) AND valid_to IS NULL GROUP BY display_name HAVING count(*) = 1",
    )
    .bind(names)
    .fetch_all(executor)
    .await
}
