//! Rows by PostgreSQL's binary COPY, sent while they are made: for tables that imports fill. A row costs a third less than one of
//! arrays, and half of one of JSON.

use serde::Serialize;
use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

use crate::versions::Validity;

/// Starts the data; flags and the length of an extension, both none, follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Where the number of fields would stand: no row follows.
const END: i16 = -1;
/// Bytes that are sent at once: PostgreSQL stores them while the next are made.
const CHUNK: usize = 1 << 16;

/// Copies rows into these columns of a table; `write` gives each row's fields, one a column.
///
/// # Errors
/// A value can't be encoded, or the database refuses a row; then none is stored.
pub async fn copy<R>(
    connection: &mut PgConnection,
    table: &str,
    columns: &[&str],
    rows: impl IntoIterator<Item = R>,
    mut write: impl FnMut(R, &mut Fields) -> sqlx::Result<()>,
) -> sqlx::Result<()> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let statement = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
    let mut copy = connection.copy_in_raw(&statement).await?;
    let mut fields = Fields::default();
    fields.bytes.extend_from_slice(SIGNATURE);
    for row in rows {
        fields.bytes.extend_from_slice(&(columns.len() as i16).to_be_bytes());
        write(row, &mut fields)?;
        if fields.bytes.len() >= CHUNK {
            copy.send(fields.bytes.as_slice()).await?;
            fields.bytes.clear();
        }
    }
    fields.bytes.extend_from_slice(&END.to_be_bytes());
    copy.send(fields.bytes.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

/// Where a row's fields go.
#[derive(Default)]
pub struct Fields {
    bytes: PgArgumentBuffer,
}

impl Fields {
    /// The next field.
    pub fn field<'v>(&mut self, value: impl Encode<'v, Postgres>) -> sqlx::Result<()> {
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
}
