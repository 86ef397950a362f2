//! Workbooks: cell by cell from one sheet, nothing but the shared texts held in memory.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek};

use aggregates::application::Dialect;
use calamine::{Data, DataRef, Reader, Xlsx};
use zip::ZipArchive;

use super::pushed::{Push, Pushed, Stopped};
use super::{COLUMN_LIMIT, Counted};
use crate::imports::Fault;

/// Bytes that a sheet may unpack to.
const SHEET_LIMIT: u64 = 2 << 30;
/// Bytes that everything else, which is held in memory, may unpack to.
const REST_LIMIT: u64 = 128 << 20;
/// Bytes that may come without an element: a cell is held in memory.
const TEXT_LIMIT: u64 = 1 << 20;

/// Unpacks everything once and keeps nothing: what an archive says of its sizes may be a lie (a zip bomb).
pub(super) fn check_size(bytes: &mut (impl Read + Seek), file: &str) -> Result<(), Fault> {
    let no_workbook = |error: &dyn std::fmt::Display| Fault::File(format!("{file} is no XLSX workbook: {error}"));
    let mut start = Vec::with_capacity(8);
    bytes.by_ref().take(8).read_to_end(&mut start)?;
    bytes.rewind()?;
    if start.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(no_workbook(&"it is an older or an encrypted one (OLE), which can't be read"));
    }
    let mut archive = ZipArchive::new(BufReader::new(&mut *bytes)).map_err(|error| no_workbook(&error))?;
    let mut rest = 0;
    let mut buffer = vec![0; 1 << 16];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| no_workbook(&error))?;
        let is_sheet = part.name().is_ok_and(|name| name.starts_with("xl/worksheets/"));
        let (mut size, mut text) = (0, 0);
        loop {
            let read = part.read(&mut buffer).map_err(|error| no_workbook(&error))?;
            if read == 0 {
                break;
            }
            size += read as u64;
            rest += if is_sheet { 0 } else { read as u64 };
            text = match buffer[..read].iter().rposition(|byte| *byte == b'<') {
                Some(last) => (read - last) as u64,
                None => text + read as u64,
            };
            if size > SHEET_LIMIT || rest > REST_LIMIT || text > TEXT_LIMIT {
                return Err(Fault::File(format!(
                    "{file} unpacks to more than is read: a sheet of {} MiB, other parts of {} MiB and a text of {} MiB \
                     are allowed",
                    SHEET_LIMIT >> 20,
                    REST_LIMIT >> 20,
                    TEXT_LIMIT >> 20
                )));
            }
        }
    }
    drop(archive);
    bytes.rewind()?;
    Ok(())
}

/// The rows of a sheet.
pub(super) fn open(bytes: Counted<impl Read + Seek + Send + 'static>, file: &str, dialect: &Dialect) -> Pushed {
    let (file, dialect) = (file.to_owned(), dialect.clone());
    Pushed::by(move |push| {
        let no_workbook = |error: calamine::XlsxError| match error {
            calamine::XlsxError::Io(error) => error.into(),
            error => Fault::File(format!("{file} is no XLSX workbook: {error}")),
        };
        let mut workbook: Xlsx<_> = Xlsx::new(BufReader::with_capacity(1 << 16, bytes)).map_err(no_workbook)?;
        let sheet = find_sheet(&workbook.sheet_names(), &file, dialect.sheet.as_deref())?;
        let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(no_workbook)?;
        let mut rows =
            Assembly { push, file: &file, first: dialect.header_row() - 1, width: None, row: BTreeMap::new() };
        let mut current = 0;
        while let Some(cell) = cells.next_cell().map_err(no_workbook)? {
            let (row, column) = cell.get_position();
            if row != current {
                if row < current {
                    return Err(Fault::File(format!("{file} is no XLSX workbook: row {} comes twice", row + 1)));
                }
                if rows.end(current)?.is_err() {
                    return Ok(());
                }
                current = row;
            }
            if row < rows.first {
                continue;
            }
            if column as usize >= COLUMN_LIMIT {
                return Err(Fault::File(format!("{file} has more than {COLUMN_LIMIT} columns")));
            }
            let text = text(cell.get_value());
            if !text.is_empty() {
                rows.row.insert(column, text);
            }
        }
        // Nobody reads any more: the end all the same.
        drop(rows.end(current)?);
        if rows.width.is_none() {
            let row = dialect.header_row();
            return Err(Fault::File(format!(
                "{file}: row {row} of sheet {sheet:?} is empty; it should name the columns"
            )));
        }
        Ok(())
    })
}

fn find_sheet(sheets: &[String], file: &str, wanted: Option<&str>) -> Result<String, Fault> {
    let found = match wanted {
        None => sheets.first(),
        Some(wanted) => sheets.iter().find(|sheet| sheet.to_lowercase() == wanted.trim().to_lowercase()),
    };
    found.cloned().ok_or_else(|| match wanted {
        Some(wanted) => Fault::File(format!("{file} has no sheet {wanted:?}; it has {}", sheets.join(", "))),
        None => Fault::File(format!("{file} has no sheet")),
    })
}

/// Puts cells together to rows.
struct Assembly<'a> {
    push: &'a mut Push,
    file: &'a str,
    /// The header's row, from 0.
    first: u32,
    /// Of the header, once it is read.
    width: Option<usize>,
    /// Column → text of the row being read.
    row: BTreeMap<u32, String>,
}

