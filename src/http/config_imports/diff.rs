use aggregates::config_object::{Document, FieldChange, Reference, differences};
use axum::Json;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, import};
use crate::configuration::{Change, changes};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{ReadsConfiguration, Session};

/// What an import changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffBody {
    /// The import.
    pub job_id: Uuid,
    /// In the order in which it did.
    pub objects: Vec<ObjectDiffBody>,
}

/// What an import changed of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectDiffBody {
    /// Its type.
    pub r#type: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `created`, `updated` or `deleted`.
    pub change: &'static str,
    /// Field by field.
    pub fields: Vec<FieldDiffBody>,
}

/// What an import changed of a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldDiffBody {
    /// Where in the entry of the file (RFC 6901).
    #[schema(example = "/object/httpConfig/url")]
    pub path: String,
    /// Left out: it wasn't there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Left out: it isn't there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// What an import changed, field by field, before and after.
#[utoipa::path(
    get, path = "/api/config-imports/{id}/diff", tag = TAG, operation_id = "getConfigImportDiff", security(("token" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, body = DiffBody),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Needs sp:config:read or sp:config:manage", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
    )
)]
pub async fn diff(session: Session<ReadsConfiguration>, Id(id): Id) -> Result<Json<DiffBody>, ApiError> {
    import(&session, id).await?;
    let found = changes(&session.app, id).await?;
    Ok(Json(DiffBody { job_id: id, objects: found.iter().filter_map(body).collect() }))
}

fn body(change: &Change) -> Option<ObjectDiffBody> {
    let reference = change.reference()?;
    let kind = match (&change.before, &change.after) {
        (None, _) => "created",
        (_, None) => "deleted",
        _ => "updated",
    };
    let fields = differences(&entry(change.before.as_ref()), &entry(change.after.as_ref()));
    let field = |change: FieldChange| FieldDiffBody { path: change.path, before: change.before, after: change.after };
    Some(ObjectDiffBody {
        r#type: reference.kind.clone(),
        id: reference.id.clone(),
        name: reference.name.clone(),
        change: kind,
        fields: fields.into_iter().map(field).collect(),
    })
}

/// The entry of a file, `self` with the rest; nothing is an empty one.
fn entry(known: Option<&(Reference, Document)>) -> Value {
    let Some((reference, document)) = known else { return json!({}) };
    let mut entry = document.value();
    entry["self"] = json!(reference);
    entry
}
