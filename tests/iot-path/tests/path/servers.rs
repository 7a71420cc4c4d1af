//! All servers and services of the path, each of which can be killed and started again.

use iot_support::{Authority, Influx, Mosquitto, Postgres, Process, Redis, free_port};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Of device-management.
pub const TOKEN: &str = "of-an-administrator-in-a-test";
const INGESTION_PASSWORD: &str = "of-ingestion";

/// Lines of `mosquitto.conf(5)`: its own bound, 1,000 messages a session, drops what is beyond while a replica is away.
const QUEUES: &str = "max_queued_messages 1000000\nmax_inflight_messages 500\n";
/// How often Mosquitto saves its sessions, where a test is not about that.
pub const SAVED_EACH_SECOND: &str = "autosave_interval 1\n";

/// Who can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    Mosquitto,
    Redis,
    InfluxDb,
    PostgreSql,
    DeviceManagement,
    Ingestion(usize),
}

impl Victim {
    pub const ALL: [Self; 7] = [
        Self::Mosquitto,
        Self::Redis,
        Self::InfluxDb,
        Self::PostgreSql,
        Self::DeviceManagement,
        Self::Ingestion(0),
        Self::Ingestion(1),
    ];
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ingestion(replica) => write!(f, "data-ingestion {replica}"),
            Self::DeviceManagement => f.write_str("device-management"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// A process of ours.
struct Service {
    port: u16,
    process: Option<Process>,
    variables: Vec<(String, String)>,
    log: PathBuf,
}

impl Service {
    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iot-service"));
        command.env_clear().envs(self.variables.iter().cloned());
        // What the one before said is kept: why something went wrong stands there.
        let log = self.log.with_extension("log.new");
        self.process = Process::start(&mut command, &log, self.port);
        assert!(self.process.is_some(), "a service does not start: {}", read(&log));
    }

    fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
            let mut all = read(&self.log);
            all.push_str(&read(&self.log.with_extension("log.new")));
            let from = all.len().saturating_sub(64 * 1024);
            let _ = std::fs::write(&self.log, all.get(from..).unwrap_or_default());
        }
    }

    fn said(&self) -> String {
        read(&self.log) + &read(&self.log.with_extension("log.new"))
    }
}

