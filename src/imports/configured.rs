//! What configuration objects say of feeds.

use aggregates::application::Definition;
use aggregates::transform::Named;
use sqlx::PgPool;

use super::{Fault, transforms};

/// The configuration that imports follow, as it is now.
pub struct Configured {
    /// Transforms that columns name.
    pub named: Named,
}

impl Configured {
    /// Reads what there is.
    ///
    /// # Errors
    /// The database is away.
    pub async fn load(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self { named: transforms::named_transforms(pool).await? })
    }

    /// Has a look at everything that a definition names, before anything is read.
    ///
    /// # Errors
    /// What isn't there or can't be executed.
    pub fn check(&self, definition: &Definition) -> Result<(), Fault> {
        transforms::check(definition, &self.named)
    }
}
