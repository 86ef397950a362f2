//! The OpenAPI document, made from the code, checked in, and guarded by a test; Swagger UI shows it.

use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::SwaggerUi;

/// The document.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Muniment")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Access governance with the log as evidence. The operations of Permission Assist's API are spoken unchanged; \
             docs/API.md lists the quirks.",
        ))
        .build();
    let mut document = OpenApiBuilder::from(super::operations().into_openapi()).info(info).build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    document
}

pub(super) async fn json() -> Json<OpenApi> {
    Json(document())
}

pub(super) fn swagger_ui() -> SwaggerUi {
    SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/api/openapi.json"))
}
