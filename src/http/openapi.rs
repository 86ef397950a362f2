//! The OpenAPI document, made from the code, checked in, and guarded by a test; Swagger UI shows it.

use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, PathItem};
use utoipa_swagger_ui::SwaggerUi;

/// Operations whose path ends with a verb.
const VERBS: [(&str, &str); 3] = [
    ("/api/preview/awf/automations/{id}", "preview"),
    ("/api/preview/awf/automation_runs/{id}", "undo"),
    ("/api/preview/awf/certifications/{id}", "complete"),
];

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
    for (path, verb) in VERBS {
        // axum's router can't have a verb after an id; the document says it as clients do.
        let paths = &mut document.paths.paths;
        let Some(post) = paths.get_mut(path).and_then(|item| item.post.take()) else { continue };
        if paths.get(path).is_some_and(|item| *item == PathItem::default()) {
            paths.remove(path);
        }
        let mut item = PathItem::default();
        item.post = Some(post);
        paths.insert(format!("{path}:{verb}"), item);
    }
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
