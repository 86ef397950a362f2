use serde::{Deserialize, Serialize};

use super::Format;
use crate::violation::{Violation, check_text};

/// How a file is written beside its format, as far as that was said; the rest is found out or usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dialect {
    /// Between values; a comma unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Around values that hold delimiters or line breaks; a double quote unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// Of the text; found out unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Of a workbook, whatever the case; the first unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The sheet's row that names the columns; 1 unless said. What is above it is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
}

/// Rows of a sheet, in every version of the format.
const SHEET_ROWS: u32 = 1 << 20;

/// How a file's bytes are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// With or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Two bytes a character, the lower first.
    #[serde(rename = "utf-16le")]
    Utf16le,
    /// Two bytes a character, the higher first.
    #[serde(rename = "utf-16be")]
    Utf16be,
    /// Western European Windows.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16le => "utf-16le",
            Self::Utf16be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding of such a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Utf8, Self::Utf16le, Self::Utf16be, Self::Windows1252].into_iter().find(|known| known.as_str() == word)
    }
}

impl Dialect {
    /// The delimiter in force.
    pub fn delimiter(&self) -> char {
        self.delimiter.unwrap_or(',')
    }

    /// The quote in force.
    pub fn quote(&self) -> char {
        self.quote.unwrap_or('"')
    }

    /// The row that names the columns.
    pub fn header_row(&self) -> u32 {
        self.header_row.unwrap_or(1)
    }

    /// What is wrong with it; `field` is the file group's path.
    pub(super) fn violations(&self, field: &str, format: Format) -> Vec<Violation> {
        let mut found = Vec::new();
        let (is_csv, is_xlsx) = (format == Format::Csv, format == Format::Xlsx);
        for (name, is_said, fits, of) in [
            ("delimiter", self.delimiter.is_some(), is_csv, "csv"),
            ("quote", self.quote.is_some(), is_csv, "csv"),
            ("encoding", self.encoding.is_some(), !is_xlsx, "csv, json and ndjson"),
            ("sheet", self.sheet.is_some(), is_xlsx, "xlsx"),
            ("headerRow", self.header_row.is_some(), is_xlsx, "xlsx"),
        ] {
            if is_said && !fits {
                let message = format!("A file of format {} has no {name}; it belongs to {of}", format.as_str());
                found.push(Violation::new(format!("{field}.{name}"), message));
            }
        }
        if let Some(sheet) = &self.sheet {
            check_text(&mut found, &format!("{field}.sheet"), "Sheet", sheet, 31);
        }
        if !(1..=SHEET_ROWS).contains(&self.header_row()) {
            let message = format!("{} is no row of a sheet; 1 to {SHEET_ROWS} are allowed", self.header_row());
            found.push(Violation::new(format!("{field}.headerRow"), message));
        }
        for (name, character) in [("delimiter", self.delimiter), ("quote", self.quote)] {
            let Some(character) = character else { continue };
            let is_usable =
                character == '\t' || character.is_ascii_graphic() || (character == ' ' && name == "delimiter");
            if !is_usable || character.is_ascii_alphanumeric() {
                let message = format!("{character:?} can't be the {name}; a tab or an ASCII mark is allowed");
                found.push(Violation::new(format!("{field}.{name}"), message));
            }
        }
        if found.is_empty() && self.delimiter() == self.quote() {
            let message = format!("{:?} can't be delimiter and quote", self.quote());
            found.push(Violation::new(format!("{field}.quote"), message));
        }
        found
    }
}
