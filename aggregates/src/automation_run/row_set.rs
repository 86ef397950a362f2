//! A set of row numbers, a bit each: a million rows are 250 kB of an event.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// Which rows; written as hexadecimal digits, four rows a digit, row 0 the highest bit of the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RowSet(Vec<u8>);

impl RowSet {
    /// Puts a row in.
    pub fn insert(&mut self, row: u32) {
        let at = (row / 8) as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 0x80 >> (row % 8);
    }

    /// Is a row in it?
    pub fn contains(&self, row: u32) -> bool {
        self.0.get((row / 8) as usize).is_some_and(|byte| byte & (0x80 >> (row % 8)) != 0)
    }

    /// How many are in it.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Is none in it?
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

impl FromIterator<u32> for RowSet {
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        let mut set = Self::default();
        rows.into_iter().for_each(|row| set.insert(row));
        set
    }
}

impl From<RowSet> for String {
    fn from(set: RowSet) -> Self {
        set.0.iter().fold(Self::with_capacity(set.0.len() * 2), |mut text, byte| {
            // Writing into a text can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl TryFrom<String> for RowSet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        bytes.map(Self).ok_or_else(|| "rows are pairs of hexadecimal digits".to_owned())
    }
}
