//! The shape: which way dependencies point, what may be reached from where, and that every table explains itself.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::ConnectOptions;

use crate::support::cluster;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file beneath a folder of the workspace, with its text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no files");
    found
}

/// The names in a manifest's `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let (_, section) = text.split_once("[dependencies]").unwrap();
    let section = section.split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| line.split(['=', '.', ' ']).next());
    let names: Vec<String> =
        names.map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect();
    assert!(!names.is_empty(), "{manifest}");
    names
}

/// No file beneath these folders holds any of these texts.
#[track_caller]
fn assert_absent(folders: &[&str], texts: &[&str]) {
    let mut found = Vec::new();
    for (path, source) in folders.iter().flat_map(|folder| files(folder)) {
        for (number, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(text) = texts.iter().find(|text| code.contains(*text)) {
                found.push(format!("{}:{}: {text}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn dependencies_point_one_way() {
    let aggregates = dependencies("aggregates/Cargo.toml");
    for refused in ["projections", "muniment", "sqlx", "axum", "tokio", "postgres-es", "reqwest", "tracing"] {
        assert!(!aggregates.contains(&refused.to_owned()), "aggregates depends on {refused}");
    }
    let projections = dependencies("projections/Cargo.toml");
    assert!(projections.contains(&"aggregates".to_owned()));
    for refused in ["muniment", "axum", "reqwest"] {
        assert!(!projections.contains(&refused.to_owned()), "projections depends on {refused}");
    }
}

#[test]
fn the_rules_reach_neither_clock_nor_disk_nor_network() {
    assert_absent(
        &["aggregates/src"],
        &[
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "std::thread",
            "SystemTime",
            "Instant::",
            "Utc::now",
            "Local::now",
            "now_v7",
            "new_v4",
            "rand::",
        ],
    );
}

#[test]
fn the_read_side_issues_no_commands_and_draws_nothing_at_random() {
    assert_absent(
        &["projections/src"],
        &[
            "Utc::now",
            "now_v7",
            "new_v4",
            "clock_timestamp",
            "now()",
            "nextval",
            "random()",
            "gen_random_uuid",
            "journal.claims",
            "INSERT INTO journal",
            ".handle(",
        ],
    );
}

#[test]
fn there_is_no_sql_in_http() {
    assert_absent(
        &["src/http"],
        &["sqlx::query", "query_as(", "query_scalar(", "SELECT * FROM", "INSERT INTO", "DELETE FROM"],
    );
}

#[test]
fn time_and_ids_come_from_the_clock_alone() {
    let all = ["src/http", "src/imports", "src/journal", "src/work", "src/cli", "src/database", "src/postgres"];
    assert_absent(&all, &["Utc::now", "Local::now", "now_v7", "new_v4"]);
}

#[test]
fn only_the_journal_writes_the_log() {
    let writers: Vec<PathBuf> = ["src", "projections/src"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|(_, text)| text.contains("INSERT INTO journal."))
        .map(|(path, _)| path)
        .filter(|path| !path.starts_with("src/journal"))
        .collect();
    // The version of the schema is the migration's to write.
    assert_eq!(writers, [Path::new("src/database/migrate.rs")]);
}

#[test]
fn files_stay_small() {
    let mut long = Vec::new();
    for folder in ["src", "aggregates/src", "projections/src"] {
        for (path, text) in files(folder) {
            let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
            // Without the tests at its end.
            let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().count();
            if lines > 500 && !is_test {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_test_is_ignored() {
    let ignored = concat!("#[", "ignore");
    assert_absent(&["src", "aggregates/src", "aggregates/tests", "projections/src", "tests/it"], &[ignored]);
}

#[tokio::test]
async fn every_table_and_column_explains_itself() {
    let mut connection = cluster::options().await.connect().await.unwrap();
    let silent: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s.%s', c.oid::regclass, coalesce(a.attname, '(table)'))
         FROM pg_class AS c
         LEFT JOIN LATERAL (
             SELECT attnum, attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
             UNION ALL SELECT 0, NULL) AS a ON true
         WHERE c.relkind IN ('r', 'p', 'v', 'm')
             AND c.relnamespace IN ('read'::regnamespace, 'journal'::regnamespace, 'work'::regnamespace, 'evidence'::regnamespace)
             AND coalesce(col_description(c.oid, a.attnum), CASE WHEN a.attnum = 0 THEN obj_description(c.oid, 'pg_class') END, '') = ''
         ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(silent, Vec::<String>::new());
    let tables: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_tables WHERE schemaname IN ('read', 'journal', 'work', 'evidence')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!(tables > 15, "{tables} tables");
}

#[tokio::test]
async fn times_end_in_at_and_the_read_tables_are_made_of_events_alone() {
    let mut connection = cluster::options().await.connect().await.unwrap();
    // What a source system calls a date keeps that name.
    let odd: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s.%s', table_name, column_name) FROM information_schema.columns
         WHERE table_schema IN ('read', 'journal', 'work') AND data_type LIKE 'timestamp%'
             AND column_name NOT LIKE '%\\_at' AND column_name NOT LIKE '%\\_date' ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(odd, Vec::<String>::new());
    let derived: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s.%s', table_name, column_name) FROM information_schema.columns
         WHERE table_schema = 'read' AND (column_default IS NOT NULL OR is_identity = 'YES')
         UNION ALL SELECT format('sequence %s', sequence_name) FROM information_schema.sequences WHERE sequence_schema = 'read'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(derived, Vec::<String>::new());
}
