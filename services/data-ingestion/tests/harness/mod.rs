//! The servers, the replicas and the simulated devices of a test.
#![expect(clippy::disallowed_methods, reason = "the service and its servers are programs here")]

use iot_support::{ADMIN_PASSWORD, ADMIN_USER, Influx, Mosquitto, Process, Redis, free_port, metric, until};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use support::wait_until;
use tempfile::TempDir;

pub const KEY: &str = "key-of-the-tests";
const ADMIN: &str = "operator-of-the-tests";

/// The whole path.
pub struct Path {
    pub redis: Redis,
    pub influx: Influx,
    pub broker: Mosquitto,
    replicas: Vec<Replica>,
    directory: TempDir,
    client: reqwest::Client,
}

struct Replica {
    port: u16,
    process: Option<Process>,
    variables: Vec<(String, String)>,
    log: std::path::PathBuf,
}

impl Replica {
    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_data-ingestion"));
        command.envs(self.variables.iter().cloned());
        self.process = Process::start(&mut command, &self.log, self.port);
        assert!(
            self.process.is_some(),
            "data-ingestion does not start: {}",
            std::fs::read_to_string(&self.log).unwrap_or_default()
        );
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Value,
}

impl Path {
    pub fn start(replicas: usize) -> Self {
        Self::start_with(replicas, &[])
    }

    /// With more variables for the replicas.
    pub fn start_with(replicas: usize, more: &[(&str, &str)]) -> Self {
        let mut path = Self::servers();
        (0..replicas).for_each(|_| path.add(more));
        path.wait_for_replicas();
        path
    }

    /// Only the servers.
    pub fn servers() -> Self {
        // Mosquitto's own default drops what is beyond 1,000 messages while a replica is away or the stream is full.
        let mut broker =
            Mosquitto::start_with("max_queued_messages 1000000\nmax_inflight_messages 500\nautosave_interval 1\n");
        let (redis, influx) = (Redis::start(), Influx::start());
        // Rights are device-management's matter; here one account may do all.
        broker.allow_all();
        // A server that has refused a long body closes the connection: none is used twice.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        let directory = tempfile::Builder::new().prefix("test-path-").tempdir().expect("a directory");
        Self { redis, influx, broker, replicas: Vec::new(), directory, client }
    }

    /// One more replica, with more variables.
    pub fn add(&mut self, more: &[(&str, &str)]) {
        let port = free_port();
        let mut variables = [self.redis.variables(), self.influx.variables(), self.broker.variables()].concat();
        let own = [
            ("SERVICE_ADDRESS", "127.0.0.1"),
            ("SERVICE_PORT", &port.to_string()),
            ("DEVICES", "any"),
            ("DEVICES_KEY", KEY),
        ];
        let own = own.iter().chain(&[("ADMIN_TOKEN", ADMIN)]).chain(more);
        variables.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let log = self.directory.path().join(format!("replica-{}.log", self.replicas.len()));
        let mut replica = Replica { port, process: None, variables, log };
        replica.start();
        self.replicas.push(replica);
    }

    /// What devices send before anybody has subscribed is acknowledged and dropped.
    pub fn wait_for_replicas(&self) {
        wait_until("all replicas have subscribed", Duration::from_secs(30), || {
            self.broker.log().matches("$share/ingestion/").count() >= self.replicas.len()
        });
    }

    pub fn address(&self, replica: usize) -> String {
        format!("http://127.0.0.1:{}", self.replicas[replica].port)
    }

    fn arguments(&self, more: &str) -> Vec<String> {
        let addresses: Vec<String> = (0..self.replicas.len()).map(|replica| self.address(replica)).collect();
        let broker = format!("127.0.0.1:{}", self.broker.port());
        let ledger = self.ledger();
        let fixed =
            ["run", "--key", KEY, "--mqtt", &broker, "--mqtt-username", ADMIN_USER, "--mqtt-password", ADMIN_PASSWORD];
        let mut all: Vec<String> = fixed.iter().map(|&word| word.to_owned()).collect();
        all.extend(["--http".to_owned(), addresses.join(","), "--ledger".to_owned(), ledger]);
        if !more.contains("--timeout") {
            all.extend(["--timeout".to_owned(), "90".to_owned()]);
        }
        all.extend(more.split_whitespace().map(str::to_owned));
        all
    }

    fn ledger(&self) -> String {
        self.directory.path().join("ledger").display().to_string()
    }

    /// Lets simulated devices send until all have receipts.
    pub async fn simulate(&self, more: &str) -> Value {
        self.simulate_apart(more).await.expect("the simulation")
    }

    /// The same beside the test.
    pub fn simulate_apart(&self, more: &str) -> tokio::task::JoinHandle<Value> {
        let arguments = self.arguments(more);
        tokio::spawn(async move {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (_, text) = iot_sim::run(&words).await.expect("the simulation");
            serde_json::from_str(&text).expect("JSON")
        })
    }

    /// The ledger must equal InfluxDB.
    pub async fn verify(&self) -> String {
        let (equal, text) = iot_sim::run(&["verify", "--ledger", &self.ledger(), "--influx", &self.influx.url()])
            .await
            .expect("InfluxDB");
        assert!(equal, "the ledger is not what InfluxDB holds: {text}\n{}", self.logs());
        text
    }

    pub fn kill_replica(&mut self, replica: usize) {
        if let Some(process) = self.replicas[replica].process.take() {
            process.kill();
        }
    }

