//! What configuration objects say of feeds.

use aggregates::application::Definition;
use aggregates::transform::Named;
use sqlx::PgPool;

use super::rules::Rules;
use super::{Fault, transforms};

/// The configuration that imports follow, as it is now.
pub struct Configured {
    /// Transforms that columns name.
    pub named: Named,
    /// Rules that file groups and correlations name.
    pub rules: Rules,
}

impl Configured {
    /// Reads what there is, as far as a definition may need it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn load(pool: &PgPool, definition: &Definition) -> sqlx::Result<Self> {
        let named = transforms::named_transforms(pool).await?;
        let rules = Rules::load(pool, &definition.connector.file_groups, &definition.correlation()).await?;
        Ok(Self { named, rules })
    }

    /// Has a look at everything that a definition names, before anything is read.
    ///
    /// # Errors
    /// What isn't there or can't be executed.
    pub fn check(&self, definition: &Definition) -> Result<(), Fault> {
        transforms::check(definition, &self.named)?;
        self.rules.check(definition)
    }
}
