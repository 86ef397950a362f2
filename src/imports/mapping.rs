//! Which columns of a file fill which field, and how.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aggregates::application::transform::Steps;
use aggregates::application::{FileGroup, Format, Transform, fields};
use aggregates::transform::{Named, Unfit, VALUE_LIMIT};

use smallvec::{SmallVec, smallvec};

use super::issues::Problem;
use super::reader::{SEVERAL, Values};
use super::{Fault, transforms};

/// Native keys have at most so many characters: they are in every index.
pub const KEY_LIMIT: usize = 512;

/// Mostly one: a million rows needn't allocate it.
pub type Few<T> = SmallVec<[T; 1]>;

/// A file group's columns, found in a file's header.
pub struct Mapping {
    fields: Vec<Field>,
    /// Columns of the file.
    width: usize,
    /// What people should know about its header.
    pub remarks: Vec<String>,
}

struct Field {
    name: String,
    indexes: Vec<usize>,
    columns: Vec<String>,
    /// Columns that named transforms read.
    attributes: Vec<(String, usize)>,
    join: String,
    default: Option<String>,
    /// `None`: nothing is done with the value.
    steps: Option<Steps>,
    /// It may have several values.
    is_several: bool,
    /// Its meaning is known; else it is a custom attribute.
    is_known: bool,
}

/// Columns that fill fields as they are.
#[derive(Debug, Clone, Copy)]
pub struct Plain<const N: usize> {
    columns: [usize; N],
    width: usize,
}

impl<const N: usize> Plain<N> {
    /// A row's values, if there is nothing to say of it; the values have no NUL character.
    pub fn values<'a>(&self, values: &Values<'a>) -> Option<[&'a str; N]> {
        if values.count() != self.width {
            return None;
        }
        let mut found = [""; N];
        for (found, column) in found.iter_mut().zip(self.columns) {
            let value = values.get(column)?;
            *found = value.trim();
            if value.len() > VALUE_LIMIT || found.is_empty() || found.len() > KEY_LIMIT {
                return None;
            }
        }
        Some(found)
    }
}

/// A row's values by field, and what is wrong with them.
pub struct Fields<'a> {
    mapping: &'a Mapping,
    /// Beside the mapping's fields; several values of one stand beside each other.
    values: SmallVec<[Option<Cow<'a, str>>; 4]>,
    /// What was wrong so far.
    pub problems: Vec<Problem>,
}

impl Mapping {
    /// Finds the columns.
    ///
    /// # Errors
    /// A column that the file doesn't have, or has twice, is a fault of the file (rulings 16).
    pub fn new(group: &FileGroup, named: &Named, header: &[String], file: &str) -> Result<Self, Fault> {
        let (mut found, mut remarks) = (Vec::with_capacity(group.columns.len()), Vec::new());
        for (name, column) in &group.columns {
            let mut indexes = Vec::new();
            for wanted in column.names() {
                indexes.push(find(header, wanted, file, name)?.ok_or_else(|| missing(header, wanted, file, name))?);
            }
            let mut attributes = Vec::new();
            for wanted in transforms::attributes(column, named) {
                match find(header, wanted, file, name)? {
                    Some(index) => attributes.push((wanted.to_owned(), index)),
                    // One transform serves many feeds, which needn't have everything that it would read. But rows are told
                    // apart by what is there.
                    None if fields::required(group.content).contains(&name.as_str()) => {
                        return Err(missing(header, wanted, file, name));
                    }
                    None => {
                        remarks
                            .push(format!("{file} has no column {wanted:?}, which a transform of field {name} reads"));
                    }
                }
            }
            let steps = Steps::new(column.transforms(), named)
                .map_err(|unknown| Fault::File(format!("Field {name} of {}: {unknown}", group.name)))?;
            let transforms = column.transforms();
            let is_split = transforms.iter().any(|transform| matches!(transform, Transform::Split(_)));
            found.push(Field {
                name: name.clone(),
                indexes,
                columns: column.names().to_vec(),
                attributes,
                join: column.join().to_owned(),
                default: column.default().map(str::to_owned),
                steps: (!transforms.is_empty()).then_some(steps),
                is_several: is_split || matches!(group.format, Format::Json | Format::Ndjson),
                is_known: fields::known(group.content).contains(&name.as_str()),
            });
        }
        Ok(Self { fields: found, width: header.len(), remarks })
    }

    /// The columns that fill these fields as they are, if nothing else is filled.
    pub fn plain<const N: usize>(&self, fields: [&str; N]) -> Option<Plain<N>> {
        let mut columns = [0; N];
        for (column, name) in columns.iter_mut().zip(fields) {
            let field = self.fields.iter().find(|known| known.name == name)?;
            let [index] = field.indexes[..] else { return None };
            if field.steps.is_some() || field.is_several {
                return None;
            }
            *column = index;
        }
        (self.fields.len() == N).then_some(Plain { columns, width: self.width })
    }

    /// A row's values by field.
    pub fn fields<'a>(&'a mut self, values: &Values<'a>) -> Fields<'a> {
        let mut problems = Vec::new();
        if values.count() != self.width {
            let message = format!("The row has {} values; the header has {}", values.count(), self.width);
            problems.push(Problem::of_row("ragged_row", message));
        }
        let by_field = self.fields.iter_mut().map(|field| field.value(values, &mut problems)).collect();
        Fields { mapping: self, values: by_field, problems }
    }
}

