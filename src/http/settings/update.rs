use aggregates::settings::{self, Changes, Eligibility, Settings, SettingsCommand};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::TAG;
use super::body::SettingsBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::etag::{self, if_match};
use crate::http::extract::Json;
use crate::http::party::wrong_responders;
use crate::http::session::{Administers, Session};

/// Settings to be; what is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsRequest {
    /// Identity sources in the order in which their word counts; those that aren't listed follow by creation.
    identity_sources: Option<Vec<Uuid>>,
    /// IANA timezone by which days begin and end; UTC at first.
    #[schema(example = "Europe/Zurich")]
    timezone: Option<String>,
    /// Custom fields that requests may fill: of customField1 to customField10; none at first.
    custom_fields: Option<Vec<String>>,
    /// Identities who answer where nothing else says who does; they must be Active.
    default_responders: Option<Vec<Uuid>>,
}

/// Changes the system settings. People are merged anew at once when the order of their sources changes.
#[utoipa::path(
    put, path = "/api/settings", tag = TAG, operation_id = "updateSettings", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The ETag that they must still have")),
    request_body = SettingsRequest,
    responses(
        (status = 200, body = SettingsBody, headers(("ETag" = String, description = "Their version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an administrator's token", body = ErrorBody),
        (status = 412, description = "If-Match doesn't match", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn update(
    session: Session<Administers>,
    headers: HeaderMap,
    Json(request): Json<SettingsRequest>,
) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    let identity_sources = match request.identity_sources {
        Some(ids) => Some(judged(&session, ids).await?),
        None => None,
    };
    let default_responders = match &request.default_responders {
        Some(ids) => Some(wrong_responders(&session, ids).await?),
        None => None,
    };
    let (timezone, custom_fields) = (request.timezone, request.custom_fields);
    let command = SettingsCommand::Change(Changes { identity_sources, timezone, custom_fields, default_responders });
    let context = session.context("/api/settings".to_owned());
    let executing = session.journal().execute::<Settings>(settings::ID, command, demanded, context).await;
    let executed = executing.map_err(|error| etag::refused(error, demanded.is_some()))?;
    Ok(etag::tagged(executed.version, axum::Json(SettingsBody::from(executed.aggregate))))
}

/// Whether each of these applications can be given precedence.
async fn judged(session: &Session<Administers>, ids: Vec<Uuid>) -> Result<Vec<(Uuid, Eligibility)>, ApiError> {
    let known = projections::applications::find_all(session.pool(), &ids).await?;
    let eligibility = |id: &Uuid| match known.get(id) {
        None => Eligibility::Unknown,
        Some(row) if row.is_archived => Eligibility::Archived,
        Some(row) if row.is_identity_source => Eligibility::IdentitySource,
        Some(_) => Eligibility::NoIdentitySource,
    };
    Ok(ids.into_iter().map(|id| (id, eligibility(&id))).collect())
}
