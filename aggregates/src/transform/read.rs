//! From a document to operations.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::conditional::{Conditional, Static, Text, Variables};
use super::date::Form;
use super::operation::{Change, Given, Operation};
use super::part::{Split, Substring};
use super::replacement::Replace;
use super::settings::{Settings, text, within};
use super::template::Template;
use super::{AccountSource, DEPTH_LIMIT, Needs, NotExecutable, OPERATION_LIMIT, Transform, java_regex};

/// The operations that are executed.
const EXECUTED: &str = "accountAttribute, concat, conditional, dateFormat, firstValid, identityAttribute, lookup, lower, \
                        reference, replace, split, static, substring, trim and upper";
/// Where an account is chosen by what it says. A row can't be chosen: it is there.
const FILTERS: [&str; 2] = ["accountFilter", "accountPropertyFilter"];

/// What is known of a transform that others name: it, or why it can't be executed.
pub(super) type Known = BTreeMap<String, Result<Transform, NotExecutable>>;

/// Reads operations and counts what they need.
pub(super) struct Reader<'k> {
    /// Those that a reference may mean.
    pub(super) known: &'k Known,
    pub(super) needs: Needs,
}

impl Reader<'_> {
    /// The operation at `path`, so many operations deep.
    pub(super) fn operation(&mut self, document: &Value, path: &str, depth: usize) -> Result<Operation, NotExecutable> {
        let Value::Object(document) = document else {
            return Err(NotExecutable::new(path, "A transform is an object with type and attributes"));
        };
        self.count(1, depth, path)?;
        let type_path = within(path, "type");
        let Some(Value::String(kind)) = document.get("type") else {
            return Err(NotExecutable::new(type_path, "type is required"));
        };
        let at = &At { settings: Settings::of(document, path)?, depth };
        let change = match kind.as_str() {
            "accountAttribute" => {
                let said = |names: [&str; 2]| {
                    let text = |name| at.settings.get(name)?.as_str().map(str::to_owned);
                    names.into_iter().find_map(text)
                };
                let (id, name) = (said(["sourceId", "applicationId"]), said(["sourceName", "applicationName"]));
                self.needs.sources.insert(Arc::new(AccountSource { id, name }));
                return self.attribute(at, "attributeName");
            }
            "identityAttribute" => return self.attribute(at, "name"),
            "concat" => return self.values(at).map(Operation::Concat),
            "firstValid" => {
                let ignores_errors = at.settings.boolean("ignoreErrors")?;
                return Ok(Operation::FirstValid { values: self.values(at)?, ignores_errors });
            }
            "static" => return self.fixed(at),
            "conditional" => return self.conditional(at),
            "reference" => return self.reference(at),
            "lower" => Change::Lower,
            "upper" => Change::Upper,
            "trim" => Change::Trim,
            "split" => split(&at.settings)?,
            "substring" => substring(&at.settings)?,
            "replace" => replace(&at.settings)?,
            "lookup" => lookup(&at.settings)?,
            "dateFormat" => date(&at.settings)?,
            other => {
                let other: String = other.chars().take(50).collect();
                let reason = format!("{other} is not executed here; executed are {EXECUTED}");
                return Err(NotExecutable::new(type_path, reason));
            }
        };
        let input = self.input(at, true)?;
        Ok(Operation::Change(input, change))
    }

    /// Counts so many operations at `path`, the innermost of which are so deep.
    fn count(&mut self, operations: usize, depth: usize, path: &str) -> Result<(), NotExecutable> {
        self.needs.operations += operations;
        self.needs.depth = self.needs.depth.max(depth);
        if depth > DEPTH_LIMIT || self.needs.operations > OPERATION_LIMIT {
            let reason =
                format!("At most {OPERATION_LIMIT} operations, {DEPTH_LIMIT} inside one another, are executed");
            return Err(NotExecutable::new(path, reason));
        }
        Ok(())
    }

    /// The operation's own `input`, else what the transform is run with, where that `matters`.
    fn input(&mut self, at: &At, matters: bool) -> Result<Given, NotExecutable> {
        if let Some(input) = at.settings.get("input") {
            return self.given(input, &at.settings.path("input"), at.depth);
        }
        self.needs.reads_input |= matters;
        Ok(Given::Input)
    }

    /// Another document, by name. What it needs counts as if it stood here.
    fn reference(&mut self, at: &At) -> Result<Operation, NotExecutable> {
        let (name, path) = (at.settings.text("id")?, at.settings.path("id"));
        let meant = match self.known.get(&name) {
            Some(Ok(meant)) => meant,
            Some(Err(refused)) => {
                // Shortened: else a chain of references would tell all of itself at each of its links.
                let refused: String = refused.to_string().chars().take(200).collect();
                return Err(NotExecutable::new(path, format!("The transform {name:?} is not executable ({refused})")));
            }
            None => return Err(NotExecutable::new(path, format!("There is no transform {name:?}"))),
        };
        self.count(meant.needs.operations, at.depth + meant.needs.depth, &path)?;
        self.needs.attributes.extend(meant.needs.attributes.iter().cloned());
        self.needs.sources.extend(meant.needs.sources.iter().cloned());
        let input = self.input(at, meant.needs.reads_input)?;
        Ok(Operation::Reference(input, Arc::clone(&meant.operation)))
    }

    fn given(&mut self, value: &Value, path: &str, depth: usize) -> Result<Given, NotExecutable> {
        if value.is_object() {
            return Ok(Given::Made(Box::new(self.operation(value, path, depth + 1)?)));
        }
        text(value, path).map(Given::Text)
    }

    fn attribute(&mut self, at: &At, setting: &str) -> Result<Operation, NotExecutable> {
        if let Some(filter) = FILTERS.into_iter().find(|filter| at.settings.get(filter).is_some()) {
            let reason = format!("{filter} is not executed here: a row is the only account there is");
            return Err(NotExecutable::new(at.settings.path(filter), reason));
        }
        let name = at.settings.text(setting)?;
        self.needs.attributes.insert(name.as_str().into());
        Ok(Operation::Attribute(name))
    }

    fn values(&mut self, at: &At) -> Result<Vec<Given>, NotExecutable> {
        let path = at.settings.path("values");
        let Value::Array(values) = at.settings.required("values")? else {
            return Err(NotExecutable::new(path, "values is no array"));
        };
        let values = values.iter().enumerate();
        values.map(|(index, value)| self.given(value, &format!("{path}[{index}]"), at.depth)).collect()
    }

    fn fixed(&mut self, at: &At) -> Result<Operation, NotExecutable> {
        let mut variables = Variables::default();
        let value = self.text(at, "value", &mut variables)?;
        Ok(Operation::Static(Static { variables, value }))
    }

    fn conditional(&mut self, at: &At) -> Result<Operation, NotExecutable> {
        let (expression, mut variables) = (at.settings.text("expression")?, Variables::default());
        let sides: Vec<&str> = expression.split(" eq ").map(str::trim).collect();
        let [left, right] = sides[..] else {
            let reason = format!("{expression:?} is not executed; executed is \"ValueA eq ValueB\"");
            return Err(NotExecutable::new(at.settings.path("expression"), reason));
        };
        let mut side = |side| self.template(at, side, "expression", &mut variables);
        let compared = [side(left)?, side(right)?];
        let positive = self.text(at, "positiveCondition", &mut variables)?;
        let negative = self.text(at, "negativeCondition", &mut variables)?;
        Ok(Operation::Conditional(Conditional { variables, compared, positive, negative }))
    }

    fn text(&mut self, at: &At, setting: &str, variables: &mut Variables) -> Result<Text, NotExecutable> {
        let value = at.settings.required(setting)?;
        if value.is_object() {
            let made = self.operation(value, &at.settings.path(setting), at.depth + 1)?;
            return Ok(Text::Made(Box::new(made)));
        }
        self.template(at, &at.settings.text(setting)?, setting, variables).map(Text::Template)
    }

    /// Reads a text and those variables that it names. What no text names is never made, so it needn't be executable.
    fn template(
        &mut self,
        at: &At,
        text: &str,
        setting: &str,
        variables: &mut Variables,
    ) -> Result<Template, NotExecutable> {
        let read = Template::read(text, |name| {
            if let Some(known) = variables.0.iter().position(|(known, _)| known == name) {
                return Ok(known);
            }
            let Some(value) = at.settings.get(name) else {
                return Err(Refused::Here(format!("${name} is none of the transform's attributes")));
            };
            let value = self.given(value, &at.settings.path(name), at.depth).map_err(Refused::Elsewhere)?;
            variables.0.push((name.to_owned(), value));
            Ok(variables.0.len() - 1)
        });
        read.map_err(|refused| match refused {
            Refused::Here(reason) => NotExecutable::new(at.settings.path(setting), reason),
            Refused::Elsewhere(reason) => reason,
        })
    }
}

