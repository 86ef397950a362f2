use std::io::Cursor;

use aggregates::application::{Dialect, Format};
use calamine::{Data, Reader, Xlsx};
use serde_json::Value;

use super::Writer;

const HEADER: [&str; 3] = ["key", "name, \"quoted\"", "größe"];

fn rows() -> Vec<[String; 3]> {
    let row = |key: &str, name: &str, size: &str| [key.to_owned(), name.to_owned(), size.to_owned()];
    vec![
        row("000123", "José Nguyễn 😀", "=1+1"),
        row("1e5", "two\nlines, \"quotes\" and 'apostrophes'", "true"),
        row("a;b\tc|d", " spaces around ", "&lt;<tag a=\"b\">&amp;]]>"),
        row("2026-03-15", "carriage\rreturn and\r\nboth", "_x0041_ _x000D_ _x_ _"),
        row("\u{feff}mark", "\u{1}\u{8}\u{1f}\u{7f}\u{85}\u{fffd}", "\u{fffe}\u{ffff}\u{2028}"),
        row("", "", "only the last"),
        row("only the first", "", ""),
        row("long", &"ü long ".repeat(20_000), "-"),
    ]
}

fn written(kind: Format, dialect: &Dialect, rows: &[impl AsRef<[String]>]) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), kind, dialect, "Rows", &HEADER).unwrap();
    for row in rows {
        writer.row(row.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The rows of the only sheet, header first.
fn sheet(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    assert_eq!(workbook.sheet_names().len(), 1);
    let range = workbook.worksheet_range_at(0).unwrap().unwrap();
    let text = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => panic!("not a text: {other:?}"),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

/// Objects as rows of the header.
fn objects(objects: &[Value]) -> Vec<Vec<String>> {
    let text = |value: Option<&Value>| value.map(|value| value.as_str().unwrap().to_owned()).unwrap_or_default();
    objects.iter().map(|object| HEADER.iter().map(|name| text(object.get(name))).collect()).collect()
}

#[test]
fn csv_gives_back_what_was_written_in_any_dialect() {
    for (delimiter, quote) in [(',', '"'), (';', '\''), ('\t', '"'), ('|', '\'')] {
        let dialect = Dialect { delimiter: Some(delimiter), quote: Some(quote), ..Dialect::default() };
        let bytes = written(Format::Csv, &dialect, &rows());
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder.delimiter(delimiter as u8).quote(quote as u8).from_reader(&bytes[..]);
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), HEADER);
        let read: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(read, rows());
    }
}

#[test]
fn a_workbook_gives_back_what_was_written() {
    let read = sheet(written(Format::Xlsx, &Dialect::default(), &rows()));
    assert_eq!(read[0], HEADER);
    assert_eq!(read[1..], rows());
}

#[test]
fn json_gives_back_what_was_written_in_the_headers_order() {
    let bytes = written(Format::Json, &Dialect::default(), &rows());
    let array: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(objects(&array), rows());
    assert!(array[6].as_object().unwrap().keys().eq(["key"]), "an empty value is left out");
    let text = String::from_utf8(bytes).unwrap();
    let (key, last) = (text.find("\"key\"").unwrap(), text.find("\"größe\"").unwrap());
    assert!(key < last && text.starts_with("[\n{\"key\":\"000123\","), "{}", &text[..40]);
}

#[test]
fn ndjson_is_an_object_a_line() {
    let text = String::from_utf8(written(Format::Ndjson, &Dialect::default(), &rows())).unwrap();
    assert!(text.ends_with("}\n"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects(&lines), rows());
}

#[test]
fn a_table_without_rows_is_one_in_every_format() {
    let none: [&[String]; 0] = [];
    let write = |kind| written(kind, &Dialect::default(), &none);
    assert_eq!(String::from_utf8(write(Format::Csv)).unwrap(), "key,\"name, \"\"quoted\"\"\",größe\n");
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&write(Format::Json)).unwrap(), Vec::<Value>::new());
    assert!(write(Format::Ndjson).is_empty());
    assert_eq!(sheet(write(Format::Xlsx)), [HEADER]);
}

#[test]
fn ragged_rows_are_written_as_they_are_where_they_can_be() {
    let row = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let rows = [row(1), row(5)];
    let csv = String::from_utf8(written(Format::Csv, &Dialect::default(), &rows)).unwrap();
    assert!(csv.ends_with("\n0\n0,1,2,3,4\n"), "{csv}");
    assert_eq!(sheet(written(Format::Xlsx, &Dialect::default(), &rows))[2], row(5));
    assert!(written(Format::Ndjson, &Dialect::default(), &rows[..1]).starts_with(b"{\"key\":\"0\"}"));
    let mut json = Writer::new(Cursor::new(Vec::new()), Format::Json, &Dialect::default(), "", &HEADER).unwrap();
    assert_eq!(json.row(&row(5)).unwrap_err().to_string(), "a row of 5 values; the header has names for 3");
}

#[test]
fn columns_beyond_z_and_odd_names_of_sheets_are_read() {
    let header: Vec<String> = (0..800).map(|number| format!("c{number}")).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    for (name, kept) in [("a/b: <\"c\">*", "a_b_ <\"c\">_"), ("", "Sheet1"), (&"x".repeat(40), &"x".repeat(31))] {
        let out = Cursor::new(Vec::new());
        let writer = Writer::new(out, Format::Xlsx, &Dialect::default(), name, &header).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
        assert_eq!(workbook.sheet_names(), [kept]);
        assert_eq!(sheet(bytes)[0], header);
    }
}

#[test]
fn equal_rows_give_equal_bytes() {
    for kind in [Format::Csv, Format::Xlsx, Format::Json, Format::Ndjson] {
        let write = || written(kind, &Dialect::default(), &rows());
        assert!(write() == write(), "{kind:?}");
    }
}
