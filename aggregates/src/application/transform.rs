//! What is done with a column's value before it is a field's.

use std::collections::BTreeMap;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::transform::{self as document, Named, PATTERN_LIMIT, Unfit, VALUE_LIMIT};
use crate::values::folded;
use crate::violation::{Violation, check_length, check_text};

/// One step. Between steps a value has no white space around it, and an empty one is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transform {
    /// Without white space around it, and single spaces inside.
    Trim,
    /// In lower case.
    Lower,
    /// In upper case.
    Upper,
    /// Several values, separated by this.
    Split(String),
    /// Every match of a pattern replaced.
    Replace(Replace),
    /// One value for another; a value that isn't listed stays.
    Map(BTreeMap<String, String>),
    /// A date or time in this form (strftime), told as ISO 8601; without a zone it is UTC.
    Date(String),
    /// An empty value is the one of the row above.
    FillDown,
    /// These words, whatever the case, mean nothing.
    Null(Vec<String>),
    /// The transform of this name, which reads the row's other columns, too; it runs even when there is no value yet.
    Named(String),
}

/// Every match of a pattern replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// A regular expression without look-around and back-references, so that matching takes linear time.
    pub pattern: String,
    /// What takes its place; `$1` and `${name}` are groups.
    pub with: String,
}

impl Transform {
    pub(super) fn check(&self, found: &mut Vec<Violation>, path: &str, may_split: bool) {
        match self {
            Self::Trim | Self::Lower | Self::Upper | Self::FillDown => {}
            Self::Split(separator) => {
                let path = format!("{path}.split");
                if separator.is_empty() {
                    found.push(Violation::new(&path, "A separator is required"));
                }
                check_length(found, &path, "Separator", separator, 32);
                if !may_split {
                    let message = "Several values are several rows; only a field that tells rows apart can be split";
                    found.push(Violation::new(&path, message));
                }
            }
            Self::Replace(replace) => {
                check_length(found, &format!("{path}.replace.pattern"), "Pattern", &replace.pattern, 1000);
                check_length(found, &format!("{path}.replace.with"), "Replacement", &replace.with, 1000);
                if let Err(error) = replace.regex() {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    let message = format!("{:?} can't be used: {reason}", replace.pattern);
                    found.push(Violation::new(format!("{path}.replace.pattern"), message));
                }
            }
            Self::Map(values) => {
                let path = format!("{path}.map");
                if values.is_empty() || values.len() > 10_000 {
                    let message = format!("{} values; 1 to 10000 are allowed", values.len());
                    found.push(Violation::new(&path, message));
                }
                for (from, to) in values {
                    check_text(found, &path, "Value", from, 512);
                    check_length(found, &path, "Value", to, 512);
                }
            }
            Self::Date(form) => {
                let path = format!("{path}.date");
                check_text(found, &path, "Form", form, 64);
                if form.trim().is_empty() {
                    return;
                }
                // A form that can't read what it wrote itself doesn't say which day it is.
                let sample = NaiveDate::from_ymd_opt(2003, 12, 31).and_then(|day| day.and_hms_opt(23, 58, 59));
                let is_readable = sample.is_some_and(|sample| {
                    !StrftimeItems::new(form).any(|item| matches!(item, Item::Error))
                        && read_date(&sample.and_utc().format(form).to_string(), form)
                            .is_some_and(|read| read.starts_with("2003-12-31"))
                });
                if !is_readable {
                    let message =
                        format!("{form:?} doesn't tell a day; a form like %d.%m.%Y or %Y%m%dT%H:%M is allowed");
                    found.push(Violation::new(path, message));
                }
            }
            Self::Null(words) => {
                let path = format!("{path}.null");
                if words.is_empty() || words.len() > 100 {
                    found.push(Violation::new(&path, format!("{} words; 1 to 100 are allowed", words.len())));
                }
                for word in words {
                    check_text(found, &path, "Word", word, 512);
                }
            }
            // Whether there is such a transform, and one that can be executed, is seen when it is needed: both may change.
            Self::Named(name) => check_text(found, &format!("{path}.named"), "Transform name", name, 256),
        }
    }
}

