//! Which columns of a file fill which field.

use std::borrow::Cow;

use aggregates::application::{Column, FileGroup, fields};

use super::Fault;
use super::issues::Problem;
use super::reader::{VALUE_LIMIT, Values};

/// A file group's columns, found in a file's header.
pub struct Mapping {
    fields: Vec<Field>,
    /// Columns of the file.
    width: usize,
}

struct Field {
    name: String,
    indexes: Vec<usize>,
    columns: Vec<String>,
    join: String,
    /// Its meaning is known; else it is a custom attribute.
    is_known: bool,
}

/// A row's values by field.
pub struct Fields<'a> {
    mapping: &'a Mapping,
    values: &'a Values<'a>,
}

impl Mapping {
    /// Finds the columns.
    ///
    /// # Errors
    /// A column that the file doesn't have, or has twice, is a fault of the file (rulings 16).
    pub fn new(group: &FileGroup, header: &[String], file: &str) -> Result<Self, Fault> {
        let mut found = Vec::with_capacity(group.columns.len());
        for (name, column) in &group.columns {
            let mut indexes = Vec::new();
            for wanted in column.names() {
                let mut places = header.iter().enumerate().filter(|(_, known)| *known == wanted.trim());
                match (places.next(), places.next()) {
                    (Some((index, _)), None) => indexes.push(index),
                    (Some(_), Some(_)) => {
                        return Err(Fault::File(format!(
                            "{file} has the column {wanted:?} twice, which field {name} needs once"
                        )));
                    }
                    (None, _) => {
                        let header: Vec<&str> = header.iter().map(String::as_str).take(50).collect();
                        return Err(Fault::File(format!(
                            "{file} has no column {wanted:?}, which field {name} needs; it has {}",
                            header.join(", ")
                        )));
                    }
                }
            }
            let join = if let Column::Joined { join, .. } = column { join.clone() } else { String::new() };
            let is_known = fields::known(group.content).contains(&name.as_str());
            found.push(Field { name: name.clone(), indexes, columns: column.names().to_vec(), join, is_known });
        }
        Ok(Self { fields: found, width: header.len() })
    }

    /// What is wrong with a row before anybody looks at its fields.
    pub fn problems(&self, values: &Values<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if values.len() != self.width {
            let message = format!("The row has {} values; the header has {}", values.len(), self.width);
            problems.push(Problem::of_row("ragged_row", message));
        }
        for field in &self.fields {
            for (index, column) in field.indexes.iter().zip(&field.columns) {
                let Some(value) = values.get(*index) else { continue };
                let problem = |code, message: String| Problem {
                    column: Some(column.clone()),
                    value: Some((*value).to_owned()),
                    code,
                    message,
                    allowed: None,
                };
                if value.contains('\0') {
                    problems.push(problem("nul_character", "The value contains a NUL character".to_owned()));
                }
                if value.len() > VALUE_LIMIT {
                    let message = format!("The value has {} bytes; at most {VALUE_LIMIT} are allowed", value.len());
                    problems.push(problem("value_too_long", message));
                }
            }
        }
        problems
    }

    /// The row's values by field.
    pub const fn fields<'a>(&'a self, values: &'a Values<'a>) -> Fields<'a> {
        Fields { mapping: self, values }
    }

    /// The first column of a field, for messages.
    pub fn column(&self, field: &str) -> Option<String> {
        self.fields.iter().find(|known| known.name == field)?.columns.first().cloned()
    }
}

impl<'a> Fields<'a> {
    /// A field's value, trimmed; `None` when it is empty, not mapped, or beyond the end of a ragged row.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let field = self.mapping.fields.iter().find(|field| field.name == name)?;
        self.value(field)
    }

    fn value(&self, field: &Field) -> Option<Cow<'a, str>> {
        let mut parts = field.indexes.iter().filter_map(|index| {
            let value = self.values.get(*index)?.trim();
            (!value.is_empty()).then_some(value)
        });
        let first = parts.next()?;
        let mut joined = Cow::Borrowed(first);
        for part in parts {
            let text = joined.to_mut();
            text.push_str(&field.join);
            text.push_str(part);
        }
        Some(joined)
    }

    /// Custom attributes that have a value.
    pub fn attributes(&self) -> std::collections::BTreeMap<String, String> {
        let custom = self.mapping.fields.iter().filter(|field| !field.is_known);
        custom.filter_map(|field| Some((field.name.clone(), self.value(field)?.into_owned()))).collect()
    }
}
