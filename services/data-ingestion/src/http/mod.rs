//! The way in over HTTP and WebSocket, and the look at what waits and what was refused.

mod answers;
mod auth;
mod body;
mod dead_letters;
mod places;
mod readings;
mod socket;
mod status;

#[cfg(test)]
pub(crate) use body::gunzip;

pub use places::Places;

use crate::intake::Intake;
use service::{AdminTokens, App, Shutdown};
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, Paths};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct Http {
    /// The judgement and the stream.
    pub intake: Intake,
    /// Who may look at dead letters; nobody when absent.
    pub admins: Option<Arc<AdminTokens>>,
    /// How often a WebSocket looks for receipts.
    pub receipts_every: Duration,
    /// How many WebSockets a device may have.
    pub places: Places,
    /// When to end WebSockets.
    pub shutdown: Shutdown,
}

/// The routes.
pub fn app(http: Http) -> App {
    let routes = OpenApiRouter::with_openapi(document())
        .routes(routes!(readings::single))
        .routes(routes!(readings::batch))
        .routes(routes!(readings::lines))
        .routes(routes!(status::receipts))
        .routes(routes!(status::queue))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::remove))
        .routes(routes!(dead_letters::replay))
        .routes(routes!(socket::stream))
        .with_state(http);
    App::new(routes).untimed("/api/v1/stream")
}

/// Who may ask: devices in two ways, and the operator.
fn document() -> OpenApi {
    let scheme =
        |scheme, words| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(words)).build());
    let mut components = Components::new();
    components.add_security_scheme("device", scheme(HttpAuthScheme::Basic, "the device's id and key, as over MQTT"));
    components
        .add_security_scheme("device_key", scheme(HttpAuthScheme::Bearer, "the device's key; its id in `X-Device-Id`"));
    components.add_security_scheme("admin", scheme(HttpAuthScheme::Bearer, "`ADMIN_TOKEN`"));
    let mut document = OpenApi::new(Info::new("", ""), Paths::new());
    document.components = Some(components);
    document
}
