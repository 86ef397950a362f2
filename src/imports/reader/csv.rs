//! CSV in any dialect, with a header row.

use std::io::{ErrorKind, Read};

use aggregates::application::Dialect;
use csv::{ByteRecord, StringRecord};

use super::ROW_LIMIT;
use super::pushed::{Push, Pushed};
use crate::imports::Fault;

/// The rows of a file.
pub(super) fn open(text: impl Read + Send + 'static, file: &str, dialect: &Dialect) -> Pushed {
    // Both are ASCII: the aggregate sees to it.
    let (delimiter, quote) = (dialect.delimiter() as u8, dialect.quote() as u8);
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quote(quote)
        .buffer_capacity(1 << 18)
        .from_reader(Quotes::new(text, delimiter, quote));
    let file = file.to_owned();
    Pushed::by(move |push| read(reader, &file, push))
}

fn read(mut reader: csv::Reader<Quotes<impl Read>>, file: &str, push: &mut Push) -> Result<(), Fault> {
    let mut record = ByteRecord::new();
    let mut row: u32 = 0;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            // The reader takes a last value without its closing quote for whole, with all rows that it swallowed.
            Ok(false) if reader.get_ref().state == State::Quoted => {
                return Err(Fault::File(format!("{file}: row {row} has a quote that is never closed")));
            }
            Ok(false) if row == 0 => return Err(Fault::File(format!("{file} is empty: not even a header row"))),
            Ok(false) => return Ok(()),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == ErrorKind::InvalidData => {
                        Fault::File(format!("{file}: after row {row} comes {error}"))
                    }
                    csv::ErrorKind::Io(error) => error.into(),
                    other => Fault::File(format!("{file} is no CSV after row {row}: {other:?}")),
                });
            }
        }
        row = row.checked_add(1).ok_or_else(|| Fault::File(format!("{file} has too many rows")))?;
        let texts = StringRecord::from_byte_record(record)
            .map_err(|_| Fault::File(format!("{file} is not UTF-8: row {row} has other bytes")))?;
        if push.row(row, texts.iter().map(|text| if row == 1 { text.trim() } else { text })).is_err() {
            return Ok(());
        }
        record = texts.into_byte_record();
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

    fn pass_all(&mut self, bytes: &[u8]) {
        let is_plain = matches!(self.state, State::Start | State::Plain) && self.position >= 3;
        match bytes.last() {
            // Without a quote the last byte says where it stands.
            Some(last) if is_plain && !bytes.contains(&self.quote) => {
                let end = bytes.iter().rposition(|byte| *byte == b'\n');
                let row_bytes = end.map_or(self.row_bytes + bytes.len(), |end| bytes.len() - end - 1);
                self.pass(*last);
                self.position += bytes.len() as u64 - 1;
                self.row_bytes = row_bytes;
            }
            _ => bytes.iter().for_each(|byte| self.pass(*byte)),
        }
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
        self.pass_all(&buffer[..read]);
        if self.row_bytes > ROW_LIMIT {
            let message = format!("a row of more than {} MiB, or a quote that is never closed", ROW_LIMIT >> 20);
            return Err(std::io::Error::new(ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use aggregates::application::{Encoding, Format};
    use proptest::prelude::*;

    use super::super::tests::{all, group};
    use super::*;

    fn read(bytes: &[u8], dialect: Dialect) -> Result<(Vec<String>, Vec<Vec<String>>), Fault> {
        let (header, rows) = all(bytes, &group(Format::Csv, dialect, &[]))?;
        assert!(rows.iter().map(|(row, _)| *row).eq(2..2 + rows.len() as u32));
        Ok((header, rows.into_iter().map(|(_, values)| values).collect()))
    }

    proptest! {
        #[test]
        fn many_bytes_at_once_leave_what_they_leave_one_by_one(
            parts in prop::collection::vec("[\"\"ab,\n\r\u{feff}]{0,6}", 0..8),
        ) {
            let mut at_once = Quotes::new(std::io::empty(), b',', b'"');
            let mut one_by_one = Quotes::new(std::io::empty(), b',', b'"');
            for part in parts {
                at_once.pass_all(part.as_bytes());
                part.bytes().for_each(|byte| one_by_one.pass(byte));
                prop_assert_eq!(
                    (at_once.state, at_once.position, at_once.row_bytes),
                    (one_by_one.state, one_by_one.position, one_by_one.row_bytes)
                );
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        assert_eq!(read("\u{feff}key,name\n1,a\n".as_bytes(), Dialect::default()).unwrap().0, ["key", "name"]);
    }

    #[test]
    fn other_bytes_than_utf8_are_a_fault_of_the_file() {
        let utf8 = Dialect { encoding: Some(Encoding::Utf8), ..Dialect::default() };
        assert!(read(b"key\n\xff\n", utf8).unwrap_err().to_string().contains("row 2"));
    }

    #[test]
    fn quotes_commas_and_line_breaks_stay_inside_a_value() {
        let (_, rows) = read(b"a,b\n\"x, \"\"y\"\"\",\"1\n2\"\n", Dialect::default()).unwrap();
        assert_eq!(rows, [["x, \"y\"", "1\n2"]]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_a_fault_and_one_inside_a_value_is_none() {
        for open in ["a,b\n1,\"x\n2,y\n", "a,b\n\"", "\"a,b\n1,2\n", "a,b\n1,\"x\"\"\n", "\u{feff}\"a\n"] {
            let error = read(open.as_bytes(), Dialect::default()).unwrap_err();
            assert!(error.to_string().contains("never closed"), "{open:?}");
        }
        for closed in ["a\n5\" disk\n", "a\n\"x\"", "\u{feff}\"a\"\n\"\"\n", "a\n\"x\"y\"\n", "a\r\n\"\"\"\"\r\n"] {
            assert_eq!(read(closed.as_bytes(), Dialect::default()).unwrap().1.len(), 1, "{closed:?}");
        }
    }

    #[test]
    fn a_row_that_does_not_end_is_not_read_into_memory_for_ever() {
        let error = open(std::io::repeat(b'x'), "f", &Dialect::default()).header().unwrap_err();
        assert!(error.to_string().contains("64 MiB"), "{error}");
    }

    #[test]
    fn any_delimiter_and_quote_are_read() {
        let dialect = || Dialect { delimiter: Some(';'), quote: Some('\''), ..Dialect::default() };
        assert_eq!(read(b"a;b\n'1;2';\"x,y\n", dialect()).unwrap().1, [["1;2", "\"x,y"]]);
        assert!(read(b"a;b\n'1;2", dialect()).unwrap_err().to_string().contains("never closed"));
        let tab = Dialect { delimiter: Some('\t'), ..Dialect::default() };
        assert_eq!(read(b"a\tb,c\n", tab).unwrap().0, ["a", "b,c"]);
    }
}
