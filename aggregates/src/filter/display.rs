//! A filter as text that parses back to it.

use std::fmt::{Display, Formatter, Result};

use super::words::is_name;
use super::{Filter, Literal, Operator, Path};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Present(path) => write!(f, "{} pr", **path),
            Self::Compare(comparison) => {
                write!(f, "{} {} {}", *comparison.path, *comparison.operator, *comparison.literal)
            }
            Self::Within(path, inner) => write!(f, "{}[{inner}]", **path),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::And(parts) => join(f, " and ", parts, |part| matches!(part, Self::And(_) | Self::Or(_))),
            Self::Or(parts) => join(f, " or ", parts, |part| matches!(part, Self::Or(_))),
        }
    }
}

fn join(f: &mut Formatter<'_>, between: &str, parts: &[Filter], is_grouped: fn(&Filter) -> bool) -> Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        if is_grouped(part) { write!(f, "({part})") } else { write!(f, "{part}") }?;
    }
    Ok(())
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        for (index, name) in self.names.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if is_name(name) { f.write_str(name) } else { quoted(f, name) }?;
        }
        Ok(())
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.name())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(text) => quoted(f, text),
            // As people write whole numbers.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => write!(f, "{number:.0}"),
            // Debug turns to exponents where digits would fill lines.
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
            Self::Null => f.write_str("null"),
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> Result {
    write!(f, "{}", serde_json::Value::from(text))
}
