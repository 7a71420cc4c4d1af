//! data-ingestion beside device-management, with real servers: who may send, at once when that changes, and who was heard of.

#![expect(clippy::disallowed_methods, reason = "the service and its neighbours are programs here")]

use axum::body::Body;
use data_encoding::BASE64;
use futures::{SinkExt, StreamExt};
use http::Request;
use iot_support::{Influx, Mosquitto, Postgres, Process, Redis, free_port, metric, until};
use serde_json::{Value, json};
use service::config::Environment;
use service::{Context, Limits, assemble};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tower::ServiceExt;

const TOKEN: &str = "of-an-administrator-in-a-test";
const OF_INGESTION: &str = "of-ingestion-in-a-test";

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Both services and all their servers.
struct Both {
    management: axum::Router,
    context: Context,
    postgres: Postgres,
    broker: Mosquitto,
    _redis: Redis,
    _influx: Influx,
    port: u16,
    _ingestion: Process,
    client: reqwest::Client,
    _directory: tempfile::TempDir,
}

impl Drop for Both {
    fn drop(&mut self) {
        self.context.shutdown.begin();
    }
}

impl Both {
    async fn start() -> Self {
        let (postgres, broker, redis, influx) =
            (Postgres::start(), Mosquitto::start(), Redis::start(), Influx::start());
        let own = [
            ("ADMIN_TOKEN", TOKEN),
            ("OUTBOX_KEY", &"0b".repeat(32)),
            ("MQTT_INGESTION_PASSWORD", OF_INGESTION),
            ("RECONCILE_EVERY", "1s"),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = postgres.variables().into_iter().chain(broker.variables()).chain(own);
        let config = Environment::of(variables).read::<device_management::Config>().expect("a configuration");
        let context = Context::default();
        let app = device_management::start(config, context.clone()).await.expect("device-management");
        let management = assemble(app, &device_management::ABOUT, &context, &Limits::default());

        let directory = tempfile::Builder::new().prefix("test-registry-").tempdir().expect("a directory");
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_data-ingestion"));
        command.envs(postgres.variables()).envs(broker.variables()).envs(redis.variables()).envs(influx.variables());
        command.env("SERVICE_ADDRESS", "127.0.0.1").env("SERVICE_PORT", port.to_string());
        command.env("MQTT_USERNAME", "data-ingestion").env("MQTT_PASSWORD", OF_INGESTION);
        command.env("DEVICES_SEEN_EVERY", "200ms").env("DEVICES_FRESH", "2s");
        let ingestion = Process::start(&mut command, &directory.path().join("log"), port).expect("data-ingestion");
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        let both = Self {
            management,
            context,
            postgres,
            broker,
            _redis: redis,
            _influx: influx,
            port,
            _ingestion: ingestion,
            client,
            _directory: directory,
        };
        both.until("device-management is ready", || async { both.ask("GET", "/ready", None).await.0 == 200 }).await;
        both
    }

    async fn until<F: Future<Output = bool>>(&self, what: &str, check: impl Fn() -> F) {
        until(what, Duration::from_secs(60), || self.log(), check).await;
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self._directory.path().join("log")).unwrap_or_default()
    }

