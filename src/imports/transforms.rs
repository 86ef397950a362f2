//! Named transforms in the columns of a feed: whether those that it needs are there, and which columns they read.

use std::collections::BTreeSet;

use aggregates::application::transform::Steps;
use aggregates::application::{Column, Definition};
use aggregates::transform::Named;
use sqlx::PgPool;

use super::Fault;

/// The transforms that can be executed, as they are now.
#[expect(clippy::unused_async, reason = "there is no table of named transforms yet; whoever makes it reads it here")]
pub async fn named_transforms(_pool: &PgPool) -> sqlx::Result<Named> {
    Ok(Named::new())
}

/// Has a look at everything that a definition names, before anything is read.
///
/// # Errors
/// A field's transform that isn't there or can't be executed, or that makes its value of a column where the field has none.
pub fn check(definition: &Definition, named: &Named) -> Result<(), Fault> {
    for group in &definition.connector.file_groups {
        for (field, column) in &group.columns {
            let fault = |reason: String| Err(Fault::File(format!("Field {field} of {}: {reason}", group.name)));
            if let Err(unknown) = Steps::new(column.transforms(), named) {
                return fault(unknown.to_string());
            }
            let Some(first) = column.named().next().filter(|_| column.names().is_empty()) else { continue };
            if named.get(first).is_some_and(aggregates::transform::Transform::reads_input) {
                return fault(format!("the transform {first:?} makes its value of a column, and the field has none"));
            }
        }
    }
    Ok(())
}

/// The columns that a field's named transforms read beside its own.
pub fn attributes<'a>(column: &Column, named: &'a Named) -> BTreeSet<&'a str> {
    let transforms = column.named().filter_map(|name| named.get(name));
    transforms.flat_map(aggregates::transform::Transform::attributes).collect()
}
