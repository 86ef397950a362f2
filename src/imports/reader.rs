//! Rows of a file, one after the other. Today CSV in any dialect, with a header row.

use std::io::{ErrorKind, Read};

use aggregates::application::Dialect;
use csv::ByteRecord;

use super::Fault;

/// A column may hold so many bytes in one row.
pub const VALUE_LIMIT: usize = 1 << 16;
/// A file may have so many columns.
const COLUMN_LIMIT: usize = 5000;
/// A row may have so many bytes; it is held in memory.
const ROW_LIMIT: usize = 64 << 20;

/// A file being read.
pub struct Rows<R> {
    csv: csv::Reader<Quotes<R>>,
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
    pub fn open(bytes: R, file: &str, dialect: &Dialect) -> Result<Self, Fault> {
        // Both are ASCII: the aggregate sees to it.
        let (delimiter, quote) = (dialect.delimiter() as u8, dialect.quote() as u8);
        let csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .quote(quote)
            .buffer_capacity(1 << 18)
            .from_reader(Quotes::new(bytes, delimiter, quote));
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
            // The reader takes a last value without its closing quote for whole, with all rows that it swallowed.
            Ok(false) if self.csv.get_ref().state == State::Quoted => {
                return Err(Fault::File(format!("{}: row {} has a quote that is never closed", self.file, self.row)));
            }
            Ok(false) => return Ok(None),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == ErrorKind::InvalidData => {
                        Fault::File(format!("{}: after row {} comes {error}", self.file, self.row))
                    }
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

/// Where a byte of a CSV file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a value.
    Start,
    /// In a value that didn't begin with a quote, or after one that did.
    Plain,
    /// In a quoted value.
    Quoted,
    /// After a quote in a quoted value: its end, or the first of a doubled one.
    Quote,
}

/// Passes bytes on and knows what the CSV reader doesn't tell: whether a quoted value is open, and how long a row is.
struct Quotes<R> {
    inner: R,
    delimiter: u8,
    quote: u8,
    state: State,
    position: u64,
    row_bytes: usize,
}

impl<R> Quotes<R> {
    const fn new(inner: R, delimiter: u8, quote: u8) -> Self {
        Self { inner, delimiter, quote, state: State::Start, position: 0, row_bytes: 0 }
    }

    fn pass(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Start, 0xEF | 0xBB | 0xBF) if self.position < 3 => State::Start, // a byte order mark
            (State::Quoted, byte) if byte == self.quote => State::Quote,
            (State::Quoted, _) => State::Quoted,
            (State::Start | State::Quote, byte) if byte == self.quote => State::Quoted,
            (_, b'\r' | b'\n') => State::Start,
            (_, byte) if byte == self.delimiter => State::Start,
            _ => State::Plain,
        };
        let is_end = self.state == State::Start && byte == b'\n';
        self.row_bytes = if is_end { 0 } else { self.row_bytes + 1 };
        self.position += 1;
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        for byte in &buffer[..read] {
            self.pass(*byte);
        }
        if self.row_bytes > ROW_LIMIT {
            let message = format!("a row of more than {} MiB, or a quote that is never closed", ROW_LIMIT >> 20);
            return Err(std::io::Error::new(ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        let rows = Rows::open("\u{feff}key,name\n1,a\n".as_bytes(), "f", &Dialect::default()).unwrap();
        assert_eq!(rows.header, ["key", "name"]);
    }

    #[test]
    fn other_bytes_than_utf8_are_a_fault_of_the_file() {
        let mut rows = Rows::open(&b"key\n\xff\n"[..], "f", &Dialect::default()).unwrap();
        assert!(rows.read().unwrap_err().to_string().contains("row 2"));
    }

    #[test]
    fn quotes_commas_and_line_breaks_stay_inside_a_value() {
        let mut rows = Rows::open("a,b\n\"x, \"\"y\"\"\",\"1\n2\"\n".as_bytes(), "f", &Dialect::default()).unwrap();
        assert_eq!(rows.read().unwrap().unwrap(), ["x, \"y\"", "1\n2"]);
        assert!(rows.read().unwrap().is_none());
    }

    #[test]
    fn a_quote_that_is_never_closed_is_a_fault_and_one_inside_a_value_is_none() {
        let read = |text: &str| {
            let mut rows = Rows::open(text.as_bytes(), "f", &Dialect::default())?;
            let mut count = 0;
            while rows.read()?.is_some() {
                count += 1;
            }
            Ok::<_, Fault>(count)
        };
        for open in ["a,b\n1,\"x\n2,y\n", "a,b\n\"", "\"a,b\n1,2\n", "a,b\n1,\"x\"\"\n", "\u{feff}\"a\n"] {
            assert!(read(open).unwrap_err().to_string().contains("never closed"), "{open:?}");
        }
        for closed in ["a\n5\" disk\n", "a\n\"x\"", "\u{feff}\"a\"\n\"\"\n", "a\n\"x\"y\"\n", "a\r\n\"\"\"\"\r\n"] {
            assert_eq!(read(closed).unwrap(), 1, "{closed:?}");
        }
    }

    #[test]
    fn a_row_that_does_not_end_is_not_read_into_memory_for_ever() {
        let endless = std::io::repeat(b'x');
        let Err(error) = Rows::open(endless, "f", &Dialect::default()) else { panic!("it ended") };
        assert!(error.to_string().contains("64 MiB"), "{error}");
    }

    #[test]
    fn any_delimiter_and_quote_are_read() {
        let dialect = Dialect { delimiter: Some(';'), quote: Some('\''), encoding: None };
        let mut rows = Rows::open("a;b\n'1;2';\"x,y\n".as_bytes(), "f", &dialect).unwrap();
        assert_eq!(rows.read().unwrap().unwrap(), ["1;2", "\"x,y"]);
        assert!(rows.read().unwrap().is_none());
        let mut open = Rows::open("a;b\n'1;2".as_bytes(), "f", &dialect).unwrap();
        assert!(open.read().is_ok());
        assert!(open.read().unwrap_err().to_string().contains("never closed"));
        let tab = Dialect { delimiter: Some('\t'), ..Dialect::default() };
        assert_eq!(Rows::open("a\tb,c\n".as_bytes(), "f", &tab).unwrap().header, ["a", "b,c"]);
    }
}