impl Assembly<'_> {
    /// The row is whole. An empty one is none; a sheet leaves out empty cells, so a short one is filled up.
    fn end(&mut self, row: u32) -> Result<Result<(), Stopped>, Fault> {
        let cells = std::mem::take(&mut self.row);
        let Some((last, _)) = cells.last_key_value() else { return Ok(Ok(())) };
        if self.width.is_none() && row != self.first {
            let row = self.first + 1;
            return Err(Fault::File(format!("{}: row {row} is empty; it should name the columns", self.file)));
        }
        let width = (*last as usize + 1).max(self.width.unwrap_or(0));
        self.width.get_or_insert(width);
        let mut values = vec![""; width];
        for (column, text) in &cells {
            values[*column as usize] = text;
        }
        Ok(self.push.row(row - self.first + 1, values))
    }
}

/// A cell as people see it; dates in ISO 8601.
fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::Int(value) => value.to_string(),
        // Rust writes the shortest text that reads back alike, and no point without a fraction.
        DataRef::Float(value) => value.to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::DateTime(value) => match (value.is_duration(), value.as_datetime()) {
            (false, Some(time)) if time.time() == chrono::NaiveTime::MIN => time.date().to_string(),
            (false, Some(time)) => time.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            _ => Data::Float(value.as_f64()).to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use aggregates::application::Format;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::super::tests::{Row, all, group};
    use super::*;

    const TYPES: &str =
        r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const WORKBOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Notes" sheetId="1" r:id="rId1"/><sheet name="People" sheetId="2" r:id="rId2"/></sheets></workbook>"#;
    const WORKBOOK_RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
    /// Style 1 is a date, style 2 a date with its time.
    const STYLES: &str = r#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// A workbook whose sheet `People` has these rows.
    fn workbook(rows: &str) -> Vec<u8> {
        let sheet = |rows: &str| {
            format!(
                r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
            )
        };
        archive(&[
            ("[Content_Types].xml", TYPES.as_bytes()),
            ("_rels/.rels", RELS.as_bytes()),
            ("xl/workbook.xml", WORKBOOK.as_bytes()),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELS.as_bytes()),
            ("xl/styles.xml", STYLES.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet("").as_bytes()),
            ("xl/worksheets/sheet2.xml", sheet(rows).as_bytes()),
        ])
    }

    fn text(at: &str, text: &str) -> String {
        format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    }

    fn read(bytes: &[u8], sheet: Option<&str>, header_row: Option<u32>) -> Result<(Vec<String>, Vec<Row>), Fault> {
        let dialect = Dialect { sheet: sheet.map(str::to_owned), header_row, ..Dialect::default() };
        all(bytes, &group(Format::Xlsx, dialect, &[]))
    }

    #[test]
    fn cells_are_read_as_people_see_them() {
        let rows = [
            format!(r#"<row r="1">{}</row>"#, text("A1", "a title")),
            format!(
                r#"<row r="3">{}{}{}{}{}</row>"#,
                text("A3", "key"),
                text("B3", "n"),
                text("C3", "day"),
                text("D3", "at"),
                text("E3", "on")
            ),
            format!(
                r#"<row r="4">{}<c r="B4"><v>12.50</v></c><c r="C4" s="1"><v>46022</v></c><c r="D4" s="2"><v>46022.5</v></c><c r="E4" t="b"><v>1</v></c></row>"#,
                text("A4", "007")
            ),
            r#"<row r="5"><c r="B5" s="1"/></row>"#.to_owned(),
            r#"<row r="6"><c r="B6"><v>1234567</v></c><c r="C6" t="e"><v>#N/A</v></c></row>"#.to_owned(),
        ];
        let (header, rows) = read(&workbook(&rows.concat()), Some("people"), Some(3)).unwrap();
        assert_eq!(header, ["key", "n", "day", "at", "on"]);
        let row = |number, values: [&str; 5]| (number, values.map(str::to_owned).to_vec());
        assert_eq!(
            rows,
            [
                row(2, ["007", "12.5", "2025-12-31", "2025-12-31T12:00:00", "true"]),
                row(4, ["", "1234567", "#N/A", "", ""]),
            ]
        );
    }

    #[test]
    fn what_is_no_workbook_or_no_sheet_is_a_fault_that_says_so() {
        let good = workbook(&format!(r#"<row r="1">{}</row>"#, text("A1", "key")));
        let cut = &good[..good.len() / 2];
        for (bytes, sheet, header_row, message) in [
            (&good[..], Some("Nobody"), None, "has no sheet \"Nobody\"; it has Notes, People"),
            (&good, None, None, "row 1 of sheet \"Notes\" is empty"),
            (&good, Some("People"), Some(2), "row 2 of sheet \"People\" is empty"),
            (b"key\n1\n", None, None, "is no XLSX workbook"),
            (b"", None, None, "is no XLSX workbook"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", None, None, "older or an encrypted one"),
            (cut, None, None, "is no XLSX workbook"),
            (&archive(&[("a.txt", b"x")]), None, None, "is no XLSX workbook"),
        ] {
            let error = read(bytes, sheet, header_row).unwrap_err().to_string();
            assert!(error.contains(message), "{message}: {error}");
        }
        let broken = workbook("<row r=\"1\"><c r=\"A1\"><v>1</v></row>");
        assert!(read(&broken, Some("People"), None).unwrap_err().to_string().contains("is no XLSX workbook"));
    }

    #[test]
    fn a_zip_bomb_is_refused_before_it_is_in_memory() {
        let many = "<si><t>aaaaaaaaaaaaaaaaaaaa</t></si>".repeat((REST_LIMIT as usize / 30) + 1);
        let one = vec![b'a'; TEXT_LIMIT as usize + 2];
        for bomb in [many.as_bytes(), &one] {
            let bytes = archive(&[("xl/sharedStrings.xml", bomb)]);
            assert!(bytes.len() < 2 << 20, "{}", bytes.len());
            let error = read(&bytes, None, None).unwrap_err().to_string();
            assert!(error.contains("unpacks to more than is read"), "{error}");
        }
    }
}
