//! Rows as PostgreSQL's binary COPY takes them: for tables that imports fill. A row costs a third less than one of arrays, and
//! half of one of JSON.

use serde::Serialize;
use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

use crate::versions::Validity;

/// Starts the file; flags and the length of an extension, both none, follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Where the number of fields would stand: no row follows.
const END: i16 = -1;

/// New rows of a table.
pub(crate) struct Copied {
    bytes: PgArgumentBuffer,
    table: &'static str,
    columns: &'static [&'static str],
    rows: usize,
}

impl Copied {
    /// No rows yet of these columns.
    pub(crate) fn into(table: &'static str, columns: &'static [&'static str]) -> Self {
        let mut bytes = PgArgumentBuffer::default();
        bytes.extend_from_slice(SIGNATURE);
        Self { bytes, table, columns, rows: 0 }
    }

    /// Begins a row: its fields follow, one a column.
    pub(crate) fn row(&mut self) {
        self.rows += 1;
        self.bytes.extend_from_slice(&(self.columns.len() as i16).to_be_bytes());
    }

    /// The next field.
    pub(crate) fn field<'v>(&mut self, value: impl Encode<'v, Postgres>) -> sqlx::Result<()> {
        let at = self.begin();
        match value.encode(&mut self.bytes).map_err(sqlx::Error::Encode)? {
            IsNull::Yes => self.bytes[at..at + 4].copy_from_slice(&(-1_i32).to_be_bytes()),
            IsNull::No => self.end(at)?,
        }
        Ok(())
    }

    /// The next field, of type `jsonb`.
    pub(crate) fn json(&mut self, value: Option<&impl Serialize>) -> sqlx::Result<()> {
        let Some(value) = value else { return self.field(None::<&str>) };
        let at = self.begin();
        // The version of the format.
        self.bytes.push(1);
        serde_json::to_writer(&mut *self.bytes, value).map_err(|error| sqlx::Error::Encode(error.into()))?;
        self.end(at)
    }

    /// The next four fields: from when until when the row holds.
    pub(crate) fn validity(&mut self, validity: &Validity) -> sqlx::Result<()> {
        self.field(validity.valid_from)?;
        self.field(validity.valid_to)?;
        self.field(validity.valid_from_at)?;
        self.field(validity.valid_to_at)
    }

    fn begin(&mut self) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        at
    }

    fn end(&mut self, at: usize) -> sqlx::Result<()> {
        let length = i32::try_from(self.bytes.len() - at - 4).map_err(|error| sqlx::Error::Encode(error.into()))?;
        self.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// Inserts the rows.
    pub(crate) async fn store(mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.bytes.extend_from_slice(&END.to_be_bytes());
        let statement = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.table, self.columns.join(", "));
        let mut copy = connection.copy_in_raw(&statement).await?;
        copy.send(self.bytes.as_slice()).await?;
        copy.finish().await?;
        Ok(())
    }
}
