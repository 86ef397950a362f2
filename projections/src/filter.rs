//! A checked filter as a condition of SQL. It selects the rows that `Checked::matches` says yes to (rulings 33).
//!
//! The rows' shape, which `expression` relies on:
//! - an attribute of kind `Text` is a `text` that was folded by `aggregates::filter::fold` when it was written: PostgreSQL folds
//!   in other ways (`İ`, `ß`, `Σ`) and never does it here;
//! - `Number` is any numeric type with values that a double can hold and no NaN, compared as doubles; `Boolean` is `boolean`;
//!   `Time` is `timestamptz`;
//! - custom attributes are one `jsonb` object of texts, both names and texts folded;
//! - no value is NULL, or for a custom attribute no entry.
//!
//! *Invariant:* texts of a filter, names of custom attributes among them, reach PostgreSQL as parameters. What is written into
//! the statement is known when the program is compiled: `&'static str`.

use aggregates::filter::{Checked, Condition, Order, Part, Test};
use sqlx::{Postgres, QueryBuilder};

/// What a custom attribute's text must be to be read as a number; `aggregates::filter` reads the same.
const NUMBER: &str = "'^-?[0-9]{1,15}([.][0-9]{1,15})?$'";

/// Appends the filter as one boolean operand, to be put after `WHERE` or `AND`. `expression` names the SQL expression of an
/// attribute, or that of the `jsonb` object for custom ones.
///
/// The operand is never NULL: each test is `COALESCE(…, false)`. A filter has at most 1,000 comparisons, so it takes at most
/// 3,000 of the 65,535 parameters that a statement may have.
pub fn push<A: Copy>(
    query: &mut QueryBuilder<'_, Postgres>,
    filter: &Checked<A>,
    expression: &impl Fn(A) -> &'static str,
) {
    match filter {
        Checked::Test(test) => push_test(query, test, expression(test.attribute)),
        Checked::Not(inner) => {
            query.push("NOT ");
            push(query, inner, expression);
        }
        Checked::All(parts) => push_joined(query, " AND ", "TRUE", parts, expression),
        Checked::Any(parts) => push_joined(query, " OR ", "FALSE", parts, expression),
    }
}

fn push_joined<A: Copy>(
    query: &mut QueryBuilder<'_, Postgres>,
    between: &str,
    of_none: &str,
    parts: &[Checked<A>],
    expression: &impl Fn(A) -> &'static str,
) {
    if parts.is_empty() {
        query.push(of_none);
        return;
    }
    query.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            query.push(between);
        }
        push(query, part, expression);
    }
    query.push(")");
}

fn push_test<A>(query: &mut QueryBuilder<'_, Postgres>, test: &Test<A>, expression: &'static str) {
    let value = Operand { expression, key: test.key.as_deref() };
    query.push("COALESCE(");
    match &test.condition {
        Condition::Present => value.push(query).push(" IS NOT NULL"),
        Condition::NotEmpty => value.push(query).push(" <> ''"),
        Condition::Text(order, text) => {
            value.push(query).push(" COLLATE \"C\"").push(sql(*order)).push_bind(text.clone())
        }
        Condition::Part(Part::Anywhere, text) => {
            query.push("strpos(");
            value.push(query).push(", ").push_bind(text.clone()).push(") > 0")
        }
        Condition::Part(Part::Start, text) => {
            query.push("starts_with(");
            value.push(query).push(", ").push_bind(text.clone()).push(")")
        }
        Condition::Part(Part::End, text) => {
            query.push("right(");
            value.push(query).push(", length(").push_bind(text.clone()).push(")) COLLATE \"C\" = ");
            query.push_bind(text.clone())
        }
        Condition::Number(order, number) if test.key.is_some() => {
            // CASE, since the order in which AND looks at its sides is PostgreSQL's to choose.
            query.push("CASE WHEN ");
            value.push(query).push(" ~ ").push(NUMBER).push(" THEN ");
            value.push(query).push("::double precision").push(sql(*order)).push_bind(*number).push(" END")
        }
        Condition::Number(order, number) => {
            value.push(query).push("::double precision").push(sql(*order)).push_bind(*number)
        }
        Condition::Boolean(boolean) if test.key.is_some() => {
            value.push(query).push(" = ").push_bind(boolean.to_string())
        }
        Condition::Boolean(boolean) => value.push(query).push(" = ").push_bind(*boolean),
        Condition::Time(order, time) => value.push(query).push(sql(*order)).push_bind(*time),
    };
    query.push(", false)");
}

/// The side of a comparison that is the row's.
struct Operand<'f> {
    expression: &'static str,
    /// Of a custom attribute.
    key: Option<&'f str>,
}

impl Operand<'_> {
    fn push<'q, 'args>(&self, query: &'q mut QueryBuilder<'args, Postgres>) -> &'q mut QueryBuilder<'args, Postgres> {
        match self.key {
            None => query.push("(").push(self.expression).push(")"),
            Some(key) => query.push("((").push(self.expression).push(") ->> ").push_bind(key.to_owned()).push(")"),
        }
    }
}

const fn sql(order: Order) -> &'static str {
    match order {
        Order::Equal => " = ",
        Order::Greater => " > ",
        Order::GreaterOrEqual => " >= ",
        Order::Less => " < ",
        Order::LessOrEqual => " <= ",
    }
}

#[cfg(test)]
mod tests {
    use aggregates::filter::{Catalogue, Filter, Kind};

    use super::*;

    #[test]
    fn no_text_of_a_user_is_written_into_the_statement() {
        let catalogue = Catalogue::new()
            .attribute("source.name", Kind::Text, "name")
            .attribute("source.isActive", Kind::Boolean, "is_active")
            .open("source.attributes", "attributes");
        let filter: Filter = r#"source.name sw "'; DROP TABLE x; --" and not (source.isActive eq true)
            or source.attributes."'); DROP TABLE y; --" ne "\\'" or source.attributes.limit gt 5"#
            .parse()
            .unwrap();
        let mut query = QueryBuilder::new("");
        push(&mut query, &filter.check(&catalogue).unwrap(), &|expression| expression);
        assert_eq!(
            query.sql(),
            "((COALESCE(starts_with((name), $1), false) AND NOT COALESCE((is_active) = $2, false)) \
             OR NOT COALESCE(((attributes) ->> $3) COLLATE \"C\" = $4, false) \
             OR COALESCE(CASE WHEN ((attributes) ->> $5) ~ '^-?[0-9]{1,15}([.][0-9]{1,15})?$' \
             THEN ((attributes) ->> $6)::double precision > $7 END, false))"
        );
    }
}
