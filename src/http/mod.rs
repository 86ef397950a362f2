//! HTTP: the route table, which is also the OpenAPI document.

pub mod access_requests;
pub mod access_workflows;
pub mod accounts;
pub mod application_imports;
pub mod applications;
pub mod automation_runs;
pub mod automations;
pub mod certifications;
pub mod config_imports;
pub mod error;
pub mod etag;
pub mod events;
pub mod extract;
pub mod health;
pub mod identities;
mod measures;
pub mod middleware;
pub mod oauth;
mod openapi;
pub mod page;
pub mod party;
pub mod personnel_events;
pub mod providers;
pub mod request;
pub mod sailpoint;
pub mod session;
pub mod settings;
pub mod sp_config;
pub mod tokens;
pub mod veza;
pub mod webhooks;

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use governor::{Quota, RateLimiter};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use openapi::document;

use crate::app::SharedApp;
use middleware::Around;

/// Every documented operation.
fn operations() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new()
        .routes(routes!(applications::list::list, applications::create::create))
        .routes(routes!(applications::get::get, applications::update::update))
        .routes(routes!(applications::archive::archive))
        .routes(routes!(applications::import_schedule::set))
        .routes(routes!(applications::accounts::list))
        .routes(routes!(applications::entitlements::list))
        .routes(routes!(applications::grants::list))
        .routes(routes!(application_imports::list::list))
        .routes(routes!(application_imports::get::get))
        .routes(routes!(application_imports::issues::list))
        .routes(routes!(application_imports::rejects::download))
        .routes(routes!(application_imports::changes::list))
        .routes(routes!(application_imports::stage::stage))
        .routes(routes!(application_imports::upload::upload))
        .routes(routes!(application_imports::cancel::cancel))
        .routes(routes!(identities::list::list))
        .routes(routes!(identities::schema::schema))
        .routes(routes!(identities::get::get))
        .routes(routes!(identities::access::access))
        .routes(routes!(accounts::get::get))
        .routes(routes!(accounts::assign::assign, accounts::release::release))
        .routes(routes!(personnel_events::list::list))
        .routes(routes!(personnel_events::onboard::onboard))
        .routes(routes!(personnel_events::offboard::offboard))
        .routes(routes!(personnel_events::role_transition::role_transition))
        .routes(routes!(personnel_events::leave_of_absence::leave_of_absence))
        .routes(routes!(personnel_events::get::get))
        .routes(routes!(personnel_events::approve::approve))
        .routes(routes!(personnel_events::reject::reject))
        .routes(routes!(personnel_events::complete::complete))
        .routes(routes!(personnel_events::reset::reset))
        .routes(routes!(personnel_events::assign::assign))
        .routes(routes!(personnel_events::comment::comment))
        .routes(routes!(personnel_events::reschedule::reschedule))
        .routes(routes!(personnel_events::cancel::cancel))
        .routes(routes!(access_requests::list::list, access_requests::create::create))
        .routes(routes!(access_requests::get::get))
        .routes(routes!(access_requests::approve::approve))
        .routes(routes!(access_requests::reject::reject))
        .routes(routes!(access_requests::reset::reset))
        .routes(routes!(access_requests::provision::provision))
        .routes(routes!(access_requests::fail::fail))
        .routes(routes!(access_requests::verify::verify))
        .routes(routes!(access_requests::assign::assign))
        .routes(routes!(access_requests::comment::comment))
        .routes(routes!(access_requests::cancel::cancel))
        .routes(routes!(access_workflows::list::list, access_workflows::create::create))
        .routes(routes!(access_workflows::get::get, access_workflows::update::update, access_workflows::delete::delete))
        .routes(routes!(automations::list::list, automations::create::create, automations::update::update))
        .routes(routes!(automations::get::get, automations::delete::delete, automations::preview::preview))
        .routes(routes!(automations::attach::attach))
        .routes(routes!(automations::attached::list))
        .routes(routes!(automations::detach::detach))
        .routes(routes!(certifications::list::list, certifications::create::create))
        .routes(routes!(certifications::get::get, certifications::complete::complete))
        .routes(routes!(certifications::results::results, certifications::update::update))
        .routes(routes!(certifications::force_update::force_update))
        .routes(routes!(certifications::decide::decide))
        .routes(routes!(certifications::result::get))
        .routes(routes!(certifications::runs::list))
        .routes(routes!(automation_runs::get::get, automation_runs::undo::undo))
        .routes(routes!(sp_config::export::start))
        .routes(routes!(sp_config::export_status::status))
        .routes(routes!(sp_config::export_download::download))
        .routes(routes!(sp_config::import::start))
        .routes(routes!(sp_config::import_status::status))
        .routes(routes!(sp_config::import_download::download))
        .routes(routes!(sp_config::config_objects::list))
        .routes(routes!(config_imports::diff::diff))
        .routes(routes!(config_imports::restore::restore))
        .routes(routes!(config_imports::cancel::cancel))
        .routes(routes!(webhooks::list::list))
        .routes(routes!(webhooks::deliveries::list))
        .routes(routes!(providers::templates))
        .routes(routes!(events::list::list))
        .routes(routes!(tokens::list::list, tokens::create::create))
        .routes(routes!(tokens::revoke::revoke))
        .routes(routes!(settings::get::get, settings::update::update))
        .routes(routes!(oauth::token::token))
        .routes(routes!(oauth::info::info))
}

/// The whole server.
pub fn router(app: &SharedApp) -> Router {
    let (operations, _) = operations().split_for_parts();
    let rate = NonZeroU32::new(app.config.rate_limit).map(|rate| RateLimiter::keyed(Quota::per_second(rate)));
    let around = Arc::new(Around { app: Arc::clone(app), rate, measures: measures::Measures::default() });
    let router = operations
        .merge(sp_config::aliases())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/api/openapi.json", get(openapi::json))
        .merge(openapi::swagger_ui())
        .fallback(middleware::unknown_route)
        .method_not_allowed_fallback(middleware::wrong_method)
        // axum's own limit of 2 MB; ours are in `extract` and `upload`.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(axum::middleware::from_fn_with_state(around, middleware::around))
        .with_state(Arc::clone(app));
    // Already set when a second router is made for one application, which then answers alike.
    let _ = app.router.set(router.clone());
    router
}
