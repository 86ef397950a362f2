//! Identity profiles: which fields of people they make, instead of the file group's own columns.

use aggregates::application::{Column, Content, Definition, FileGroup, Mapped, Transform, fields};
use aggregates::identity::profile::{Origin, followed};
use aggregates::identity::schema::Schema;
use uuid::Uuid;

use super::configured::Configured;

/// Begins the names of a profile's transforms among named ones. No TRANSFORM can be called so: names have no NUL.
const PREFIX: &str = "\0profile ";

impl Configured {
    /// Puts what the application's identity profile makes into the columns of its identities.
    pub fn map(&mut self, application: Uuid, definition: &mut Definition) {
        let name = definition.name.clone();
        let origin = Origin { id: application, name: &name, applications: &self.applications };
        let groups = &mut definition.connector.file_groups;
        let Some(group) = groups.iter_mut().find(|group| group.content == Content::Identities) else { return };
        let Some(profile) = followed(&self.profiles, &origin) else { return };
        let mapped = profile.mapped(&origin, &self.transforms, self.schema.as_ref());
        let made: Vec<&str> = mapped.fields.keys().map(String::as_str).collect();
        if !made.is_empty() {
            self.remarks.push(format!("Identity profile {:?} made {}", profile.name, made.join(", ")));
        }
        let told = |refused| format!("Of identity profile {:?} this is not executed: {refused}", profile.name);
        self.remarks.extend(mapped.refused.into_iter().map(told));
        for (field, transform) in mapped.fields {
            let name = format!("{PREFIX}{field}");
            let made = Mapped { transforms: vec![Transform::Named(name.clone())], ..Mapped::default() };
            group.columns.insert(field, Column::Mapped(made));
            self.named.insert(name, transform);
        }
    }
}

/// Custom attributes of a file that the schema of identities doesn't name. They are kept.
pub fn unnamed(group: &FileGroup, schema: &Schema, file: &str) -> Option<String> {
    let is_unnamed = |field: &&str| !fields::known(group.content).contains(field) && schema.get(field).is_none();
    let unnamed: Vec<&str> = group.columns.keys().map(String::as_str).filter(is_unnamed).collect();
    (!unnamed.is_empty())
        .then(|| format!("{file} has what the schema of identities doesn't name: {}", unnamed.join(", ")))
}
