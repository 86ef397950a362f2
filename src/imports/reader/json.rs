//! JSON: one array of objects, or objects one after the other. A column is a key, or a path of keys (`name.family`).

use std::collections::{BTreeSet, HashMap};
use std::io::{BufReader, Error, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aggregates::application::{FileGroup, Format, fields};
use aggregates::transform::Named;
use serde::Deserializer;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::pushed::{Push, Pushed};
use super::{ROW_LIMIT, SEVERAL};
use crate::imports::{Fault, transforms};

/// An object, its values as they are written: a number keeps all its digits.
type Object = HashMap<String, Box<RawValue>>;

/// The rows of a file. Its header is what the group needs: objects leave out what is empty.
pub(super) fn open(text: impl Read + Send + 'static, file: &str, group: &FileGroup, named: &Named) -> Pushed {
    let required = fields::required(group.content);
    let (mut keys, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for (field, column) in &group.columns {
        let mut read: BTreeSet<String> = column.names().iter().cloned().collect();
        read.extend(transforms::attributes(column, named).into_iter().map(str::to_owned));
        if required.contains(&field.as_str()) {
            keys.extend(read.iter().cloned());
        }
        columns.extend(read);
    }
    let columns: Vec<String> = columns.into_iter().collect();
    let (file, format) = (file.to_owned(), group.format);
    Pushed::by(move |push| {
        let bytes_of_row = Arc::new(AtomicUsize::new(0));
        let bytes = without_mark(Limited { inner: text, bytes_of_row: Arc::clone(&bytes_of_row) })?;
        let mut objects = Objects { push, columns: &columns, seen: vec![false; columns.len()], row: 1, bytes_of_row };
        if objects.push.row(1, columns.iter().map(String::as_str)).is_err() {
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, bytes));
        let read = if format == Format::Json {
            json.deserialize_seq(&mut objects).and_then(|()| json.end())
        } else {
            let mut read = json.into_iter::<Object>();
            read.try_for_each(|object| objects.take(&object?))
        };
        match read {
            Ok(()) => {}
            Err(error) if error.is_io() && error.io_error_kind() != Some(ErrorKind::InvalidData) => {
                return Err(std::io::Error::from(error).into());
            }
            Err(error) => {
                let (word, row) = (format.as_str().to_uppercase(), objects.row);
                return Err(Fault::File(format!("{file} is no {word} that can be read after row {row}: {error}")));
            }
        }
        // What tells rows apart must be there, as an unknown column is a fault (rulings 16). Anything else may be empty in
        // every object, and then some programs leave it out.
        for (column, _) in columns.iter().zip(&objects.seen).filter(|(_, seen)| objects.row > 1 && !**seen) {
            let message = format!("{file} has no object with {column:?}");
            if keys.contains(column) {
                return Err(Fault::File(message));
            }
            objects.push.remark(message);
        }
        Ok(())
    })
}

/// Takes objects and pushes their values.
struct Objects<'a> {
    push: &'a mut Push,
    columns: &'a [String],
    seen: Vec<bool>,
    row: u32,
    bytes_of_row: Arc<AtomicUsize>,
}

impl Objects<'_> {
    fn take(&mut self, object: &Object) -> serde_json::Result<()> {
        self.bytes_of_row.store(0, Ordering::Relaxed);
        self.row = self.row.checked_add(1).ok_or_else(|| serde_json::Error::custom("too many rows"))?;
        let mut values = Vec::with_capacity(self.columns.len());
        for (column, seen) in self.columns.iter().zip(&mut self.seen) {
            let found = find(object, column)?;
            *seen |= found.is_some();
            values.push(found.unwrap_or_default());
        }
        self.push.row(self.row, values.iter().map(String::as_str)).map_err(serde_json::Error::custom)
    }
}

impl<'de> Visitor<'de> for &mut Objects<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(object) = array.next_element::<Object>()? {
            self.take(&object).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// The text of a column; `None` when the object doesn't have it.
fn find(object: &Object, column: &str) -> serde_json::Result<Option<String>> {
    if let Some(value) = object.get(column) {
        return text(value.get()).map(Some);
    }
    let Some((key, rest)) = column.split_once('.') else { return Ok(None) };
    match object.get(key) {
        Some(inner) if inner.get().starts_with('{') => find(&serde_json::from_str(inner.get())?, rest),
        _ => Ok(None),
    }
}

/// A value as text: a string's content, a number as it is written, nothing for null, an array's values beside each other.
fn text(value: &str) -> serde_json::Result<String> {
    match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str(value),
        Some(b'n') => Ok(String::new()),
        Some(b'[') => {
            let values: Vec<Box<RawValue>> = serde_json::from_str(value)?;
            let mut texts = Vec::with_capacity(values.len());
            for value in values {
                if value.get().starts_with('[') {
                    return Err(serde_json::Error::custom("an array inside an array can't be a field's value"));
                }
                texts.push(text(value.get())?);
            }
            Ok(texts.join(&SEVERAL.to_string()))
        }
        Some(b'{') => Err(serde_json::Error::custom("an object can't be a field's value; name what is in it (a.b)")),
        _ => Ok(value.to_owned()),
    }
}