    /// Asks device-management.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
        let request = request.header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).expect("a request");
        let (parts, body) = self.management.clone().oneshot(request).await.expect("an answer").into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// A device's key.
    async fn register(&self, id: &str) -> String {
        let (status, answer) = self.ask("POST", "/api/v1/devices", Some(json!({"id": id, "type": "ESP32-S3"}))).await;
        assert_eq!(status, 201, "{answer}");
        answer["credential"]["key"].as_str().expect("a key").to_owned()
    }

    /// Sends a reading over HTTP.
    async fn post(&self, id: &str, key: &str) -> u16 {
        let request = self.client.post(format!("http://127.0.0.1:{}/api/v1/sensor-data", self.port));
        let request = request.basic_auth(id, Some(key)).body(reading());
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    }

    /// A metric's value; 0 when it is not there.
    async fn metric(&self, name: &str) -> f64 {
        let answer = self.client.get(format!("http://127.0.0.1:{}/metrics", self.port)).send().await;
        let text = answer.expect("data-ingestion").text().await.unwrap_or_default();
        metric(&text, name)
    }

    /// What a load balancer is told, which does not wait for long.
    async fn ready(&self) -> u16 {
        let request = self.client.get(format!("http://127.0.0.1:{}/ready", self.port)).timeout(Duration::from_secs(1));
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    }

    async fn socket(&self, id: &str, key: &str) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://127.0.0.1:{}/api/v1/stream", self.port).into_client_request()?;
        let credential = BASE64.encode(format!("{id}:{key}").as_bytes());
        request.headers_mut().insert("Authorization", format!("Basic {credential}").parse().expect("a header"));
        Ok(tokio_tungstenite::connect_async(request).await?.0)
    }

    async fn last_seen(&self, id: &str) -> Option<jiff::Timestamp> {
        let (status, device) = self.ask("GET", &format!("/api/v1/devices/{id}"), None).await;
        if status == 503 {
            return None;
        }
        assert_eq!(device["online"].as_bool(), Some(device["last_seen"].is_string()), "{device}");
        device["last_seen"].as_str().map(|text| text.parse().expect("a time"))
    }
}

fn reading() -> String {
    format!(
        r#"{{"timestamp":{},"sensors":{{"pir":{{"motion_detected":true}}}}}}"#,
        jiff::Timestamp::now().as_nanosecond()
    )
}

async fn frame(socket: &mut Socket) -> Option<Message> {
    let frame = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.expect("a frame within 5 s");
    frame.and_then(Result::ok)
}

