//! The event types of all aggregates, and an event as it stands in the log.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    access_request, access_workflow, account, api_client, api_token, application, application_import, automation,
    automation_run, automation_run_rows, certification, certification_row, certification_rows, config_job,
    config_object, entitlement, identity, personnel_event, settings,
};

/// Declares the event enum of one aggregate: each variant with its version, its fields and its documentation.
///
/// The payload is externally tagged (`{"ImportStaged":{...}}`) with camelCase fields; the variant's name is the
/// `event_type`, unique in the system. `tests/golden` keeps one file for each type and version.
macro_rules! events {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident ($version:literal) { $($body:tt)* })* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all_fields = "camelCase")]
        pub enum $name { $($(#[$vmeta])* $variant { $($body)* }),* }

        impl cqrs_es::DomainEvent for $name {
            fn event_type(&self) -> String { self.type_name().to_owned() }
            fn event_version(&self) -> String { self.version().to_owned() }
        }

        impl $name {
            /// Every event type of this aggregate with its version.
            pub const TYPES: &'static [(&'static str, &'static str)] = &[$((stringify!($variant), $version)),*];
            /// The event type.
            pub const fn type_name(&self) -> &'static str { match self { $(Self::$variant { .. } => stringify!($variant)),* } }
            /// The event version.
            pub const fn version(&self) -> &'static str { match self { $(Self::$variant { .. } => $version),* } }
        }
    };
}
pub(crate) use events;

/// Collects the aggregates' events into one type, so that a projection matches on what happened and never on text.
macro_rules! domain_events {
    ($($variant:ident($module:ident :: $event:ident)),* $(,)?) => {
        /// An event of any aggregate.
        #[derive(Debug, Clone, PartialEq)]
        pub enum DomainEvent { $(#[doc = concat!("Of `", stringify!($module), "`.")] $variant($module::$event)),* }

        $(impl From<$module::$event> for DomainEvent {
            fn from(event: $module::$event) -> Self { Self::$variant(event) }
        })*

        impl DomainEvent {
            /// Every `(aggregate_type, event_type, event_version)` there is.
            pub fn types() -> Vec<(&'static str, &'static str, &'static str)> {
                let mut all = Vec::new();
                $(all.extend($module::$event::TYPES.iter().map(|(name, version)| ($module::TYPE, *name, *version)));)*
                all
            }
            /// The aggregate's type, snake_case like its folder.
            pub const fn aggregate_type(&self) -> &'static str { match self { $(Self::$variant(_) => $module::TYPE),* } }
            /// The event's type.
            pub const fn type_name(&self) -> &'static str { match self { $(Self::$variant(event) => event.type_name()),* } }
            /// The event's version.
            pub const fn version(&self) -> &'static str { match self { $(Self::$variant(event) => event.version()),* } }
            /// The payload's bytes as the log keeps them.
            pub fn payload(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(event) => serde_json::to_string(event)),* }
            }
            /// Reads a payload of the log.
            pub fn decode(aggregate_type: &str, payload: &str) -> Result<Self, DecodeError> {
                match aggregate_type {
                    $($module::TYPE => Ok(Self::$variant(serde_json::from_str(payload)?)),)*
                    other => Err(DecodeError::UnknownAggregate(other.to_owned())),
                }
            }
        }
    };
}

domain_events!(
    AccessRequest(access_request::AccessRequestEvent),
    AccessWorkflow(access_workflow::AccessWorkflowEvent),
    Account(account::AccountEvent),
    ApiClient(api_client::ApiClientEvent),
    ApiToken(api_token::ApiTokenEvent),
    Application(application::ApplicationEvent),
    ApplicationImport(application_import::ApplicationImportEvent),
    Automation(automation::AutomationEvent),
    AutomationRun(automation_run::AutomationRunEvent),
    AutomationRunRows(automation_run_rows::AutomationRunRowsEvent),
    Certification(certification::CertificationEvent),
    CertificationRow(certification_row::CertificationRowEvent),
    CertificationRows(certification_rows::CertificationRowsEvent),
    ConfigJob(config_job::ConfigJobEvent),
    ConfigObject(config_object::ConfigObjectEvent),
    Entitlement(entitlement::EntitlementEvent),
    Identity(identity::IdentityEvent),
    PersonnelEvent(personnel_event::PersonnelEventEvent),
    Settings(settings::SettingsEvent),
);

/// A payload that this version of the program can't read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No aggregate of that type.
    #[error("unknown aggregate type {0:?}")]
    UnknownAggregate(String),
    /// The payload isn't an event of that aggregate.
    #[error("unreadable payload: {0}")]
    Payload(#[from] serde_json::Error),
}

/// An event as it stands in the log: what a projection folds.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its place in the whole log: 1, 2, 3, ... without a gap.
    pub position: i64,
    /// When the writer took it, UTC, in microseconds; never before an earlier position's.
    pub recorded_at: DateTime<Utc>,
    /// The stream's id.
    pub aggregate_id: String,
    /// Its place in its stream: 1, 2, 3, ...
    pub sequence: i64,
    /// What happened.
    pub event: Arc<DomainEvent>,
    /// Who did it.
    pub actor: Arc<crate::Actor>,
}

impl Recorded {
    /// The stream's id as a UUID; nil for the few streams that have a name instead.
    pub fn id(&self) -> Uuid {
        Uuid::parse_str(&self.aggregate_id).unwrap_or_default()
    }
}

/// The inner object of an externally tagged payload: `{"ImportStaged":{...}}` → `{...}`.
pub fn inner(payload: &str) -> Result<Box<RawValue>, serde_json::Error> {
    let tagged: std::collections::HashMap<String, Box<RawValue>> = serde_json::from_str(payload)?;
    match tagged.into_values().next() {
        Some(inner) => Ok(inner),
        None => RawValue::from_string("{}".to_owned()),
    }
}