/// An operation being read.
struct At<'a> {
    settings: Settings<'a>,
    depth: usize,
}

/// Why a text isn't executable: itself, or a variable of it.
enum Refused {
    Here(String),
    Elsewhere(NotExecutable),
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self::Here(reason)
    }
}

/// A single character splits where it stands, whatever it means in a pattern; anything longer is a pattern.
fn split(settings: &Settings) -> Result<Change, NotExecutable> {
    let delimiter = settings.text("delimiter")?;
    let pattern = if delimiter.chars().count() == 1 { regex::escape(&delimiter) } else { delimiter };
    let delimiter =
        java_regex::compile(&pattern).map_err(|reason| NotExecutable::new(settings.path("delimiter"), reason))?;
    let index = place(settings, "index")?;
    Ok(Change::Split(Split { delimiter, index, throws: settings.boolean("throws")? }))
}

/// `begin` -1 is the beginning and `end` -1 the end, whatever their offsets.
fn substring(settings: &Settings) -> Result<Change, NotExecutable> {
    let begin = if settings.integer("begin")? == Some(-1) { 0 } else { moved(settings, "begin", "beginOffset")? };
    let end = match settings.integer("end")? {
        None | Some(-1) => None,
        Some(_) => Some(moved(settings, "end", "endOffset")?),
    };
    if end.is_some_and(|end| end < begin) {
        return Err(NotExecutable::new(settings.path("end"), "The end is before the beginning"));
    }
    Ok(Change::Substring(Substring { begin, end }))
}

