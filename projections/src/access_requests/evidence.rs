//! What an import says of access requests: access as it was when the import finished, though a later one may already be
//! at work.

use sqlx::PgExecutor;
use uuid::Uuid;

/// `{requests}` and `{also}` stand for conditions; `$1` is the application, `$2` the position at which its import finished.
///
/// `held`: the account is there and, with an entitlement, has it. `used`: and it isn't switched off.
const PRIVILEGES: &str = "
    SELECT r.id, r.action, r.number, bool_or(h.held) AS any_held, bool_or(h.used) AS any_used,
           bool_and(h.used) AS all_used, bool_and(h.changed) AS all_changed
    FROM access_requests AS r
    JOIN access_request_privileges AS p ON p.access_request_id = r.id
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS held, coalesce(bool_or(a.is_active IS DISTINCT FROM false), false) AS used,
               coalesce(bool_or(g.valid_from > r.created_position), false) AS changed
        FROM accounts AS a
        LEFT JOIN grants AS g ON g.application_id = a.application_id AND g.account_id = a.id
            AND g.entitlement_id = p.entitlement_id AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
        WHERE (a.id = p.account_id OR (p.account_id IS NULL AND a.identity_id = r.identity_id))
            AND a.application_id = $1 AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to > $2)
            AND (p.entitlement_id IS NULL OR g.entitlement_id IS NOT NULL)
    ) AS h
    WHERE r.application_id = $1 AND {requests}
    GROUP BY r.id, r.action, r.number";

/// Requests under way that an import, finished at this position, shows to be carried out.
///
/// Taken access is gone; suspended access is gone or its account switched off; given and restored access is there and usable;
/// changed access is another than when it was asked for.
pub async fn verified_by(executor: impl PgExecutor<'_>, application: Uuid, position: i64) -> sqlx::Result<Vec<Uuid>> {
    let privileges = PRIVILEGES.replace("{requests}", "r.status IN ('Open', 'Resolved') AND r.created_position < $2");
    sqlx::query_scalar(&format!(
        "SELECT id FROM ({privileges}) AS s
         WHERE CASE action WHEN 'Remove' THEN NOT any_held WHEN 'Suspend' THEN NOT any_used
                           WHEN 'Change' THEN all_changed ELSE all_used END
         ORDER BY number"
    ))
    .bind(application)
    .bind(position)
    .fetch_all(executor)
    .await
}

/// Requests whose access was shown to be gone and, by an import that finished at this position, is back, though nobody has asked
/// for it since.
pub async fn undone(executor: impl PgExecutor<'_>, application: Uuid, position: i64) -> sqlx::Result<Vec<Uuid>> {
    let privileges = PRIVILEGES.replace(
        "{requests}",
        "r.status = 'Completed' AND r.action IN ('Remove', 'Suspend') AND r.verified_position < $2 AND NOT EXISTS (
             SELECT FROM access_requests AS later
             JOIN access_request_privileges AS theirs ON theirs.access_request_id = later.id
             WHERE later.identity_id = r.identity_id AND later.application_id = $1 AND later.number > r.number
                 AND later.action IN ('Add', 'Restore') AND later.status <> 'Canceled'
                 AND theirs.entitlement_id IS NOT DISTINCT FROM p.entitlement_id
         )",
    );
    sqlx::query_scalar(&format!(
        "SELECT id FROM ({privileges}) AS s WHERE CASE action WHEN 'Remove' THEN any_held ELSE any_used END ORDER BY number"
    ))
    .bind(application)
    .bind(position)
    .fetch_all(executor)
    .await
}
