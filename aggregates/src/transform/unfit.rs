/// A value that a transform can't take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It isn't a date of that form.
    #[error("is not a date of the form {0}")]
    NotADate(String),
    /// It grew beyond [`VALUE_LIMIT`](super::VALUE_LIMIT); the bytes that it would have, as far as they were counted.
    #[error("grows to {0} bytes; at most {limit} are allowed", limit = super::VALUE_LIMIT)]
    TooLong(usize),
    /// A lookup's table has neither the value nor `default`.
    #[error("is not in the table of a lookup, which has no default")]
    NotInTable,
    /// A split that `throws` has no part of this index.
    #[error("has no part {0}, which a split that throws takes")]
    NoPart(usize),
    /// A variable of a text or of a comparison has no value.
    #[error("needs ${0}, which has no value")]
    NoValue(String),
}
