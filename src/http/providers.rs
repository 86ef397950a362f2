//! What Veza's own client asks for before anything else.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::session::{Reads, Session};
use super::veza::VezaErrorBody;

/// Where it asks.
pub const PREFIX: &str = "/api/v1/providers";

/// Templates of custom providers.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplatesBody {
    /// None: feeds come in as files.
    #[schema(value_type = Vec<String>)]
    pub values: [String; 0],
}

/// The templates of custom providers, of which there are none. `oaaclient` asks for them to see whether its token is good.
#[utoipa::path(
    get, path = "/api/v1/providers/custom/templates", tag = "Providers", operation_id = "listProviderTemplates",
    security(("token" = [])),
    responses((status = 200, body = TemplatesBody), (status = 401, description = "No valid token", body = VezaErrorBody))
)]
pub async fn templates(_session: Session<Reads>) -> Result<Json<TemplatesBody>, ApiError> {
    Ok(Json(TemplatesBody { values: [] }))
}
