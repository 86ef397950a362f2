//! Several changes in one statement: each is a part of its WITH, and all of them cost one round trip.

use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, Encode, PgConnection, Postgres, Type};

/// Parts that change different rows; each sees the tables as they were before the statement.
#[derive(Default)]
pub struct Statement {
    arguments: PgArguments,
    parts: Vec<String>,
}

impl Statement {
    /// Takes a value; gives the placeholder that stands for it.
    pub fn bind<'v>(&mut self, value: impl Encode<'v, Postgres> + Type<Postgres> + 'v) -> sqlx::Result<String> {
        self.arguments.add(value).map_err(sqlx::Error::Encode)?;
        Ok(format!("${}", self.arguments.len()))
    }

    /// Adds a part: an INSERT, UPDATE or DELETE.
    pub fn push(&mut self, part: impl Into<String>) {
        self.parts.push(part.into());
    }

    /// Runs all parts; gives one value more.
    pub async fn select(self, connection: &mut PgConnection, value: &str) -> sqlx::Result<String> {
        let parts = self.parts.iter().enumerate().map(|(number, part)| format!("part{number} AS ({part})"));
        let parts = parts.collect::<Vec<_>>().join(", ");
        let with = if parts.is_empty() { "" } else { "WITH" };
        let sql = format!("{with} {parts} SELECT {value}");
        sqlx::query_scalar_with(&sql, self.arguments).fetch_one(connection).await
    }
}
