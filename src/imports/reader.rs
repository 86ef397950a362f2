//! Rows of a file, one after the other. Today CSV: UTF-8, comma, double quotes, a header row.

use std::io::Read;

use csv::ByteRecord;

use super::Fault;

/// A column may hold so many bytes in one row.
pub const VALUE_LIMIT: usize = 1 << 16;
/// A file may have so many columns.
const COLUMN_LIMIT: usize = 5000;

/// A file being read.
pub struct Rows<R> {
    csv: csv::Reader<R>,
    /// The file's name, for faults.
    file: String,
    /// The header's names.
    pub header: Vec<String>,
    record: ByteRecord,
    /// Of the row read last; the header is row 1.
    pub row: u32,
}

/// A row's texts, as many as it has.
pub type Values<'a> = Vec<&'a str>;

impl<R: Read> Rows<R> {
    /// Opens a file and reads its header.
    pub fn open(bytes: R, file: &str) -> Result<Self, Fault> {
        let csv =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1 << 18).from_reader(bytes);
        let mut rows = Self { csv, file: file.to_owned(), header: Vec::new(), record: ByteRecord::new(), row: 0 };
        let header: Vec<String> = match rows.read()? {
            Some(values) => values.into_iter().map(|name| name.trim().to_owned()).collect(),
            None => return Err(Fault::File(format!("{file} is empty: not even a header row"))),
        };
        if header.len() > COLUMN_LIMIT {
            return Err(Fault::File(format!("{file} has {} columns; at most {COLUMN_LIMIT} are read", header.len())));
        }
        rows.header = header;
        Ok(rows)
    }

    /// The next row; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Values<'_>>, Fault> {
        match self.csv.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => error.into(),
                    other => Fault::File(format!("{} is no CSV after row {}: {other:?}", self.file, self.row)),
                });
            }
        }
        self.row = self.row.checked_add(1).ok_or_else(|| Fault::File(format!("{} has too many rows", self.file)))?;
        let mut values = Vec::with_capacity(self.record.len());
        for bytes in &self.record {
            values.push(
                std::str::from_utf8(bytes).map_err(|_| {
                    Fault::File(format!("{} is not UTF-8: row {} has other bytes", self.file, self.row))
                })?,
            );
        }
        Ok(Some(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        let rows = Rows::open("\u{feff}key,name\n1,a\n".as_bytes(), "f").unwrap();
        assert_eq!(rows.header, ["key", "name"]);
    }

    #[test]
    fn other_bytes_than_utf8_are_a_fault_of_the_file() {
        let mut rows = Rows::open(&b"key\n\xff\n"[..], "f").unwrap();
        assert!(rows.read().unwrap_err().to_string().contains("row 2"));
    }

    #[test]
    fn quotes_commas_and_line_breaks_stay_inside_a_value() {
        let mut rows = Rows::open("a,b\n\"x, \"\"y\"\"\",\"1\n2\"\n".as_bytes(), "f").unwrap();
        assert_eq!(rows.read().unwrap().unwrap(), ["x, \"y\"", "1\n2"]);
        assert!(rows.read().unwrap().is_none());
    }
}
