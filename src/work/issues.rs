//! What was wrong with rows of imports (rulings 16 and 21).

use projections::page::SIZE;
use sqlx::PgPool;
use uuid::Uuid;

/// Something that was wrong.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Issue {
    /// The file's group.
    pub file_group_id: Uuid,
    /// The file's name.
    pub file: String,
    /// The header is row 1.
    pub row: i64,
    /// The column; `None` = the whole row.
    pub column_name: Option<String>,
    /// What was found, shortened.
    pub value: Option<String>,
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// What would have been right.
    pub allowed: Option<String>,
    /// Was the row left out?
    pub is_rejected: bool,
}

/// Forgets the issues of an earlier reading: a resumed import finds them again.
pub async fn clear(pool: &PgPool, import: Uuid) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM work.import_issues WHERE application_import_id = $1").bind(import).execute(pool).await?;
    Ok(())
}

/// Adds issues, numbered from `ordinal`.
pub async fn add(pool: &PgPool, import: Uuid, ordinal: i64, issues: &[Issue]) -> sqlx::Result<()> {
    if issues.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO work.import_issues
         SELECT $1, o, g, f, r, c, v, k, m, a, x
         FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::text[], $11::boolean[]) AS u (o, g, f, r, c, v, k, m, a, x)",
    )
    .bind(import)
    .bind((ordinal..).take(issues.len()).collect::<Vec<i64>>())
    .bind(issues.iter().map(|issue| issue.file_group_id).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.file.as_str()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.row).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.column_name.as_deref()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.value.as_deref()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.code.as_str()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.message.as_str()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.allowed.as_deref()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.is_rejected).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// One page, in the order in which they were found.
pub async fn list(pool: &PgPool, import: Uuid, page: i64) -> sqlx::Result<projections::page::Page<Issue>> {
    let total: i64 =
        sqlx::query_scalar("SELECT coalesce(max(ordinal), 0) FROM work.import_issues WHERE application_import_id = $1")
            .bind(import)
            .fetch_one(pool)
            .await?;
    // Ordinals are 1, 2, 3, ...: a page is a range of them.
    let first = (page - 1).saturating_mul(SIZE).saturating_add(1);
    let items = sqlx::query_as(
        "SELECT * FROM work.import_issues WHERE application_import_id = $1 AND ordinal BETWEEN $2 AND $3 ORDER BY ordinal",
    )
    .bind(import)
    .bind(first)
    .bind(first.saturating_add(SIZE - 1))
    .fetch_all(pool)
    .await?;
    Ok(projections::page::Page { items, total })
}

/// Row numbers that were left out of a file, ascending.
pub async fn rejected_rows(pool: &PgPool, import: Uuid, file_group: Uuid) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(
        "SELECT DISTINCT row FROM work.import_issues
         WHERE application_import_id = $1 AND file_group_id = $2 AND is_rejected ORDER BY row",
    )
    .bind(import)
    .bind(file_group)
    .fetch_all(pool)
    .await
}
