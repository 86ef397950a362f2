//! A table written in any format in which feeds are read, row after row: no format needs more memory than a row.

mod json;
mod xlsx;

use std::io::{Error, ErrorKind, Result, Seek, Write};

use aggregates::application::{Dialect, Format};

use json::Objects;
pub use xlsx::ROWS as SHEET_ROWS;
use xlsx::Workbook;

/// Where rows go.
enum Target<W: Write + Seek> {
    Csv(Box<csv::Writer<W>>),
    Xlsx(Box<Workbook<W>>),
    Json(Objects<W>),
}

/// Writes a header and rows as CSV (any dialect, always UTF-8), XLSX, a JSON array or NDJSON.
///
/// Values are texts in every format: nothing becomes a number, a date or a formula. A row may have fewer values than the
/// header; more are written to CSV and XLSX as they are and refused in JSON, where they have no name.
pub struct Writer<W: Write + Seek> {
    target: Target<W>,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a table. Only CSV needs the dialect, only XLSX the sheet's name.
    pub fn new(out: W, format: Format, dialect: &Dialect, sheet: &str, header: &[&str]) -> Result<Self> {
        let target = match format {
            Format::Csv => {
                let mut csv = csv::WriterBuilder::new()
                    .flexible(true)
                    // Both are ASCII: the aggregate sees to it.
                    .delimiter(dialect.delimiter() as u8)
                    .quote(dialect.quote() as u8)
                    .buffer_capacity(1 << 16)
                    .from_writer(out);
                csv.write_record(header).map_err(csv_error)?;
                Target::Csv(Box::new(csv))
            }
            Format::Xlsx => {
                let mut workbook = Workbook::new(out, sheet)?;
                workbook.row(header)?;
                Target::Xlsx(Box::new(workbook))
            }
            Format::Json => Target::Json(Objects::array(out, header)?),
            Format::Ndjson => Target::Json(Objects::lines(out, header)?),
        };
        Ok(Self { target })
    }

    /// Adds a row.
    pub fn row<S: AsRef<str>>(&mut self, values: &[S]) -> Result<()> {
        match &mut self.target {
            Target::Csv(csv) => csv.write_record(values.iter().map(AsRef::as_ref)).map_err(csv_error),
            Target::Xlsx(workbook) => workbook.row(values),
            Target::Json(objects) => objects.row(values),
        }
    }

    /// Ends the table and gives back where it went.
    pub fn finish(self) -> Result<W> {
        match self.target {
            Target::Csv(csv) => csv.into_inner().map_err(csv::IntoInnerError::into_error),
            Target::Xlsx(workbook) => workbook.finish(),
            Target::Json(objects) => objects.finish(),
        }
    }
}

/// What went wrong beneath the CSV writer.
fn csv_error(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => Error::other(format!("{other:?}")),
    }
}

/// A table that its format can't hold.
fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests;
