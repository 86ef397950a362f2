use std::collections::BTreeMap;

use aggregates::config_job::plan::Message;
use aggregates::config_object::Reference;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What an import did, or would do (contracts §2.2, `SpConfigImportResults`).
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobResults {
    /// By type.
    pub results: BTreeMap<String, TypeResult>,
    /// The export of everything as it was before; none when the options or a preview said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_job_id: Option<Uuid>,
}

/// What became of objects of a type.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypeResult {
    /// How references were resolved; of a preview, what would be imported.
    pub infos: Vec<ResultMessage>,
    /// What couldn't be resolved and may stay so.
    pub warnings: Vec<ResultMessage>,
    /// What wasn't imported, and why.
    pub errors: Vec<ResultMessage>,
    /// Objects made or changed, or found to be so already.
    #[schema(value_type = Vec<Object>)]
    pub imported_objects: Vec<Reference>,
}

/// A message. The documentation says `details`, its examples `detail`: clients read either (contracts §2.2).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ResultMessage {
    /// For programs; never null, which clients can't read.
    pub key: String,
    /// For people.
    pub text: String,
    /// Always an object.
    #[schema(value_type = Object)]
    pub details: BTreeMap<String, BTreeMap<String, String>>,
}

impl JobResults {
    /// The results of a type.
    pub fn of(&mut self, kind: &str) -> &mut TypeResult {
        self.results.entry(kind.to_owned()).or_default()
    }
}

impl ResultMessage {
    /// A message.
    pub fn new(key: &str, text: impl Into<String>) -> Self {
        Self { key: key.to_owned(), text: text.into(), details: BTreeMap::new() }
    }
}

impl From<Message> for ResultMessage {
    fn from(message: Message) -> Self {
        Self::new(message.key, message.text)
    }
}
