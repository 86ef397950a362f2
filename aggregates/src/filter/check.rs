//! Does a filter fit its rows? Every name is known, every operator and literal right for the attribute's kind.

use super::catalogue::Found;
use super::checked::{Condition, Order, Part, Test};
use super::error::shown;
use super::{Catalogue, Checked, Comparison, Filter, FilterError, Kind, Literal, Located, Operator, fold};
use crate::values::{TIME_ALLOWED, time};

impl Filter {
    /// The filter made ready for rows of this catalogue.
    ///
    /// # Errors
    /// The first attribute that isn't known, operator that its kind doesn't have, or literal of another kind.
    pub fn check<A: Copy>(&self, catalogue: &Catalogue<A>) -> Result<Checked<A>, FilterError> {
        self.checked(catalogue, "")
    }

    fn checked<A: Copy>(&self, catalogue: &Catalogue<A>, within: &str) -> Result<Checked<A>, FilterError> {
        let all = |parts: &[Self]| parts.iter().map(|part| part.checked(catalogue, within)).collect::<Result<_, _>>();
        Ok(match self {
            Self::And(parts) => Checked::All(all(parts)?),
            Self::Or(parts) => Checked::Any(all(parts)?),
            Self::Not(inner) => Checked::Not(Box::new(inner.checked(catalogue, within)?)),
            Self::Within(path, inner) => inner.checked(catalogue, &catalogue.full_name(within, path)?)?,
            Self::Present(path) => present(&catalogue.find(within, path)?),
            Self::Compare(comparison) => compare(comparison, &catalogue.find(within, &comparison.path)?)?,
        })
    }
}

fn test<A: Copy>(found: &Found<A>, condition: Condition) -> Checked<A> {
    Checked::Test(match found {
        Found::Attribute(_, attribute) => Test { attribute: *attribute, key: None, condition },
        Found::Custom(attribute, key) => Test { attribute: *attribute, key: Some(key.clone()), condition },
    })
}

fn present<A: Copy>(found: &Found<A>) -> Checked<A> {
    test(
        found,
        match found {
            Found::Attribute(Kind::Text, _) | Found::Custom(..) => Condition::NotEmpty,
            Found::Attribute(..) => Condition::Present,
        },
    )
}

/// `ne` is `not eq`, and no value is what isn't `pr`: two meanings fewer to get wrong (rulings 33).
fn compare<A: Copy>(comparison: &Comparison, found: &Found<A>) -> Result<Checked<A>, FilterError> {
    let (test, is_negated) = match *comparison.literal {
        Literal::Null => match *comparison.operator {
            Operator::Eq => (present(found), true),
            Operator::Ne => (present(found), false),
            operator => return Err(misfit(&comparison.operator, operator.name(), "eq or ne before null")),
        },
        _ => (test(found, condition(comparison, found)?), *comparison.operator == Operator::Ne),
    };
    Ok(if is_negated { Checked::Not(Box::new(test)) } else { test })
}

fn condition<A>(comparison: &Comparison, found: &Found<A>) -> Result<Condition, FilterError> {
    let Comparison { path, operator, literal } = comparison;
    let kind = match (found, &**literal) {
        (Found::Attribute(kind, _), _) => *kind,
        // A custom attribute is what it is compared with.
        (Found::Custom(..), Literal::Number(_)) => Kind::Number,
        (Found::Custom(..), Literal::Boolean(_)) => Kind::Boolean,
        (Found::Custom(..), _) => Kind::Text,
    };
    let relation = relation(**operator);
    let allowed_operators = match (kind, relation) {
        (Kind::Text, _) | (Kind::Number | Kind::Time, Relation::Order(_)) | (_, Relation::Order(Order::Equal)) => None,
        (Kind::Number | Kind::Time, Relation::Part(_)) => Some("eq, ne, gt, ge, lt, le or pr"),
        (Kind::Boolean, _) => Some("eq, ne or pr"),
    };
    let since = || format!("since {} {}", shown(&path.to_string()), is_a(kind));
    if let Some(allowed) = allowed_operators {
        return Err(misfit(operator, operator.name(), format!("{allowed}, {}", since())));
    }
    let condition = match (kind, relation, &**literal) {
        (Kind::Text, Relation::Part(part), Literal::Text(text)) => Some(Condition::Part(part, fold(text))),
        (Kind::Text, Relation::Order(order), Literal::Text(text)) => Some(Condition::Text(order, fold(text))),
        (Kind::Number, Relation::Order(order), Literal::Number(number)) => Some(Condition::Number(order, *number)),
        (Kind::Time, Relation::Order(order), Literal::Text(text)) => {
            time(text).map(|time| Condition::Time(order, time))
        }
        (Kind::Boolean, _, Literal::Boolean(boolean)) => Some(Condition::Boolean(*boolean)),
        (Kind::Boolean, _, Literal::Text(text)) => match fold(text).as_str() {
            "true" => Some(Condition::Boolean(true)),
            "false" => Some(Condition::Boolean(false)),
            _ => None,
        },
        _ => None,
    };
    condition.ok_or_else(|| misfit(literal, &literal.to_string(), format!("{}, {}", allowed(kind), since())))
}

/// What an operator asks of a value, but for the negation of `ne`.
#[derive(Clone, Copy)]
enum Relation {
    Order(Order),
    Part(Part),
}

const fn relation(operator: Operator) -> Relation {
    match operator {
        Operator::Eq | Operator::Ne => Relation::Order(Order::Equal),
        Operator::Gt => Relation::Order(Order::Greater),
        Operator::Ge => Relation::Order(Order::GreaterOrEqual),
        Operator::Lt => Relation::Order(Order::Less),
        Operator::Le => Relation::Order(Order::LessOrEqual),
        Operator::Co => Relation::Part(Part::Anywhere),
        Operator::Sw => Relation::Part(Part::Start),
        Operator::Ew => Relation::Part(Part::End),
    }
}

fn misfit<T>(at: &Located<T>, found: &str, expected: impl Into<String>) -> FilterError {
    FilterError::new(at.position, shown(found), expected)
}

const fn is_a(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "is a text",
        Kind::Number => "is a number",
        Kind::Boolean => "is true or false",
        Kind::Time => "is a time",
    }
}

fn allowed(kind: Kind) -> String {
    match kind {
        Kind::Text => "a text in quotes".to_owned(),
        Kind::Number => "a number without quotes".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Time => format!("{TIME_ALLOWED} in quotes"),
    }
}