/// A column's place; a column that is there twice is a fault.
fn find(header: &[String], wanted: &str, file: &str, field: &str) -> Result<Option<usize>, Fault> {
    let mut places = header.iter().enumerate().filter(|(_, known)| known.trim() == wanted.trim());
    match (places.next(), places.next()) {
        (Some(_), Some(_)) => {
            Err(Fault::File(format!("{file} has the column {wanted:?} twice, which field {field} needs once")))
        }
        (place, _) => Ok(place.map(|(index, _)| index)),
    }
}

fn missing(header: &[String], wanted: &str, file: &str, field: &str) -> Fault {
    let header: Vec<&str> = header.iter().map(String::as_str).take(50).collect();
    Fault::File(format!("{file} has no column {wanted:?}, which field {field} needs; it has {}", header.join(", ")))
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
        for (column, index) in self.attributes.iter().filter(|(_, index)| !self.indexes.contains(index)) {
            check(values.get(*index).unwrap_or_default(), column, problems);
        }
        if let Some(steps) = &mut self.steps {
            let attribute = |name: &str| {
                let (_, index) = self.attributes.iter().find(|(known, _)| known == name)?;
                let value = values.get(*index)?.trim();
                (!value.is_empty()).then(|| value.replace(SEVERAL, ", "))
            };
            let several = joined.as_deref().map(|value| value.split(SEVERAL).map(str::to_owned).collect());
            match steps.run(several.unwrap_or_default(), &attribute) {
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
            Unfit::NotInTable | Unfit::NoPart(_) | Unfit::NoValue(_) => {
                ("not_transformable", format!("{}: the value {unfit}", self.name))
            }
        };
        let (column, value) = (self.column(), value.map(str::to_owned));
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
    pub fn several(&self, name: &str) -> Few<&str> {
        let Some((field, value)) = self.find(name) else { return Few::new() };
        if !field.is_several {
            return smallvec![value];
        }
        let mut values = Few::new();
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
        self.mapping.fields.iter().find(|known| known.name == field)?.column()
    }
}

impl Field {
    /// The first column that it is made of, for messages.
    fn column(&self) -> Option<String> {
        self.columns.first().or(self.attributes.first().map(|(column, _)| column)).cloned()
    }

    fn text(&self, value: &str) -> String {
        if self.is_several { value.replace(SEVERAL, ", ") } else { value.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Cursor;
    use std::sync::Arc;

    use aggregates::application::{Column, Content, Dialect};
    use proptest::prelude::*;

    use super::*;
    use crate::imports::reader::Rows;
    use crate::imports::records::RowReader;

    fn group(columns: &[&str]) -> FileGroup {
        FileGroup {
            id: uuid::Uuid::nil(),
            name: "f".to_owned(),
            content: Content::Grants,
            is_required: true,
            format: Format::Csv,
            dialect: Dialect::default(),
            columns: columns.iter().map(|name| ((*name).to_owned(), Column::One((*name).to_owned()))).collect(),
            rules: Vec::new(),
        }
    }

    /// Short and odd, or about as long as a key or a value may be.
    fn value() -> impl Strategy<Value = String> {
        let padded = (VALUE_LIMIT - 2..VALUE_LIMIT + 2).prop_map(|blanks| " ".repeat(blanks) + "a");
        prop_oneof![30 => "[ ab\u{a0}\\x00]{0,3}|x{511,514}", 1 => padded]
    }

    proptest! {
        /// The short way says of a row what the long one says, or leaves it to that.
        #[test]
        fn plain_values_are_those_of_the_fields(
            rows in prop::collection::vec(prop::collection::vec(value(), 1..5), 1..20),
        ) {
            let group = group(&["account", "entitlement"]);
            let lines: Vec<String> = rows.iter().map(|values| values.join(",")).collect();
            let file = format!("account,other,entitlement\n{}", lines.join("\n"));
            let named = Named::new();
            let mut rows = Rows::open(Cursor::new(file.into_bytes()), "f", &group, &named, &Arc::default()).unwrap();
            let mut mapping = Mapping::new(&group, &named, &rows.header, "f").unwrap();
            let plain = mapping.plain(["account", "entitlement"]).unwrap();
            while let Some(batch) = rows.batch().unwrap() {
                for (_, values) in batch.rows() {
                    let short = plain.values(&values).filter(|_| !batch.has_nul());
                    let mut reader = RowReader::new(mapping.fields(&values));
                    let long = [reader.keys("account"), reader.keys("entitlement")];
                    prop_assert_eq!(reader.grant(), BTreeMap::new());
                    let problems = reader.problems();
                    match short {
                        Some(names) => {
                            prop_assert!(problems.is_empty());
                            prop_assert_eq!(long, names.map(|name| Some(smallvec![name.to_owned()])));
                        }
                        None => prop_assert!(batch.has_nul() || !problems.is_empty()),
                    }
                }
            }
        }
    }

    #[test]
    fn a_mapping_that_fills_more_is_not_plain() {
        let header = ["account", "entitlement", "role"].map(str::to_owned);
        let group = group(&["account", "entitlement", "role"]);
        let mapping = Mapping::new(&group, &Named::new(), &header, "f").unwrap();
        assert!(mapping.plain(["account", "entitlement"]).is_none());
    }
}
