use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ImportFile, ImportType, Metrics, Removals};

crate::event::events! {
    /// What happens to an import.
    ApplicationImportEvent {
        /// It waits for a worker.
        ImportStaged("1.0") {
            application_id: Uuid,
            import_type: ImportType,
            files: Vec<ImportFile>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            accept_removals_of: Option<Uuid>,
            #[serde(default, skip_serializing_if = "std::ops::Not::not")]
            preview: bool,
        }
        /// A tick of the schedule fell while another import was Pending.
        ImportSkipped("1.0") { application_id: Uuid, scheduled_for: DateTime<Utc> }
        /// A worker has it.
        ImportClaimed("1.0") { worker: String, application_version: i64, is_identity_source: bool }
        /// The schedule's files were read; their bytes are evidence.
        ImportFilesKept("1.0") { files: Vec<ImportFile> }
        /// It would remove more than the application allows; nothing is applied.
        ImportRemovalsHeld("1.0") { removals: Removals }
        /// The complete difference against current access is known; from here on it is applied.
        ImportPlanned("1.0") { metrics: Metrics }
        /// Somebody wants it to end.
        ImportCancelRequested("1.0") {}
        /// It ended at somebody's wish.
        ImportCanceled("1.0") { log: String }
        /// It ended without success.
        ImportFailed("1.0") { log: String }
        /// It ended well.
        ImportFinished("1.0") {
            metrics: Metrics,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            log: Option<String>,
        }
    }
}
