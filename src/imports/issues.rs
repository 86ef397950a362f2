//! Issues found in rows, written as they are found so that a file of faults costs no memory.

use sqlx::PgPool;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::work::issues::{Issue, add};

const BATCH: usize = 1000;
/// Characters of a value that an issue shows.
const SHOWN: usize = 200;

/// Collects issues of one import. Blocking.
pub struct Issues {
    pool: PgPool,
    handle: Handle,
    import: Uuid,
    written: i64,
    waiting: Vec<Issue>,
    /// Rows left out.
    pub rows_rejected: u64,
}

/// Where an issue is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file's group.
    pub file_group_id: Uuid,
    /// The file's name.
    pub file: &'a str,
    /// The header is row 1.
    pub row: u32,
}

/// What is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The column; `None` = the whole row.
    pub column: Option<String>,
    /// What was found.
    pub value: Option<String>,
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What would have been right.
    pub allowed: Option<&'static str>,
}

impl Problem {
    /// A problem of the whole row.
    pub fn of_row(code: &'static str, message: impl Into<String>) -> Self {
        Self { column: None, value: None, code, message: message.into(), allowed: None }
    }
}

impl Issues {
    /// No issues yet.
    pub const fn new(pool: PgPool, handle: Handle, import: Uuid) -> Self {
        Self { pool, handle, import, written: 0, waiting: Vec::new(), rows_rejected: 0 }
    }

    /// A row is left out because of these problems.
    pub fn reject(&mut self, place: Place<'_>, problems: Vec<Problem>) -> sqlx::Result<()> {
        self.rows_rejected += 1;
        for problem in problems {
            self.push(place, problem, true)?;
        }
        Ok(())
    }

    /// A row is remarked on, and taken.
    pub fn remark(&mut self, place: Place<'_>, problem: Problem) -> sqlx::Result<()> {
        self.push(place, problem, false)
    }

    fn push(&mut self, place: Place<'_>, problem: Problem, is_rejected: bool) -> sqlx::Result<()> {
        self.waiting.push(Issue {
            file_group_id: place.file_group_id,
            file: place.file.to_owned(),
            row: i64::from(place.row),
            column_name: problem.column,
            value: problem.value.map(|value| shown(&value)),
            code: problem.code.to_owned(),
            message: problem.message,
            allowed: problem.allowed.map(str::to_owned),
            is_rejected,
        });
        if self.waiting.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> sqlx::Result<()> {
        let issues = std::mem::take(&mut self.waiting);
        self.handle.block_on(add(&self.pool, self.import, self.written + 1, &issues))?;
        self.written += issues.len() as i64;
        Ok(())
    }
}

/// A value as an issue shows it.
fn shown(value: &str) -> String {
    short(value, SHOWN)
}

/// A text that was made of a file's content: shortened, and without the character that PostgreSQL can't store.
pub fn short(text: &str, characters: usize) -> String {
    let mut short: String = text.chars().take(characters).collect::<String>().replace('\0', "\u{2400}");
    if text.chars().nth(characters).is_some() {
        short.push('…');
    }
    short
}