/// Leaves the byte order mark out.
fn without_mark(mut bytes: impl Read) -> std::io::Result<impl Read> {
    let mut first = Vec::with_capacity(3);
    bytes.by_ref().take(3).read_to_end(&mut first)?;
    if first == [0xEF, 0xBB, 0xBF] {
        first.clear();
    }
    Ok(std::io::Cursor::new(first).chain(bytes))
}

/// Refuses an object that doesn't end.
struct Limited<R> {
    inner: R,
    bytes_of_row: Arc<AtomicUsize>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if self.bytes_of_row.fetch_add(read, Ordering::Relaxed) + read > ROW_LIMIT + buffer.len() {
            let message = format!("an object of more than {} MiB", ROW_LIMIT >> 20);
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use aggregates::application::{Column, Dialect, Encoding};

    use super::super::tests::{all, group};
    use super::*;

    fn read(format: Format, text: &str, columns: &[&str]) -> Result<Vec<(u32, Vec<String>)>, Fault> {
        all(text.as_bytes(), &of(format, Dialect::default(), columns)).map(|(_, rows)| rows)
    }

    /// A group whose key is the first column.
    fn of(format: Format, dialect: Dialect, columns: &[&str]) -> FileGroup {
        let mut group = group(format, dialect, columns);
        group.columns.insert("account".to_owned(), Column::One(columns[0].to_owned()));
        group
    }

    fn row(number: u32, values: &[&str]) -> (u32, Vec<String>) {
        (number, values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn an_array_and_lines_say_the_same() {
        let array = r#"[{"id":"a","n":1.50,"on":true,"x":{"y":"é"}}, {"n":null,"id":"b","z":[1],"x":{"y":null}}]"#;
        let lines = "{\"id\":\"a\",\"n\":1.50,\"on\":true,\"x\":{\"y\":\"é\"}}\n\n{\"id\":\"b\",\"x\":{}}\r\n";
        let expected = [row(2, &["a", "1.50", "true", "é"]), row(3, &["b", "", "", ""])];
        let columns = ["id", "n", "on", "x.y"];
        assert_eq!(read(Format::Json, array, &columns).unwrap(), expected);
        assert_eq!(read(Format::Json, &format!("\u{feff}{array}"), &columns).unwrap(), expected);
        assert_eq!(read(Format::Ndjson, lines, &columns).unwrap(), expected);
    }

    #[test]
    fn a_number_keeps_its_digits_and_an_array_its_values() {
        let rows = read(Format::Ndjson, r#"{"id":123456789012345678901234567890,"r":["a",2]}"#, &["id", "r"]);
        assert_eq!(rows.unwrap(), [row(2, &["123456789012345678901234567890", "a\u{1f}2"])]);
    }

    #[test]
    fn what_is_no_array_of_objects_is_a_fault_that_says_where() {
        for (format, text, message) in [
            (Format::Json, "{\"id\":1}", "expected an array of objects"),
            (Format::Json, "[{\"id\":1},7]", "after row 2"),
            (Format::Json, "[{\"id\":1}", "EOF"),
            (Format::Json, "[{\"id\":1}] x", "trailing characters"),
            (Format::Json, "", "EOF"),
            (Format::Ndjson, "{\"id\":1}\n{\"id\":", "after row 2"),
            (Format::Ndjson, "[1]", "expected a map"),
            (Format::Json, "[{\"id\":{\"a\":1}}]", "name what is in it"),
            (Format::Json, "[{\"id\":[[1]]}]", "an array inside an array"),
            (Format::Json, "[{\"no\":1}]", "no object with \"id\""),
        ] {
            let error = read(format, text, &["id"]).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_is_read() {
        let deep = format!("[{{\"id\":1,\"x\":{}1{}}}]", "[".repeat(200_000), "]".repeat(200_000));
        // What nobody asks for is passed over.
        assert!(read(Format::Json, &deep, &["id"]).is_ok());
        assert!(read(Format::Json, &deep, &["x"]).is_err());
        assert!(read(Format::Json, &"[".repeat(200_000), &["x"]).is_err());
    }

    #[test]
    fn other_encodings_are_read() {
        let text: Vec<u8> = "[{\"id\":\"é\"}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let said = Dialect { encoding: Some(Encoding::Utf16le), ..Dialect::default() };
        assert_eq!(all(&text, &of(Format::Json, said, &["id"])).unwrap().1, [row(2, &["é"])]);
        assert_eq!(all(&text, &of(Format::Json, Dialect::default(), &["id"])).unwrap().1, [row(2, &["é"])]);
    }

    #[test]
    fn an_object_that_does_not_end_is_not_read_into_memory_for_ever() {
        let mut text = b"[{\"id\":\"".to_vec();
        text.resize(ROW_LIMIT + (1 << 20), b'x');
        let error = all(&text, &of(Format::Json, Dialect::default(), &["id"])).unwrap_err();
        assert!(error.to_string().contains("64 MiB"), "{error}");
    }
}
