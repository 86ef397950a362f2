//! What configuration objects say of feeds.

use std::collections::BTreeSet;

use aggregates::application::Definition;
use aggregates::config_object::ObjectType;
use aggregates::identity::profile::Profile;
use aggregates::identity::schema::Schema;
use aggregates::transform::{Named, Transforms};
use projections::config_objects::{ConfigObjectRow, of_type};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::rules::Rules;
use super::{Fault, transforms};

/// The configuration that imports follow, as it is now.
pub struct Configured {
    /// Transforms that columns name.
    pub named: Named,
    /// Rules that file groups and correlations name.
    pub rules: Rules,
    /// Which custom attributes people have, and of which types.
    pub schema: Option<Schema>,
    /// What should be told of files of identities.
    pub remarks: Vec<String>,
    pub(super) transforms: Transforms,
    pub(super) profiles: Vec<Profile>,
    pub(super) applications: BTreeSet<Uuid>,
}

impl Configured {
    /// Reads what there is, as far as a definition may need it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn load(pool: &PgPool, definition: &Definition) -> sqlx::Result<Self> {
        let rows = of_type(pool, ObjectType::Transform.as_str()).await?;
        let transforms = Transforms::read(&rows.iter().map(|row| (row.name.clone(), object(row))).collect());
        let rows = of_type(pool, ObjectType::IdentityProfile.as_str()).await?;
        let profiles = rows.into_iter().filter_map(|row| Profile::read(&row.name, &object(&row)).ok()).collect();
        Ok(Self {
            named: transforms.executable(),
            rules: Rules::load(pool, &definition.connector.file_groups, &definition.correlation()).await?,
            schema: schema(pool).await?,
            remarks: Vec::new(),
            transforms,
            profiles,
            applications: projections::applications::ids(pool).await?.into_iter().collect(),
        })
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

/// The schema of identity attributes, if there is one that is understood.
///
/// # Errors
/// The database is away.
pub async fn schema(pool: &PgPool) -> sqlx::Result<Option<Schema>> {
    let rows = of_type(pool, ObjectType::IdentityObjectConfig.as_str()).await?;
    Ok(rows.first().and_then(|row| Schema::read(&object(row)).ok()))
}

fn object(row: &ConfigObjectRow) -> Value {
    row.document.value().get_mut("object").map(Value::take).unwrap_or_default()
}
