use std::cell::OnceCell;

use super::Unfit;
use super::operation::{Given, Operation, Row};
use super::template::Template;

/// The variables that an operation's texts name: its own attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(pub(super) Vec<(String, Given)>);

/// What a text is made of.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Template(Template),
    /// Another operation, which may make no value.
    Made(Box<Operation>),
}

/// A text with variables.
#[derive(Debug, Clone)]
pub(super) struct Static {
    pub(super) variables: Variables,
    pub(super) value: Text,
}

/// One of two texts, as two others are equal or aren't; case matters.
#[derive(Debug, Clone)]
pub(super) struct Conditional {
    pub(super) variables: Variables,
    /// Neither may be without a value.
    pub(super) compared: [Template; 2],
    pub(super) positive: Text,
    pub(super) negative: Text,
}

impl Static {
    pub(super) fn run(&self, row: &Row) -> Result<Option<String>, Unfit> {
        self.value.run(&Known::new(&self.variables, row))
    }
}

impl Conditional {
    pub(super) fn run(&self, row: &Row) -> Result<Option<String>, Unfit> {
        let known = Known::new(&self.variables, row);
        let [left, right] = &self.compared;
        let is_equal = known.text(left)? == known.text(right)?;
        if is_equal { self.positive.run(&known) } else { self.negative.run(&known) }
    }
}

impl Text {
    fn run(&self, known: &Known) -> Result<Option<String>, Unfit> {
        match self {
            Self::Template(template) => known.text(template).map(Some),
            Self::Made(operation) => operation.run(known.row),
        }
    }
}

/// Variables' values, each made when it is first named and once: else texts inside texts would take exponential time.
struct Known<'a> {
    variables: &'a Variables,
    row: &'a Row<'a>,
    values: Vec<OnceCell<Result<Option<String>, Unfit>>>,
}

impl<'a> Known<'a> {
    fn new(variables: &'a Variables, row: &'a Row<'a>) -> Self {
        Self { variables, row, values: vec![OnceCell::new(); variables.0.len()] }
    }

    fn text(&self, template: &Template) -> Result<String, Unfit> {
        let name = |number: usize| self.variables.0[number].0.clone();
        template
            .run(name, |number| self.values[number].get_or_init(|| self.variables.0[number].1.run(self.row)).clone())
    }
}
