use std::fmt::Write as _;
use std::io::{Result, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::refused;

/// What a sheet holds at most, with its header, in every program that reads one.
pub const ROWS: u32 = 1_048_576;
/// Columns of a sheet.
const COLUMNS: usize = 16_384;
/// Characters of a sheet's name.
const NAME: usize = 31;

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const RELATIONSHIPS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK_RELATIONSHIPS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const SHEET_START: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#;
const SHEET_END: &str = "</sheetData></worksheet>";

/// A workbook of one sheet whose cells are all inline texts: no table of shared strings that would have to be held in
/// memory, no styles.
///
/// Equal rows give equal bytes: nothing in it is a time. Texts of more than 32,767 characters are written whole although
/// Excel shows no more of them.
pub struct Workbook<W: Write + Seek> {
    zip: ZipWriter<W>,
    /// The row being written.
    text: String,
    /// Rows so far.
    rows: u32,
}

impl<W: Write + Seek> Workbook<W> {
    /// Begins the workbook; the sheet is its last part.
    pub fn new(out: W, sheet: &str) -> Result<Self> {
        let mut zip = ZipWriter::new(out);
        let workbook = format!(
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="{}" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
            sheet_name(sheet)
        );
        for (name, text) in [
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONSHIPS),
            ("xl/workbook.xml", &workbook),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONSHIPS),
            ("xl/worksheets/sheet1.xml", SHEET_START),
        ] {
            zip.start_file(name, options())?;
            zip.write_all(DECLARATION.as_bytes())?;
            zip.write_all(text.as_bytes())?;
        }
        Ok(Self { zip, text: String::new(), rows: 0 })
    }

    /// Adds a row; an empty value is no cell.
    pub fn row<S: AsRef<str>>(&mut self, values: &[S]) -> Result<()> {
        if self.rows == ROWS {
            return Err(refused(format!("a sheet holds {ROWS} rows at most, with the header")));
        }
        if values.len() > COLUMNS {
            return Err(refused(format!("a row of {} values; a sheet holds {COLUMNS} columns at most", values.len())));
        }
        self.rows += 1;
        let (row, text) = (self.rows, &mut self.text);
        text.clear();
        // Writing to a string can't fail.
        let _ = write!(text, r#"<row r="{row}">"#);
        for (index, value) in values.iter().map(AsRef::as_ref).enumerate().filter(|(_, value)| !value.is_empty()) {
            text.push_str(r#"<c r=""#);
            push_column(text, index);
            let _ = write!(text, r#"{row}" t="inlineStr"><is><t xml:space="preserve">"#);
            push_escaped(text, value);
            text.push_str("</t></is></c>");
        }
        text.push_str("</row>");
        self.zip.write_all(text.as_bytes())
    }

    /// Ends sheet and workbook.
    pub fn finish(mut self) -> Result<W> {
        self.zip.write_all(SHEET_END.as_bytes())?;
        let mut out = self.zip.finish()?;
        out.flush()?;
        Ok(out)
    }
}

/// The same wherever and whenever it is written: a fixed level, the first of all times, always Unix.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644)
}

/// The letters of a column: A, ..., Z, AA, ...
fn push_column(text: &mut String, index: usize) {
    if index >= 26 {
        push_column(text, index / 26 - 1);
    }
    text.push(char::from(b'A' + (index % 26) as u8));
}

/// A name that a sheet may have, escaped.
fn sheet_name(name: &str) -> String {
    let allowed = |letter: char| if letter.is_control() || r"[]:*?/\'".contains(letter) { '_' } else { letter };
    let name: String = name.chars().map(allowed).take(NAME).collect();
    let mut escaped = String::new();
    push_escaped(&mut escaped, if name.trim().is_empty() { "Sheet1" } else { &name });
    escaped
}

/// Text as XML. What XML can't hold, or would change, becomes `_xHHHH_`, as Excel writes it; a text that looks like that
/// already gets its first `_` written so.
fn push_escaped(text: &mut String, value: &str) {
    for (at, letter) in value.char_indices() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' | '\n' => text.push(letter),
            '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {
                let _ = write!(text, "_x{:04X}_", u32::from(letter));
            }
            '_' if looks_escaped(&value.as_bytes()[at..]) => text.push_str("_x005F_"),
            _ => text.push(letter),
        }
    }
}

/// Does this begin with `_xHHHH_`?
fn looks_escaped(bytes: &[u8]) -> bool {
    matches!(bytes, [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sheet_cannot_hold_is_refused() {
        let mut workbook = Workbook::new(std::io::Cursor::new(Vec::new()), "").unwrap();
        assert!(workbook.row(&vec!["x"; 16_385]).unwrap_err().to_string().contains("16384 columns"));
        workbook.rows = ROWS - 1;
        workbook.row(&["x"]).unwrap();
        assert!(workbook.row(&["x"]).unwrap_err().to_string().contains("1048576 rows"));
    }
}