/// Reads until the other side ends it; the code it gave.
async fn closed(socket: &mut Socket) -> Option<u16> {
    loop {
        match frame(socket).await {
            Some(Message::Close(reason)) => return reason.map(|reason| reason.code.into()),
            Some(_) => {}
            None => return None,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_send_any_more_is_cut_off_within_a_second() {
    let both = Both::start().await;
    let ways = [
        ("dev-revoked", "DELETE", "/credential", None),
        ("dev-rotated", "POST", "/credential/rotate", None),
        ("dev-suspended", "PATCH", "", Some(json!({"state": "suspended"}))),
        ("dev-gone", "DELETE", "", None),
    ];
    let other_key = both.register("dev-other").await;
    let mut other = both.socket("dev-other", &other_key).await.expect("a socket");
    for (id, method, path, body) in ways {
        let key = both.register(id).await;
        assert_eq!(both.post(id, &key).await, 202, "{id}\n{}", both.log());
        let mut busy = both.socket(id, &key).await.expect("a socket");
        let mut idle = both.socket(id, &key).await.expect("a socket");
        busy.send(Message::Text(reading().into())).await.expect("a frame");
        let begun = Instant::now();
        let (status, answer) = both.ask(method, &format!("/api/v1/devices/{id}{path}"), body).await;
        assert!((200..300).contains(&status), "{id}: {status} {answer}");
        both.until("its key is refused over HTTP", || async { both.post(id, &key).await == 401 }).await;
        let http = begun.elapsed();
        assert_eq!((closed(&mut busy).await, closed(&mut idle).await), (Some(1008), Some(1008)), "{id}");
        let sockets = begun.elapsed();
        assert!(sockets < Duration::from_secs(1), "{id} was cut off only after {http:?} and {sockets:?}");
        let again = both.socket(id, &key).await;
        assert!(matches!(again, Err(tungstenite::Error::Http(answer)) if answer.status() == 401), "{id}");
        if let Some(new) = answer["key"].as_str() {
            assert_eq!(both.post(id, new).await, 202, "{id}");
        }
    }
    // Nobody else is.
    other.send(Message::Text(reading().into())).await.expect("a frame");
    let mut taken = false;
    while !taken {
        let Some(Message::Text(text)) = frame(&mut other).await else { continue };
        taken = text.contains(r#""accepted":1"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_device_was_last_seen_comes_from_its_readings() {
    let mut both = Both::start().await;
    let (over_http, over_mqtt) = (both.register("dev-http").await, both.register("dev-mqtt").await);
    both.register("dev-silent").await;
    let begun = jiff::Timestamp::now();
    assert_eq!(both.post("dev-http", &over_http).await, 202, "{}", both.log());
    // Somebody who is not the device does not make it seen.
    assert_eq!(both.post("dev-silent", "a-wrong-key").await, 401);
    let in_step = || async { both.ask("GET", "/api/v1/devices/dev-mqtt", None).await.1["account"] == "in_step" };
    both.until("the broker knows the device", in_step).await;
    let publish = || {
        let topic = "neurobuild/sensors/dev-mqtt/data";
        assert!(both.broker.publish_as("dev-mqtt", &over_mqtt, topic, reading().as_bytes()));
    };
    // The account of ingestion comes from device-management too: until it is there, messages have no receiver.
    both.until("both were seen", || async {
        publish();
        both.last_seen("dev-http").await.is_some() && both.last_seen("dev-mqtt").await.is_some()
    })
    .await;
    assert!(both.last_seen("dev-http").await.expect("a time") >= begun);
    assert_eq!(both.last_seen("dev-silent").await, None);

    assert_eq!(both.post("dev-http", &over_http).await, 202, "{}", both.log());
    // While the database is away known devices go on, and what was heard is told later, with its own time.
    both.postgres.kill();
    both.until("the database is away", || async { both.ask("GET", "/ready", None).await.0 == 503 }).await;
    let sent = Instant::now();
    assert_eq!(both.post("dev-http", &over_http).await, 202, "{}", both.log());
    assert!(sent.elapsed() < Duration::from_secs(1), "it waited {:?} for the database", sent.elapsed());
    let heard = jiff::Timestamp::now();
    // `DEVICES_FRESH` is how long an answer is believed while the database is there.
    both.until("it goes on for longer than that", || async {
        assert_eq!(both.post("dev-http", &over_http).await, 202, "{}", both.log());
        sent.elapsed() > Duration::from_secs(2)
    })
    .await;
    let last = jiff::Timestamp::now();
    both.postgres.restart();
    both.until("it is told", || async { both.last_seen("dev-http").await.is_some_and(|seen| seen > heard) }).await;
    assert!(both.last_seen("dev-http").await.expect("a time") <= last);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_messages_of_known_devices_pass_those_of_others() {
    let mut both = Both::start().await;
    let (known, other) = (both.register("dev-known").await, both.register("dev-other").await);
    for id in ["dev-known", "dev-other"] {
        let path = format!("/api/v1/devices/{id}");
        both.until("the broker knows it", || async { both.ask("GET", &path, None).await.1["account"] == "in_step" })
            .await;
    }
    let send = |id: &str, key: &str, payload: &str| {
        assert!(both.broker.publish_as(id, key, &format!("neurobuild/sensors/{id}/data"), payload.as_bytes()));
    };
    let publish = |id: &str, key: &str| send(id, key, &reading());
    let accepted = "ingestion_readings_accepted_total";
    both.until("one is known", || async {
        publish("dev-known", &known);
        both.metric(accepted).await >= 1.0
    })
    .await;
    // A session's messages come in their order: behind this one there are no more readings.
    send("dev-known", &known, "{");
    let refused = "ingestion_refused_total{reason=\"malformed\"}";
    both.until("all before it are accepted", || async { both.metric(refused).await == 1.0 }).await;
    let messages = both.metric("ingestion_messages_total{transport=\"mqtt\"}").await;
    let before = both.metric(accepted).await;
    assert_eq!(both.ready().await, 200);
    both.postgres.kill();
    publish("dev-other", &other);
    both.until("it waits", || async { both.metric("ingestion_messages_aside").await == 1.0 }).await;
    let begun = Instant::now();
    publish("dev-known", &known);
    both.until("the known one passes", || async { both.metric(accepted).await == before + 1.0 }).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(both.ready().await, 200, "it can still work for those that it knows");
    both.postgres.restart();
    both.until("the other one is accepted", || async { both.metric(accepted).await == before + 2.0 }).await;
    assert_eq!(both.metric("ingestion_messages_aside").await, 0.0);
    // However often it was looked at.
    assert_eq!(both.metric("ingestion_messages_total{transport=\"mqtt\"}").await, messages + 2.0);
}
