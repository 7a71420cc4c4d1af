//! The way in over HTTP and WebSocket, and the look at what waits and what was refused.

mod answers;
mod auth;
mod body;
mod dead_letters;
mod readings;
mod socket;
mod status;

#[cfg(test)]
pub(crate) use body::gunzip;

use crate::intake::Intake;
use diagnostic::Secret;
use service::{App, Shutdown};
use std::sync::Arc;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct Http {
    /// The judgement and the stream.
    pub intake: Intake,
    /// Who may look at dead letters; nobody when absent.
    pub admin: Option<Arc<Secret<String>>>,
    /// How often a WebSocket looks for receipts.
    pub receipts_every: Duration,
    /// When to end WebSockets.
    pub shutdown: Shutdown,
}

/// The routes.
pub fn app(http: Http) -> App {
    let routes = OpenApiRouter::new()
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
