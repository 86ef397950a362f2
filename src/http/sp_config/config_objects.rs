use aggregates::config_object::ObjectType;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::TAG;
use crate::http::error::ApiError;
use crate::http::sailpoint::SailPointErrorBody;
use crate::http::session::{ReadsConfiguration, Session};

/// A type of objects (contracts §2.2, `SpConfigObject`).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigObjectBody {
    /// Its name.
    pub object_type: &'static str,
    /// Where objects of it refer to others; null = nowhere that is known.
    pub reference_extractors: Option<Vec<&'static str>>,
    /// Foreign ones are signed, and must not be changed between export and import.
    pub signature_required: bool,
    /// References mean ids, never names.
    pub always_resolve_by_id: bool,
    /// Of the past.
    pub legacy_object: bool,
    /// There is at most one.
    pub one_per_tenant: bool,
    /// It can be exported.
    pub exportable: bool,
    /// It can be imported.
    pub importable: bool,
    /// What an import changes of objects of this type.
    pub rules: RulesBody,
}

/// What an import changes of objects by itself: nothing.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesBody {
    /// What is taken from the object that is there.
    #[schema(value_type = Vec<Object>)]
    pub take_from_target_rules: Vec<()>,
    /// What is put in where nothing is said.
    #[schema(value_type = Vec<Object>)]
    pub default_rules: Vec<()>,
    /// May they be changed?
    pub editable: bool,
}

/// The types of objects that can be exported and imported.
#[utoipa::path(
    get, path = "/sp-config/config-objects", tag = TAG, operation_id = "listSpConfigObjects", security(("token" = [])),
    responses(
        (status = 200, body = Vec<ConfigObjectBody>),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Needs sp:config:read or sp:config:manage", body = SailPointErrorBody),
    )
)]
pub async fn list(_session: Session<ReadsConfiguration>) -> Result<Json<Vec<ConfigObjectBody>>, ApiError> {
    Ok(Json(ObjectType::ALL.into_iter().map(body).collect()))
}

fn body(kind: ObjectType) -> ConfigObjectBody {
    let extractors: &[&str] = match kind {
        ObjectType::Source => &["$.owner", "$.cluster", "$.accountCorrelationRule", "$.managerCorrelationRule"],
        ObjectType::IdentityProfile => &["$.owner", "$.authoritativeSource"],
        ObjectType::TriggerSubscription => &["$.owner"],
        _ => &[],
    };
    ConfigObjectBody {
        object_type: kind.as_str(),
        reference_extractors: (!extractors.is_empty()).then(|| extractors.to_vec()),
        signature_required: kind == ObjectType::Rule,
        always_resolve_by_id: false,
        legacy_object: false,
        one_per_tenant: kind.is_one_per_tenant(),
        exportable: true,
        importable: true,
        rules: RulesBody::default(),
    }
}
