//! Which columns of a file fill which field, and how.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aggregates::application::transform::{Steps, Unfit, VALUE_LIMIT};
use aggregates::application::{FileGroup, Format, Transform, fields};

use super::Fault;
use super::issues::Problem;
use super::reader::{SEVERAL, Values};

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
    default: Option<String>,
    /// `None`: nothing is done with the value.
    steps: Option<Steps>,
    /// It may have several values.
    is_several: bool,
    /// Its meaning is known; else it is a custom attribute.
    is_known: bool,
}

/// A row's values by field, and what is wrong with them.
pub struct Fields<'a> {
    mapping: &'a Mapping,
    /// Beside the mapping's fields; several values of one stand beside each other.
    values: Vec<Option<Cow<'a, str>>>,
    /// What was wrong so far.
    pub problems: Vec<Problem>,
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
                let mut places = header.iter().enumerate().filter(|(_, known)| known.trim() == wanted.trim());
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
            let transforms = column.transforms();
            let is_split = transforms.iter().any(|transform| matches!(transform, Transform::Split(_)));
            found.push(Field {
                name: name.clone(),
                indexes,
                columns: column.names().to_vec(),
                join: column.join().to_owned(),
                default: column.default().map(str::to_owned),
                steps: (!transforms.is_empty()).then(|| Steps::new(transforms)),
                is_several: is_split || matches!(group.format, Format::Json | Format::Ndjson),
                is_known: fields::known(group.content).contains(&name.as_str()),
            });
        }
        Ok(Self { fields: found, width: header.len() })
    }

    /// A row's values by field.
    pub fn fields<'a>(&'a mut self, values: &Values<'a>) -> Fields<'a> {
        let mut problems = Vec::new();
        if values.len() != self.width {
            let message = format!("The row has {} values; the header has {}", values.len(), self.width);
            problems.push(Problem::of_row("ragged_row", message));
        }
        let by_field = self.fields.iter_mut().map(|field| field.value(values, &mut problems)).collect();
        Fields { mapping: self, values: by_field, problems }
    }
}

impl Field {
    /// The field's value, trimmed; `None` when it is empty, or beyond the end of a ragged row.
    fn value<'a>(&mut self, values: &Values<'a>, problems: &mut Vec<Problem>) -> Option<Cow<'a, str>> {
        let mut joined: Option<Cow<'a, str>> = None;
        for (index, column) in self.indexes.iter().zip(&self.columns) {
            let Some(value) = values.get(*index) else { continue };
            check(value, column, problems);
            let value = value.trim();
            match &mut joined {
                _ if value.is_empty() => {}
                None => joined = Some(Cow::Borrowed(value)),
                Some(joined) => {
                    let text = joined.to_mut();
                    text.push_str(&self.join);
                    text.push_str(value);
                }
            }
        }
        if let Some(steps) = &mut self.steps {
            let several = joined.as_deref().map(|value| value.split(SEVERAL).map(str::to_owned).collect());
            match steps.run(several.unwrap_or_default()) {
                Ok(values) if values.is_empty() => joined = None,
                Ok(values) => joined = Some(Cow::Owned(values.join(&SEVERAL.to_string()))),
                Err(unfit) => {
                    problems.push(self.problem(&unfit, joined.as_deref()));
                    return None;
                }
            }
        }
        joined.or_else(|| self.default.clone().map(Cow::Owned))
    }

    fn problem(&self, unfit: &Unfit, value: Option<&str>) -> Problem {
        let (code, message) = match unfit {
            Unfit::NotADate(form) => ("not_a_date", format!("{} is not a date of the form {form}", self.name)),
            Unfit::TooLong(bytes) => {
                ("value_too_long", format!("The value grows to {bytes} bytes; at most {VALUE_LIMIT} are allowed"))
            }
        };
        let (column, value) = (self.columns.first().cloned(), value.map(str::to_owned));
        Problem { column, value, code, message, allowed: None }
    }
}

/// What no value may have.
fn check(value: &str, column: &str, problems: &mut Vec<Problem>) {
    let mut problem = |code, message: String| {
        let (column, value) = (Some(column.to_owned()), Some(value.to_owned()));
        problems.push(Problem { column, value, code, message, allowed: None });
    };
    if value.contains('\0') {
        problem("nul_character", "The value contains a NUL character".to_owned());
    }
    if value.len() > VALUE_LIMIT {
        problem("value_too_long", format!("The value has {} bytes; at most {VALUE_LIMIT} are allowed", value.len()));
    }
}

impl Fields<'_> {
    fn find(&self, name: &str) -> Option<(&Field, &str)> {
        let index = self.mapping.fields.iter().position(|field| field.name == name)?;
        Some((&self.mapping.fields[index], self.values[index].as_deref()?))
    }

    /// A field's values, each once; none when it is empty or not mapped.
    pub fn several(&self, name: &str) -> Vec<&str> {
        let Some((field, value)) = self.find(name) else { return Vec::new() };
        if !field.is_several {
            return vec![value];
        }
        let mut values: Vec<&str> = Vec::new();
        for value in value.split(SEVERAL).map(str::trim).filter(|value| !value.is_empty()) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// A field's value; several are one text.
    pub fn get(&self, name: &str) -> Option<String> {
        let (field, value) = self.find(name)?;
        Some(field.text(value))
    }

    /// Custom attributes that have a value.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let custom = self.mapping.fields.iter().zip(&self.values).filter(|(field, _)| !field.is_known);
        custom.filter_map(|(field, value)| Some((field.name.clone(), field.text(value.as_deref()?)))).collect()
    }

    /// The first column of a field, for messages.
    pub fn column(&self, field: &str) -> Option<String> {
        self.mapping.fields.iter().find(|known| known.name == field)?.columns.first().cloned()
    }
}

impl Field {
    fn text(&self, value: &str) -> String {
        if self.is_several { value.replace(SEVERAL, ", ") } else { value.to_owned() }
    }
}