fn read(path: &std::path::Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// All of them.
pub struct Servers {
    pub broker: Mosquitto,
    pub redis: Redis,
    pub influx: Influx,
    pub postgres: Postgres,
    management: Service,
    replicas: Vec<Service>,
    pub authority: Option<Authority>,
    pub directory: TempDir,
}

impl Servers {
    /// With two replicas of data-ingestion, and these lines of `mosquitto.conf(5)`.
    pub fn start(broker: &str) -> Self {
        Self::start_with(broker, None)
    }

    /// The same, everything that talks to the broker over TLS.
    pub fn start_encrypted(broker: &str) -> Self {
        Self::start_with(broker, Some(Authority::new("authority of the test")))
    }

    fn start_with(broker: &str, authority: Option<Authority>) -> Self {
        let encryption = authority.as_ref().map(Authority::mosquitto).unwrap_or_default();
        let broker = Mosquitto::start_with(&format!("{QUEUES}{broker}{encryption}"));
        let (postgres, redis, influx) = (Postgres::start(), Redis::start(), Influx::start());
        let directory = tempfile::Builder::new().prefix("test-path-").tempdir().expect("a directory");
        let mut common = [postgres.variables(), broker.variables()].concat();
        common.push(("SERVICE_ADDRESS".to_owned(), "127.0.0.1".to_owned()));
        if let Some(authority) = &authority {
            common.push(("MQTT_TLS".to_owned(), "true".to_owned()));
            common.push(("MQTT_TLS_CA".to_owned(), authority.certificate().display().to_string()));
        }
        let service = |kind: &str, log: &str, more: &[(String, String)]| {
            let port = free_port();
            let mut variables = [&common[..], more].concat();
            variables
                .extend([("IOT_SERVICE".to_owned(), kind.to_owned()), ("SERVICE_PORT".to_owned(), port.to_string())]);
            Service { port, process: None, variables, log: directory.path().join(format!("{log}.log")) }
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let management = service(
            "device-management",
            "device-management",
            &[
                pair("ADMIN_TOKEN", TOKEN),
                pair("OUTBOX_KEY", &"0b".repeat(32)),
                pair("MQTT_INGESTION_PASSWORD", INGESTION_PASSWORD),
            ],
        );
        let mut ingestion = [redis.variables(), influx.variables()].concat();
        // Later ones win over the administrator's account that device-management has.
        ingestion.extend([pair("MQTT_USERNAME", "data-ingestion"), pair("MQTT_PASSWORD", INGESTION_PASSWORD)]);
        let replicas = (0..2).map(|n| service("data-ingestion", &format!("data-ingestion-{n}"), &ingestion)).collect();
        let mut servers = Self { broker, redis, influx, postgres, management, replicas, authority, directory };
        servers.management.start();
        servers.replicas.iter_mut().for_each(Service::start);
        // What devices send before anybody has subscribed is acknowledged and dropped.
        support::wait_until("both replicas have subscribed", Duration::from_secs(30), || {
            servers.broker.log().matches("$share/ingestion/").count() >= 2
        });
        servers
    }

    pub fn management(&self) -> String {
        format!("http://127.0.0.1:{}", self.management.port)
    }

    pub fn replica(&self, replica: usize) -> String {
        format!("http://127.0.0.1:{}", self.replicas[replica].port)
    }

    /// With which variables a replica runs, to start one that differs.
    pub fn ingestion_variables(&self) -> Vec<(String, String)> {
        self.replicas[0].variables.clone()
    }

    /// The same of device-management.
    pub fn management_variables(&self) -> Vec<(String, String)> {
        self.management.variables.clone()
    }

    /// SIGKILL.
    pub fn kill(&mut self, victim: Victim) {
        match victim {
            Victim::Mosquitto => self.broker.kill(),
            Victim::Redis => self.redis.kill(),
            Victim::InfluxDb => self.influx.kill(),
            Victim::PostgreSql => self.postgres.kill(),
            Victim::DeviceManagement => self.management.kill(),
            Victim::Ingestion(replica) => self.replicas[replica].kill(),
        }
    }

    pub fn restart(&mut self, victim: Victim) {
        match victim {
            Victim::Mosquitto => self.broker.restart(),
            Victim::Redis => self.redis.restart(),
            Victim::InfluxDb => self.influx.restart(),
            Victim::PostgreSql => self.postgres.restart(),
            Victim::DeviceManagement => self.management.start(),
            Victim::Ingestion(replica) => self.replicas[replica].start(),
        }
    }

    /// What the services said last.
    pub fn logs(&self) -> String {
        let services = std::iter::once(&self.management).chain(&self.replicas);
        let tail = |service: &Service| {
            let text = service.said();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        services.map(tail).collect::<Vec<_>>().join("\n--\n")
    }
}

/// Kills at random.
pub struct Killer {
    random: StdRng,
    among: Vec<Victim>,
    /// Who is still to be killed before all are again.
    round: Vec<Victim>,
    /// Milliseconds from one time to the next.
    pause: std::ops::Range<u64>,
    pub kills: BTreeMap<Victim, usize>,
}

impl Killer {
    pub fn new(seed: u64, among: &[Victim], pause: std::ops::Range<u64>) -> Self {
        let kills = among.iter().map(|victim| (*victim, 0)).collect();
        Self { random: StdRng::seed_from_u64(seed), among: among.to_vec(), round: Vec::new(), pause, kills }
    }

    /// Lets them live for a moment, then kills one, or sometimes two at once, and starts it again after another moment.
    pub fn strike(&mut self, servers: &mut Servers) {
        pass(Duration::from_millis(self.random.random_range(self.pause.clone())));
        let most = if self.random.random_bool(0.25) { 2 } else { 1 };
        let victims: Vec<Victim> = (0..most).map(|_| self.next()).collect();
        for victim in &victims {
            servers.kill(*victim);
            *self.kills.entry(*victim).or_default() += 1;
            pass(Duration::from_millis(self.random.random_range(0..100)));
        }
        // Mostly short, now and then longer than leases and takeovers take.
        let away = if self.random.random_bool(0.1) { 2_000..8_000 } else { 0..800 };
        pass(Duration::from_millis(self.random.random_range(away)));
        for victim in victims {
            servers.restart(victim);
        }
    }

    /// Each once in random order, then all again.
    fn next(&mut self) -> Victim {
        if self.round.is_empty() {
            self.round.clone_from(&self.among);
            self.round.shuffle(&mut self.random);
        }
        self.round.pop().expect("somebody to kill")
    }

    /// How many in all.
    pub fn all(&self) -> usize {
        self.kills.values().sum()
    }

    /// How many of whom.
    pub fn told(&self) -> String {
        let each: Vec<String> = self.kills.iter().map(|(victim, kills)| format!("{victim} {kills}")).collect();
        format!("{} kills ({})", self.all(), each.join(", "))
    }
}

/// Lets time pass: here it is the event itself that is waited for.
#[expect(clippy::disallowed_methods, reason = "how long a server lives or is away is the input of the test")]
pub fn pass(time: Duration) {
    std::thread::sleep(time);
}
