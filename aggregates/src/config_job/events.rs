use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ImportOptions, Selection};

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase", tag = "type")]
pub enum Task {
    /// Writes objects into a file.
    Export {
        /// Which.
        selection: Selection,
        /// The import before which it keeps everything as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup_of: Option<Uuid>,
    },
    /// Reads objects from a file.
    Import {
        /// What was sent, without its secrets.
        file: Artifact,
        /// Which of its objects, and how.
        options: ImportOptions,
        /// Nothing is imported; the result tells what would be.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        preview: bool,
    },
}

/// A file among the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
}

crate::event::events! {
    /// What happens to a job.
    ConfigJobEvent {
        /// It was asked for.
        ConfigJobStarted("1.0") {
            task: Task,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            description: Option<String>,
            /// From then on its files can't be downloaded.
            expires_at: DateTime<Utc>,
        }
        /// A worker has it.
        ConfigJobClaimed("1.0") { worker: String }
        /// It did all of it.
        ConfigJobCompleted("1.0") { result: Artifact, objects: u64 }
        /// It did what it could: the result tells what it couldn't.
        ConfigJobFailed("1.0") {
            reason: String,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            result: Option<Artifact>,
            objects: u64,
        }
        /// Somebody stopped it.
        ConfigJobCanceled("1.0") {}
        /// Everything that it imported is as it was before.
        ConfigJobRestored("1.0") { objects: u64 }
    }
}