impl Replace {
    fn regex(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.pattern).size_limit(PATTERN_LIMIT).dfa_size_limit(PATTERN_LIMIT).build()
    }
}

/// Transforms ready to run, row after row: filling down needs to know the row above.
#[derive(Debug)]
pub struct Steps(Vec<Step>);

#[derive(Debug)]
enum Step {
    Plain(Transform),
    Replace(Regex, String),
    FillDown(Vec<String>),
    Named(document::Transform),
}

/// A named transform that there isn't, or that can't be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no transform {0:?} that can be executed")]
pub struct UnknownTransform(pub String);

impl Steps {
    /// The steps of a definition. One that can't be made, which no definition without violations has, is left out.
    ///
    /// # Errors
    /// The first name that isn't among `named`.
    pub fn new(transforms: &[Transform], named: &Named) -> Result<Self, UnknownTransform> {
        let mut steps = Vec::with_capacity(transforms.len());
        for transform in transforms {
            steps.push(match transform {
                Transform::Replace(replace) => match replace.regex() {
                    Ok(regex) => Step::Replace(regex, replace.with.clone()),
                    Err(_) => continue,
                },
                Transform::FillDown => Step::FillDown(Vec::new()),
                Transform::Named(name) => {
                    Step::Named(named.get(name).ok_or_else(|| UnknownTransform(name.clone()))?.clone())
                }
                other => Step::Plain(other.clone()),
            });
        }
        Ok(Self(steps))
    }

    /// Runs a row's values through every step; no value = empty. `attribute` is the row's value in a column.
    ///
    /// # Errors
    /// The first value that a step can't take.
    pub fn run(
        &mut self,
        mut values: Vec<String>,
        attribute: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, Unfit> {
        for step in &mut self.0 {
            let mut after = Vec::with_capacity(values.len());
            if let (Step::Named(transform), true) = (&step, values.is_empty()) {
                after.extend(transform.run(None, attribute)?);
            }
            for value in values {
                step.run(value, attribute, &mut after)?;
            }
            after.retain_mut(|value| {
                let trimmed = value.trim();
                if trimmed.len() != value.len() {
                    *value = trimmed.to_owned();
                }
                !value.is_empty()
            });
            if let Step::FillDown(above) = step {
                if after.is_empty() {
                    after.clone_from(above);
                } else {
                    above.clone_from(&after);
                }
            }
            if let Some(long) = after.iter().find(|value| value.len() > VALUE_LIMIT) {
                return Err(Unfit::TooLong(long.len()));
            }
            values = after;
        }
        Ok(values)
    }
}

impl Step {
    fn run(
        &self,
        value: String,
        attribute: &dyn Fn(&str) -> Option<String>,
        after: &mut Vec<String>,
    ) -> Result<(), Unfit> {
        match self {
            Self::FillDown(_) => after.push(value),
            Self::Named(transform) => after.extend(transform.run(Some(&value), attribute)?),
            Self::Replace(pattern, with) => after.push(pattern.replace_all(&value, with).into_owned()),
            Self::Plain(transform) => match transform {
                Transform::Trim => after.push(value.split_whitespace().collect::<Vec<_>>().join(" ")),
                Transform::Lower => after.push(value.to_lowercase()),
                Transform::Upper => after.push(value.to_uppercase()),
                Transform::Split(separator) => after.extend(value.split(separator).map(str::to_owned)),
                Transform::Map(values) => after.push(values.get(&value).cloned().unwrap_or(value)),
                Transform::Date(form) => match read_date(&value, form) {
                    Some(read) => after.push(read),
                    None => return Err(Unfit::NotADate(form.clone())),
                },
                Transform::Null(words) => {
                    if !words.iter().any(|word| folded(word) == folded(&value)) {
                        after.push(value);
                    }
                }
                Transform::Replace(_) | Transform::FillDown | Transform::Named(_) => after.push(value), // steps of their own
            },
        }
        Ok(())
    }
}

/// A date or time of this form as ISO 8601.
fn read_date(text: &str, form: &str) -> Option<String> {
    if let Ok(time) = DateTime::parse_from_str(text, form) {
        return Some(time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true));
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
        return Some(time.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true));
    }
    NaiveDate::parse_from_str(text, form).ok().map(|day| day.to_string())
}
