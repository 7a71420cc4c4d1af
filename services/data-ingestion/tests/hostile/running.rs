//! One replica with its servers, its devices in PostgreSQL as device-management keeps them.

use data_encoding::BASE64;
use futures::{SinkExt, StreamExt};
use iot_support::{Influx, Mosquitto, Postgres, Process, Redis, free_port, metric, until};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub const DEVICE: &str = "esp-1";
const KEY: &str = "key-of-the-tests";
const ADMIN: &str = "operator-of-the-tests";
/// `PAYLOAD_LIMIT`
pub const PAYLOAD: usize = 64 * 1024;

pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub struct Running {
    pub broker: Mosquitto,
    pub port: u16,
    pub influx: Influx,
    pub postgres: Postgres,
    _redis: Redis,
    process: Process,
    client: reqwest::Client,
    directory: TempDir,
}

impl Running {
    pub async fn start(more: &[(&str, &str)]) -> Self {
        let (redis, influx, postgres) = (Redis::start(), Influx::start(), Postgres::start());
        register(&postgres);
        // The broker refuses what would be too long for the service, so that the device hears of it.
        let mut broker =
            Mosquitto::start_with(&format!("max_inflight_messages 500\nmax_packet_size {}\n", 2 * PAYLOAD));
        // Rights are device-management's matter; here one account may do all.
        broker.allow_all();
        let directory = tempfile::Builder::new().prefix("test-hostile-").tempdir().expect("a directory");
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_data-ingestion"));
        command.envs(redis.variables()).envs(influx.variables()).envs(postgres.variables()).envs(broker.variables());
        command.env("SERVICE_ADDRESS", "127.0.0.1").env("SERVICE_PORT", port.to_string()).env("ADMIN_TOKEN", ADMIN);
        command.env("PAYLOAD_LIMIT", PAYLOAD.to_string()).envs(more.iter().copied());
        let process = Process::start(&mut command, &directory.path().join("log"), port).expect("data-ingestion");
        // A server that has refused a long body closes the connection: none is used twice.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        let running = Self { broker, port, influx, postgres, _redis: redis, process, client, directory };
        running
            .until("it hears the broker", || async { running.metric("ingestion_mqtt_connected").await == 1.0 })
            .await;
        running
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Status and problem of a post by the device.
    pub async fn post(&self, path: &str, body: Vec<u8>, encoding: Option<&str>) -> (u16, Value) {
        self.post_with(path, body, encoding.map(|encoding| ("Content-Encoding", encoding))).await
    }

    /// The same with a header.
    pub async fn post_with(&self, path: &str, body: Vec<u8>, header: Option<(&str, &str)>) -> (u16, Value) {
        let mut request = self.client.post(self.address(path)).header("Authorization", authorization()).body(body);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or(Value::Null))
    }

    /// The same as somebody else.
    pub async fn post_as(&self, device: &str, key: &str) -> u16 {
        let request = self.client.post(self.address("/api/v1/sensor-data")).basic_auth(device, Some(key));
        request.body(reading()).send().await.expect("an answer").status().as_u16()
    }

