//! The HTTP interface.

mod answer;
mod auth;
mod body;
mod credentials;
mod devices;
mod groups;
mod import;
mod types;

pub(crate) use import::ROUTE as IMPORT_ROUTE;

use crate::Shared;
use axum::middleware;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, Paths};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes, for administrators only.
pub(crate) fn routes(shared: Shared) -> OpenApiRouter {
    let mut components = Components::new();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("one of `ADMIN_TOKEN`")).build();
    components.add_security_scheme("admin", SecurityScheme::Http(bearer));
    let mut document = OpenApi::new(Info::new("", ""), Paths::new());
    document.components = Some(components);
    OpenApiRouter::with_openapi(document)
        .routes(routes!(devices::list, devices::register))
        .routes(routes!(devices::read, devices::patch, devices::decommission))
        .routes(routes!(credentials::read, credentials::revoke))
        .routes(routes!(credentials::rotate))
        .routes(routes!(import::import))
        .routes(routes!(types::list))
        .routes(routes!(types::read, types::put, types::remove))
        .routes(routes!(groups::list))
        .routes(routes!(groups::read, groups::put, groups::remove))
        .routes(routes!(groups::add, groups::take))
        .route_layer(middleware::from_fn(body::uncoded))
        .route_layer(middleware::from_fn_with_state(shared.clone(), auth::admins_only))
        .with_state(shared)
}