    pub fn freeze(&self, replica: usize) {
        self.replicas[replica].process.as_ref().expect("it runs").signal(rustix::process::Signal::STOP);
    }

    /// A metric's value; 0 when it is not there.
    pub async fn metric(&self, replica: usize, name: &str) -> f64 {
        let Ok(answer) = self.client.get(format!("{}/metrics", self.address(replica))).send().await else { return 0.0 };
        let text = answer.text().await.unwrap_or_default();
        metric(&text, name)
    }

    pub async fn until<F: Future<Output = bool>>(&self, what: &str, check: impl Fn() -> F) {
        until(what, Duration::from_secs(60), || self.logs(), check).await;
    }

    /// A reading of two sensors.
    pub fn reading(&self, seq: u64, numbered: bool) -> String {
        let time = jiff::Timestamp::now().as_nanosecond();
        let number = if numbered { format!(r#""seq":{},"boot":"b","#, seq.max(1)) } else { String::new() };
        format!(
            r#"{{"timestamp":{time},{number}"sensors":{{"pir":{{"motion_detected":true}},"mq134":{{"gas_concentration":3}}}}}}"#
        )
    }

    pub async fn post(&self, replica: usize, path: &str, device: &str, body: &str) -> Answer {
        self.post_with_key(replica, path, device, KEY, body).await
    }

    pub async fn post_with_key(&self, replica: usize, path: &str, device: &str, key: &str, body: &str) -> Answer {
        let request = self.client.post(format!("{}{path}", self.address(replica))).basic_auth(device, Some(key));
        answer(request.header("Content-Type", "application/json").body(body.to_owned())).await
    }

    pub async fn post_gzip(&self, replica: usize, path: &str, device: &str, body: &[u8]) -> Answer {
        let request = self.client.post(format!("{}{path}", self.address(replica))).basic_auth(device, Some(KEY));
        answer(
            request.header("Content-Encoding", "gzip").header("Content-Type", "application/json").body(body.to_vec()),
        )
        .await
    }

    pub async fn post_as_operator(&self, replica: usize, path: &str) -> Answer {
        answer(self.client.post(format!("{}{path}", self.address(replica))).bearer_auth(ADMIN)).await
    }

    pub async fn json(&self, replica: usize, path: &str) -> Value {
        answer(self.client.get(format!("{}{path}", self.address(replica)))).await.body
    }

    pub async fn json_of(&self, replica: usize, path: &str, device: &str) -> Value {
        answer(self.client.get(format!("{}{path}", self.address(replica))).basic_auth(device, Some(KEY))).await.body
    }

    pub async fn dead_letters(&self, replica: usize) -> Vec<Value> {
        let request =
            self.client.get(format!("{}/api/v1/dead-letters?limit=500", self.address(replica))).bearer_auth(ADMIN);
        answer(request).await.body["items"].as_array().cloned().unwrap_or_default()
    }

    /// Writes a line past the service.
    pub async fn write_line(&self, line: &str) {
        let request = self.client.post(format!("{}/write?db=iot", self.influx.url())).body(line.to_owned());
        assert!(request.send().await.expect("InfluxDB").status().is_success());
    }

    /// Publishes with QoS 1, by another program than ours.
    pub fn publish(&self, topic: &str, payload: &str) {
        assert!(self.broker.publish(topic, payload.as_bytes()));
    }

    /// The writers' names with how many entries each has read and not settled.
    pub fn pending(&self) -> Vec<(String, u64)> {
        let answer = self.redis.command(&["XINFO", "CONSUMERS", "readings", "writers"]);
        let words: Vec<&str> = answer.lines().collect();
        let value = |at: usize, name: &str| (words.get(at) == Some(&name)).then(|| words.get(at + 1)).flatten();
        let names: Vec<&&str> = (0..words.len()).filter_map(|at| value(at, "name")).collect();
        let counts = (0..words.len()).filter_map(|at| value(at, "pending")?.parse().ok());
        names.into_iter().map(|name| (*name).to_owned()).zip(counts).collect()
    }

    /// The most memory that a replica ever had resident, in bytes.
    pub fn peak_memory(&self, replica: usize) -> u64 {
        self.replicas[replica].process.as_ref().expect("it runs").peak_memory()
    }

    /// Readings without numbers, as one body.
    pub fn batch(&self, readings: u64) -> String {
        let all: Vec<String> = (0..readings).map(|seq| self.reading(seq, false)).collect();
        format!("[{}]", all.join(","))
    }

    pub fn logs(&self) -> String {
        let tail = |text: String| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        self.replicas
            .iter()
            .map(|replica| tail(std::fs::read_to_string(&replica.log).unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("\n--\n")
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.expect("data-ingestion");
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let text = answer.text().await.unwrap_or_default();
    Answer { status, retry_after, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// What data-ingestion says when it does not start.
pub fn refuses_to_start(redis: &Redis, influx: &Influx, more: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_data-ingestion"));
    command.envs(redis.variables()).envs(influx.variables()).envs(more.iter().copied());
    command.env("SERVICE_PORT", "0").env("MQTT_ENABLED", "false").env("DEVICES", "any").env("DEVICES_KEY", KEY);
    let output = command.output().expect("data-ingestion");
    assert!(!output.status.success());
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A result that people want to see: with `--nocapture`.
#[expect(clippy::print_stderr, reason = "the figure of a measurement")]
pub fn say(text: &str) {
    eprintln!("{text}");
}
