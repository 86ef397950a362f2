//! What an application looks like on the wire.

use std::collections::BTreeMap;

use aggregates::application::{
    Column, Connector, ConnectorType, Content, CorrelationRule, Definition, Dialect, Encoding, FileGroup, Format,
    ImportSchedule, Priority,
};
use aggregates::{Violation, ids};
use chrono::{DateTime, Utc};
use projections::applications::ApplicationRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Clock;
use crate::http::error::ApiError;

/// Percent of people or grants that one import may remove unless set (rulings 18).
const REMOVAL_LIMIT: u8 = 30;

/// An application in a list, in detail, and wherever it is created or changed (rulings 12).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationBody {
    /// The summary's fields.
    #[serde(flatten)]
    pub summary: ApplicationSummary,
    /// For people.
    pub description: Option<String>,
    /// Its people are identities.
    pub is_identity_source: bool,
    /// Percent of people or grants that one import may remove.
    pub removal_limit: i32,
    /// Where the data comes from.
    pub connector: ConnectorBody,
    /// How the identities are found to whom accounts belong, in order: `{account, identity}` (fields that are equal) or `{rule}` (the
    /// name of a Correlation rule).
    #[schema(value_type = Vec<Object>)]
    pub correlation: Vec<CorrelationRule>,
    /// Identities who answer requests for its access; the default responders when there are none.
    pub responders: Vec<Uuid>,
    /// When its feeds are imported; null = no schedule.
    #[schema(value_type = Option<Object>)]
    pub import_schedule: Option<ImportSchedule>,
    /// The most recently staged import, whatever its status; null = none yet.
    pub last_import: Option<LastImportBody>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Name of the actor that made it.
    pub created_by: String,
}

/// An application inside something else (contracts §1.6).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSummary {
    /// The application.
    pub id: Uuid,
    /// Always `Application`.
    #[schema(example = "Application")]
    pub kind: &'static str,
    /// Unique, whatever the case.
    pub name: String,
    /// None, Low, Moderate, High or Critical.
    pub priority: String,
    /// Takes no more imports.
    pub is_archived: bool,
    /// When its definition, schedule or state last changed.
    pub last_updated: DateTime<Utc>,
}

/// A connector.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorBody {
    /// Follows from the application's id.
    pub id: Uuid,
    /// For people.
    pub name: &'static str,
    /// Who makes the connector.
    pub vendor: &'static str,
    /// `file`.
    #[schema(value_type = String)]
    pub r#type: ConnectorType,
    /// What files it reads.
    #[schema(value_type = Vec<Object>)]
    pub file_groups: Vec<FileGroup>,
}

/// The most recently staged import.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "as in the import itself")]
pub struct LastImportBody {
    pub id: Uuid,
    pub number: i64,
    pub status: String,
    pub build_start: Option<DateTime<Utc>>,
    pub build_end: Option<DateTime<Utc>>,
}

impl From<ApplicationRow> for ApplicationBody {
    fn from(row: ApplicationRow) -> Self {
        Self {
            summary: ApplicationSummary {
                id: row.id,
                kind: "Application",
                name: row.name,
                priority: row.priority,
                is_archived: row.is_archived,
                last_updated: row.last_updated_at,
            },
            description: row.description,
            is_identity_source: row.is_identity_source,
            removal_limit: row.removal_limit,
            connector: ConnectorBody {
                id: ids::native(row.id, "connector", ""),
                name: "File connector",
                vendor: "Muniment",
                r#type: row.connector.0.r#type,
                file_groups: row.connector.0.file_groups,
            },
            correlation: row.correlation.0,
            responders: row.responders.0,
            import_schedule: row.import_schedule.map(|schedule| schedule.0),
            last_import: row.last_import.map(|import| LastImportBody {
                id: import.0.id,
                number: import.0.number,
                status: import.0.status,
                build_start: import.0.build_start_at,
                build_end: import.0.build_end_at,
            }),
            created_at: row.created_at,
            created_by: row.created_by,
        }
    }
}

/// What to create, or what to replace a definition by.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationRequest {
    /// Unique, whatever the case; at most 256 characters.
    name: Option<String>,
    /// None (the default), Low, Moderate, High or Critical.
    #[schema(value_type = Option<String>)]
    priority: Option<Priority>,
    /// At most 4,000 characters.
    description: Option<String>,
    /// Its people are identities; default false.
    is_identity_source: Option<bool>,
    /// Percent of people or grants that one import may remove; default 30.
    removal_limit: Option<u8>,
    /// Where the data comes from.
    connector: Option<ConnectorRequest>,
    /// How the identities are found to whom accounts belong, in order: `{account, identity}` (fields that are equal) or `{rule}` (the
    /// name of a Correlation rule); default employeeId, then email.
    #[schema(value_type = Option<Vec<Object>>)]
    correlation: Option<Vec<CorrelationRule>>,
    /// Identities who answer requests for its access; the default responders when there are none.
    #[serde(default)]
    pub responders: Vec<Uuid>,
}