fn moved(settings: &Settings, name: &str, offset: &str) -> Result<usize, NotExecutable> {
    let (at, offset) = (place(settings, name)?, settings.integer(offset)?.unwrap_or(0));
    let moved = i64::try_from(at).ok().and_then(|at| at.checked_add(offset)).and_then(|at| usize::try_from(at).ok());
    moved
        .ok_or_else(|| NotExecutable::new(settings.path(name), format!("{at} moved by {offset} is no place in a text")))
}

/// A number from 0.
fn place(settings: &Settings, name: &str) -> Result<usize, NotExecutable> {
    let Some(number) = settings.integer(name)? else {
        return Err(NotExecutable::new(settings.path(name), format!("{name} is required")));
    };
    usize::try_from(number).map_err(|_| NotExecutable::new(settings.path(name), format!("{number} is below 0")))
}

fn replace(settings: &Settings) -> Result<Change, NotExecutable> {
    let refused = |name: &str| {
        let path = settings.path(name);
        move |reason| NotExecutable::new(path, reason)
    };
    let pattern = java_regex::compile(&settings.text("regex")?).map_err(refused("regex"))?;
    let replace = Replace::new(pattern, &settings.text("replacement")?).map_err(refused("replacement"))?;
    Ok(Change::Replace(replace))
}

fn lookup(settings: &Settings) -> Result<Change, NotExecutable> {
    let path = settings.path("table");
    let Value::Object(written) = settings.required("table")? else {
        return Err(NotExecutable::new(path, "table is no object"));
    };
    let mut table = BTreeMap::new();
    for (key, value) in written {
        table.insert(key.clone(), text(value, &within(&path, key))?);
    }
    let default = table.get("default").cloned();
    Ok(Change::Lookup(table, default))
}

/// Both forms are ISO 8601 unless said.
fn date(settings: &Settings) -> Result<Change, NotExecutable> {
    let form = |name: &str, read: fn(&str) -> Result<Form, String>| {
        let written = settings.optional_text(name)?;
        let form = read(written.as_deref().unwrap_or("ISO8601"));
        form.map_err(|reason| NotExecutable::new(settings.path(name), reason))
    };
    Ok(Change::Date(form("inputFormat", Form::to_read)?, form("outputFormat", Form::to_write)?))
}
