use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Definition;
use crate::violation::{Violation, check_length};

/// When, and from which files of the shared directories, an application is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportSchedule {
    /// Five-field cron expression.
    pub cron: String,
    /// IANA timezone in which the expression is meant.
    pub timezone: String,
    /// A disabled schedule never fires by itself; it may still be staged (rulings 13).
    pub is_enabled: bool,
    /// Where each file group's file lies.
    pub files: Vec<ScheduledFile>,
}

/// The file of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledFile {
    /// The group.
    pub file_group_id: Uuid,
    /// Relative to a shared directory, with `/`.
    pub path: String,
}

impl ImportSchedule {
    /// What is wrong with it for an application of this definition. Cron and timezone are checked by the caller, who has
    /// the libraries for them; whether the file is there is found when the import runs (rulings 13).
    pub fn violations(&self, definition: &Definition) -> Vec<Violation> {
        let mut found = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let field = format!("files[{index}]");
            if !definition.connector.file_groups.iter().any(|group| group.id == file.file_group_id) {
                let known: Vec<String> = definition
                    .connector
                    .file_groups
                    .iter()
                    .map(|group| format!("{} ({})", group.id, group.name))
                    .collect();
                found.push(Violation::new(
                    format!("{field}.fileGroupId"),
                    format!("The connector has no file group {}; it has {}", file.file_group_id, known.join(", ")),
                ));
            }
            if self.files[..index].iter().any(|other| other.file_group_id == file.file_group_id) {
                found.push(Violation::new(format!("{field}.fileGroupId"), "The file group is named twice"));
            }
            let path_field = format!("{field}.path");
            check_length(&mut found, &path_field, "Path", &file.path, 1024);
            if let Err(reason) = relative(&file.path) {
                found.push(Violation::new(path_field, reason));
            }
        }
        for group in definition.connector.file_groups.iter().filter(|group| group.is_required) {
            if !self.files.iter().any(|file| file.file_group_id == group.id) {
                found.push(Violation::new(
                    "files",
                    format!("The required file group {} ({}) has no path", group.id, group.name),
                ));
            }
        }
        found
    }
}

/// Paths stay beneath a shared directory: relative, no `..`, no drive or UNC prefix.
fn relative(path: &str) -> Result<(), String> {
    if path.trim().is_empty() {
        return Err("Path is required".to_owned());
    }
    if path.starts_with('/')
        || path.starts_with('\\')
        || (path.starts_with(|c: char| c.is_ascii_alphabetic()) && path.get(1..2) == Some(":"))
    {
        return Err(format!("{path:?} is absolute; paths are relative to a shared directory"));
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(format!("{path:?} leaves the shared directory with \"..\""));
    }
    Ok(())
}