    pub async fn socket(&self) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://127.0.0.1:{}/api/v1/stream", self.port).into_client_request()?;
        request.headers_mut().insert("Authorization", authorization().parse().expect("a header"));
        Ok(tokio_tungstenite::connect_async(request).await?.0)
    }

    /// A metric's value, by its name with labels; 0 when it is not there.
    pub async fn metric(&self, name: &str) -> f64 {
        let Ok(answer) = self.client.get(self.address("/metrics")).send().await else { return 0.0 };
        let text = answer.text().await.unwrap_or_default();
        metric(&text, name)
    }

    pub async fn refused(&self, reason: &str) -> f64 {
        self.metric(&format!("ingestion_refused_total{{reason=\"{reason}\"}}")).await
    }

    /// The receipts of the device.
    pub async fn receipts(&self) -> Value {
        let request = self.client.get(self.address("/api/v1/receipts")).header("Authorization", authorization());
        let text = request.send().await.expect("an answer").text().await.expect("an answer");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Tries a dead letter again, as the operator.
    pub async fn replay(&self, letter: &Value) -> (u16, Value) {
        let path = format!("/api/v1/dead-letters/{}/replay", letter["id"].as_str().expect("an id"));
        let answer = self.client.post(self.address(&path)).bearer_auth(ADMIN).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap_or_default()).unwrap_or(Value::Null))
    }

    pub async fn dead_letters(&self) -> Vec<Value> {
        let request = self.client.get(self.address("/api/v1/dead-letters?limit=500")).bearer_auth(ADMIN);
        let text = request.send().await.expect("an answer").text().await.expect("an answer");
        let page: Value = serde_json::from_str(&text).expect("JSON");
        page["items"].as_array().cloned().unwrap_or_default()
    }

    /// Publishes with QoS 1, by another program than ours; whether the broker took it.
    pub fn publish(&self, topic: &str, payload: &[u8]) -> bool {
        self.broker.publish(topic, payload)
    }

    pub async fn until<F: Future<Output = bool>>(&self, what: &str, check: impl Fn() -> F) {
        until(what, Duration::from_secs(60), || self.log(), check).await;
    }

    /// A good reading must still go all the way, over all ways in; the process is the same, and small.
    pub async fn is_well(&self) {
        let before = self.metric("ingestion_readings_accepted_total").await;
        let (status, answer) = self.post("/api/v1/sensor-data", reading().into(), None).await;
        assert_eq!(status, 202, "{answer}");
        let mut socket = self.socket().await.expect("a WebSocket");
        socket.send(Message::Text(reading().into())).await.expect("a frame");
        while !next(&mut socket).await.contains("accepted") {}
        assert!(self.publish(&format!("neurobuild/sensors/{DEVICE}/data"), reading().as_bytes()));
        self.until("all three are accepted", || async {
            self.metric("ingestion_readings_accepted_total").await >= before + 3.0
        })
        .await;
        self.until("they are stored", || async {
            self.influx.query("SELECT count(motion_detected) FROM pir_motion").contains("pir_motion")
                && self.metric("ingestion_stream_entries").await == 0.0
        })
        .await;
        assert_eq!(self.metric("http_panics_total").await, 0.0);
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
    }

    /// The most memory that it ever had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.process.peak_memory()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// As device-management would: its tables, two devices, one of them suspended.
fn register(postgres: &Postgres) {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../device-management/migrations");
    let mut files: Vec<_> =
        std::fs::read_dir(migrations).expect("migrations").filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    for file in files {
        postgres.psql("iotdb", &std::fs::read_to_string(file).expect("a migration"));
    }
    register_device(postgres, DEVICE, "active");
    register_device(postgres, "esp-suspended", "suspended");
}

pub fn register_device(postgres: &Postgres, id: &str, state: &str) {
    let device = format!("INSERT INTO devices (id, type, state) VALUES ('{id}', 'ESP32-S3', '{state}')");
    let key =
        format!("INSERT INTO credentials (id, device_id, hash) VALUES (gen_random_uuid(), '{id}', sha256('{KEY}'))");
    postgres.psql("iotdb", &format!("{device}; {key}"));
}

pub fn authorization() -> String {
    format!("Basic {}", BASE64.encode(format!("{DEVICE}:{KEY}").as_bytes()))
}

pub fn key() -> &'static str {
    KEY
}

pub fn now() -> i128 {
    jiff::Timestamp::now().as_nanosecond()
}

/// A good one.
pub fn reading() -> String {
    format!(r#"{{"timestamp":{},"sensors":{{"pir":{{"motion_detected":true}}}}}}"#, now())
}

/// The next text frame.
pub async fn next(socket: &mut Socket) -> String {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.expect("a frame within 30 s");
        match frame {
            Some(Ok(Message::Text(text))) => return text.to_string(),
            Some(Ok(_)) => {}
            other => return format!("ended: {other:?}"),
        }
    }
}