/// A connector to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectorRequest {
    /// `file`; `external` for one that only another system can read.
    #[schema(value_type = Option<String>)]
    r#type: Option<ConnectorType>,
    /// At least one of a file connector, none of an external one.
    #[serde(default)]
    file_groups: Vec<FileGroupRequest>,
}

/// A file group to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileGroupRequest {
    /// Made when absent; a replaced definition keeps the id of the group of the same content.
    id: Option<Uuid>,
    /// Shown to people.
    name: Option<String>,
    /// identities, accounts, entitlements or grants.
    #[schema(value_type = Option<String>)]
    content: Option<Content>,
    /// An import without it is refused; default true.
    is_required: Option<bool>,
    /// csv (the default), xlsx, json (one array of objects) or ndjson.
    #[schema(value_type = Option<String>)]
    format: Option<Format>,
    /// Between values; a comma unless said.
    #[schema(value_type = Option<String>)]
    delimiter: Option<char>,
    /// Around values that hold delimiters or line breaks; a double quote unless said.
    #[schema(value_type = Option<String>)]
    quote: Option<char>,
    /// utf-8, utf-16le, utf-16be or windows-1252; found out unless said.
    #[schema(value_type = Option<String>)]
    encoding: Option<Encoding>,
    /// Of a workbook, whatever the case; the first unless said.
    sheet: Option<String>,
    /// The sheet's row that names the columns; 1 unless said.
    header_row: Option<u32>,
    /// Field → column name, or `{column | columns + join, default, transforms}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    columns: BTreeMap<String, Column>,
    /// Names of Validation rules that each row must satisfy; at most 20.
    #[serde(default)]
    rules: Vec<String>,
}

impl ApplicationRequest {
    /// The definition asked for; `known` is the one it replaces.
    pub fn definition(self, clock: &dyn Clock, known: Option<&Connector>) -> Result<Definition, ApiError> {
        let mut violations = Vec::new();
        let mut missing =
            |field: String, label: &str| violations.push(Violation::new(field, format!("{label} is required")));
        if self.name.is_none() {
            missing("name".to_owned(), "Name");
        }
        if self.connector.is_none() {
            missing("connector".to_owned(), "Connector");
        }
        let connector =
            self.connector.unwrap_or(ConnectorRequest { r#type: Some(ConnectorType::File), file_groups: Vec::new() });
        if connector.r#type.is_none() {
            missing("connector.type".to_owned(), "Type");
        }
        let kind = connector.r#type.unwrap_or(ConnectorType::File);
        let mut file_groups = Vec::with_capacity(connector.file_groups.len());
        for (index, group) in connector.file_groups.into_iter().enumerate() {
            if group.name.is_none() {
                missing(format!("connector.fileGroups[{index}].name"), "Name");
            }
            let Some(content) = group.content else {
                missing(format!("connector.fileGroups[{index}].content"), "Content");
                continue;
            };
            let before = known.and_then(|known| known.file_groups.iter().find(|known| known.content == content));
            file_groups.push(FileGroup {
                id: group.id.or(before.map(|known| known.id)).unwrap_or_else(|| clock.id()),
                name: group.name.unwrap_or_default(),
                content,
                is_required: group.is_required.unwrap_or(true),
                format: group.format.unwrap_or(Format::Csv),
                dialect: Dialect {
                    delimiter: group.delimiter,
                    quote: group.quote,
                    encoding: group.encoding,
                    sheet: group.sheet,
                    header_row: group.header_row,
                },
                columns: group.columns,
                rules: group.rules,
            });
        }
        let definition = Definition {
            name: self.name.unwrap_or_default().trim().to_owned(),
            priority: self.priority.unwrap_or_default(),
            description: self.description,
            is_identity_source: self.is_identity_source.unwrap_or(false),
            removal_limit: self.removal_limit.unwrap_or(REMOVAL_LIMIT),
            connector: Connector { r#type: kind, file_groups },
            correlation: self.correlation,
            responders: self.responders,
        };
        if violations.is_empty() {
            return Ok(definition);
        }
        // Tell everything at once, and nothing twice.
        for violation in definition.violations() {
            let is_told = violations.iter().any(|known| violation.field.starts_with(&known.field));
            if !is_told {
                violations.push(violation);
            }
        }
        Err(ApiError::validation(violations))
    }
}
