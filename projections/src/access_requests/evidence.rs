//! What an import says of access requests: access as it was when the import finished, though a later one may already be
//! at work.

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::versions;

/// What an import said: the application, where it finished, and which files it had.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// Whose import.
    pub application: Uuid,
    /// Where in the log it finished.
    pub position: i64,
    /// It had accounts.
    pub accounts: bool,
    /// It had grants.
    pub grants: bool,
}

/// `{accounts}` and `{grants}` stand for those that are meant, as they were at `$2`, `{requests}` for a condition; `$1` is the
/// application, `$2` the position at which its import finished.
///
/// `held`: the account is there and, with an entitlement, has it. `used`: and it isn't switched off. An account that is named
/// is found as it was then; of a person's other accounts the current ones are looked at.
const PRIVILEGES: &str = "
    SELECT r.id, r.action, r.number, bool_or(h.held) AS any_held, bool_or(h.used) AS any_used,
           bool_and(h.used) AS all_used, bool_and(h.changed) AS all_changed,
           bool_or(h.held AND p.entitlement_id IS NOT NULL) AS any_granted
    FROM access_requests AS r
    JOIN access_request_privileges AS p ON p.access_request_id = r.id
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS held, coalesce(bool_or(a.is_active IS DISTINCT FROM false), false) AS used,
               coalesce(bool_or(g.valid_from > r.created_position), false) AS changed
        FROM (
            SELECT id, application_id, is_active FROM {accounts} AS named
            UNION ALL
            SELECT id, application_id, is_active FROM accounts
            WHERE identity_id = r.identity_id AND valid_to IS NULL AND valid_from <= $2 AND p.account_id IS NULL
                AND application_id = $1
        ) AS a
        LEFT JOIN LATERAL {grants} AS g ON true
        WHERE p.entitlement_id IS NULL OR g.entitlement_id IS NOT NULL
    ) AS h
    WHERE r.application_id = $1 AND {requests}
    GROUP BY r.id, r.action, r.number";

/// Which grants are meant.
const GRANT: &str = "application_id = a.application_id AND account_id = a.id AND entitlement_id = p.entitlement_id";

fn privileges(requests: &str) -> String {
    PRIVILEGES
        .replace("{accounts}", &versions::at("accounts", "$2", "id = p.account_id"))
        .replace("{grants}", &versions::at("grants", "$2", GRANT))
        .replace("{requests}", requests)
}

/// Requests under way that an import shows to be carried out.
///
/// Taken access is gone; suspended access is gone or its account switched off; given and restored access is there and usable;
/// changed access is another than when it was asked for. An import of people only shows nothing of access.
pub async fn verified_by(executor: impl PgExecutor<'_>, said: Said) -> sqlx::Result<Vec<Uuid>> {
    if !said.accounts && !said.grants {
        return Ok(Vec::new());
    }
    let privileges = privileges("r.status IN ('Open', 'Resolved') AND r.created_position < $2");
    sqlx::query_scalar(&format!(
        "SELECT id FROM ({privileges}) AS s
         WHERE CASE action WHEN 'Remove' THEN NOT any_held WHEN 'Suspend' THEN NOT any_used
                           WHEN 'Change' THEN all_changed ELSE all_used END
         ORDER BY number"
    ))
    .bind(said.application)
    .bind(said.position)
    .fetch_all(executor)
    .await
}

/// Requests that ended by hand, whose rows are still rejected though an import shows their access gone.
pub async fn unfixed(executor: impl PgExecutor<'_>, said: Said) -> sqlx::Result<Vec<Uuid>> {
    if !said.accounts && !said.grants {
        return Ok(Vec::new());
    }
    let privileges = privileges(
        "r.certification_id IS NOT NULL AND r.status IN ('Completed', 'Canceled') AND r.created_position < $2 AND EXISTS (
             SELECT FROM certification_rows AS c
             WHERE c.certification_id = r.certification_id AND c.result_id = r.result_id AND c.access_request_id = r.id
                 AND c.decision = 'REJECTED'
         )",
    );
    sqlx::query_scalar(&format!("SELECT id FROM ({privileges}) AS s WHERE NOT any_held ORDER BY number"))
        .bind(said.application)
        .bind(said.position)
        .fetch_all(executor)
        .await
}

/// Requests whose access was shown to be gone and, by an import that had what shows it, is back, though nobody has asked for it since;
/// suspended access while its leave lasts.
pub async fn undone(executor: impl PgExecutor<'_>, said: Said) -> sqlx::Result<Vec<Uuid>> {
    let privileges = privileges(
        "r.status = 'Completed' AND r.action IN ('Remove', 'Suspend') AND r.verified_position < $2 AND NOT EXISTS (
             SELECT FROM access_requests AS later
             JOIN access_request_privileges AS theirs ON theirs.access_request_id = later.id
             WHERE later.identity_id = r.identity_id AND later.application_id = $1 AND later.number > r.number
                 AND later.action IN ('Add', 'Restore') AND later.status <> 'Canceled'
                 AND (p.entitlement_id IS NULL OR theirs.entitlement_id = p.entitlement_id)
         ) AND (r.certification_id IS NULL OR EXISTS (
             -- A review that has decided otherwise since wants nothing of it any more.
             SELECT FROM certification_rows AS c
             WHERE c.certification_id = r.certification_id AND c.result_id = r.result_id AND c.access_request_id = r.id
         )) AND NOT (r.action = 'Suspend' AND EXISTS (
             SELECT FROM personnel_events AS e
             WHERE e.id = r.personnel_event_id AND e.status IN ('Completed', 'Canceled')
         ))",
    );
    sqlx::query_scalar(&format!(
        "SELECT id FROM ({privileges}) AS s
         WHERE CASE action WHEN 'Remove' THEN (any_granted AND $3) OR (any_held AND NOT any_granted AND $4)
                           ELSE any_used AND ($3 OR $4) END
         ORDER BY number"
    ))
    .bind(said.application)
    .bind(said.position)
    .bind(said.grants)
    .bind(said.accounts)
    .fetch_all(executor)
    .await
}
