//! The service, its database and its broker.

use axum::Router;
use axum::body::Body;
use device_management::{ABOUT, Config};
use http::{Request, Response, StatusCode};
use iot_support::{Mosquitto, Postgres, until};
use serde_json::Value;
use service::config::Environment;
use service::{Context, Limits, assemble};
use std::time::Duration;
use support::Check;
use tower::ServiceExt;

pub const TOKEN: &str = "of-an-administrator-in-a-test";

/// The service as it runs, and what it depends on.
pub struct Running {
    router: Router,
    context: Context,
    pub postgres: Postgres,
    pub mosquitto: Mosquitto,
    pub ingestion_password: String,
}

impl Running {
    pub async fn start() -> Self {
        Self::on(Postgres::start(), Mosquitto::start()).await
    }

    /// On servers that are there already; waits until the tables are.
    pub async fn on(postgres: Postgres, mosquitto: Mosquitto) -> Self {
        let ingestion_password = "of-ingestion".to_owned();
        let (router, context) = serve(&postgres, &mosquitto, &ingestion_password).await;
        let running = Self { router, context, postgres, mosquitto, ingestion_password };
        running.ready().await;
        running
    }

    /// Ends it and starts another on the same servers.
    pub async fn restart(&mut self) {
        self.context.shutdown.begin();
        self.context.drained().await;
        (self.router, self.context) = serve(&self.postgres, &self.mosquitto, &self.ingestion_password).await;
        self.ready().await;
    }

    async fn ready(&self) {
        eventually("it is ready", Duration::from_secs(30), || async {
            assert!(!self.context.has_failed(), "a task failed");
            let (status, report) = self.get("/ready").await;
            if status == StatusCode::OK { Ok(()) } else { Err(report) }
        })
        .await;
    }

    /// Its routes, for callers of their own.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub async fn raw(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        ask(&self.router, method, path, body).await
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask("GET", path, None).await
    }

    /// An answer that is not JSON.
    pub async fn text(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let (parts, body) = self.raw(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
        (parts.status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Registers a device of the original's type and returns its key.
    pub async fn register(&self, id: &str) -> String {
        let (status, answer) =
            self.ask("POST", "/api/v1/devices", Some(serde_json::json!({"id": id, "type": "ESP32-S3"}))).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["credential"]["key"].as_str().expect("a key").to_owned()
    }

    /// Waits until the broker knows what it should know of the device.
    pub async fn in_step(&self, id: &str) {
        self.account(id, "in_step").await;
    }

    /// Waits for a state of the device's account.
    pub async fn account(&self, id: &str, state: &str) {
        eventually("the account is as wanted", Duration::from_secs(20), || async {
            let (_, device) = self.get(&format!("/api/v1/devices/{id}")).await;
            (device["account"] == state).then_some(())
        })
        .await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.context.shutdown.begin();
    }
}

/// Asks a replica as the administrator.
pub async fn ask(router: &Router, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let answer = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
    (parts.status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// A replica of the service.
pub async fn serve(postgres: &Postgres, mosquitto: &Mosquitto, ingestion_password: &str) -> (Router, Context) {
    let every = std::env::var("RECONCILE_EVERY").unwrap_or_else(|_| "1s".to_owned());
    serve_comparing(postgres, mosquitto, ingestion_password, &every).await
}

/// A replica that compares all accounts as often as is said.
pub async fn serve_comparing(
    postgres: &Postgres,
    mosquitto: &Mosquitto,
    ingestion_password: &str,
    every: &str,
) -> (Router, Context) {
    let secrets = [("ADMIN_TOKEN", TOKEN), ("OUTBOX_KEY", &"0b".repeat(32)), ("RECONCILE_EVERY", every)];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let ingestion = [("MQTT_INGESTION_PASSWORD".to_owned(), ingestion_password.to_owned())];
    let variables = postgres.variables().into_iter().chain(mosquitto.variables()).chain(secrets).chain(ingestion);
    let config = Environment::of(variables).read::<Config>().expect("a configuration");
    let context = Context::default();
    let app = device_management::start(config, context.clone()).await.expect("a service");
    (assemble(app, &ABOUT, &context, &Limits::default()), context)
}

/// Waits until `check` gives its value.
pub async fn eventually<C: Check, F: Future<Output = C>>(
    what: &str,
    deadline: Duration,
    check: impl FnMut() -> F,
) -> C::Value {
    until(what, deadline, String::new, check).await
}
