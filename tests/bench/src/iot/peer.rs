//! Who brings readings from MQTT to InfluxDB.

use super::cores::on_first;
use super::ready;
use super::servers::Servers;
use super::usage::Usage;
use anyhow::{Context, Result, ensure};
use iot_support::{Process, free_port};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::wait_until;

/// Points in a write, at most.
const BATCH: usize = 1024;

/// How long Telegraf's writes that are not full wait for more; ours as by default, which makes more writes of fewer points.
const LINGER: &str = "20ms";

/// One who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// data-ingestion.
    Ours,
    /// The same when readings have numbers and their devices get receipts.
    OursWithReceipts,
    /// The same with a Redis that is at the disk every second, not with every write.
    OursEverySecond,
    /// Telegraf.
    Telegraf,
}

/// A peer that runs, on the first processor.
pub struct Running {
    process: Process,
    /// From its start until it was ready.
    pub ready_after: Duration,
}

impl Peer {
    /// What the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "data-ingestion",
            Self::OursWithReceipts => "data-ingestion, with receipts",
            Self::OursEverySecond => "data-ingestion, everysec",
            Self::Telegraf => "Telegraf",
        }
    }

    /// Starts it; returns when it has its subscription.
    ///
    /// # Errors
    /// It is not built, or does not start.
    pub fn start(self, servers: &Servers) -> Result<Running> {
        let begun = Instant::now();
        match self {
            Self::Telegraf => telegraf(servers, begun),
            _ => ours(servers, begun, self.durability()),
        }
    }

    /// Whether readings have numbers.
    pub fn has_numbers(self) -> bool {
        self == Self::OursWithReceipts
    }

    /// `appendfsync` of its Redis.
    pub fn durability(self) -> &'static str {
        if self == Self::OursEverySecond { "everysec" } else { "always" }
    }
}

fn ours(servers: &Servers, begun: Instant, durability: &str) -> Result<Running> {
    let port = free_port();
    let mut command = on_first(program("data-ingestion")?);
    command.envs(servers.redis.variables()).env("REDIS_DURABILITY", durability);
    command.env("INFLUXDB_URL", servers.tap.url()).env("INFLUXDB_DATABASE", iot_support::DATABASE);
    command.env("MQTT_HOST", "127.0.0.1").env("MQTT_PORT", servers.mqtt.to_string()).env("MQTT_IN_FLIGHT", "1000");
    command.env("SERVICE_ADDRESS", "127.0.0.1").env("SERVICE_PORT", port.to_string());
    command.env("DEVICES", "any").env("DEVICES_KEY", "of-the-benchmark");
    // An entry of the stream has up to 256 messages.
    command.env("BATCH_ENTRIES", (BATCH / 256).to_string());
    let log = servers.place.path().join("data-ingestion.log");
    let process = Process::start(&mut command, &log, port).context("data-ingestion ends at once")?;
    let ready_after = ready::after(port, begun);
    connected(&log, r#""connected""#);
    Ok(Running { process, ready_after })
}

fn telegraf(servers: &Servers, begun: Instant) -> Result<Running> {
    let program = support::tools().join("telegraf");
    ensure!(program.is_file(), "{} is missing: run `scripts/tools.sh telegraf`", program.display());
    let configuration = servers.place.path().join("telegraf.conf");
    let text = include_str!("telegraf.conf")
        .replace("{mqtt}", &servers.mqtt.to_string())
        .replace("{influxdb}", &servers.tap.url())
        .replace("{database}", iot_support::DATABASE)
        .replace("{batch}", &BATCH.to_string())
        .replace("{linger}", LINGER);
    std::fs::write(&configuration, text)?;
    let mut command = on_first(program);
    command.arg(configuration);
    let log = servers.place.path().join("telegraf.log");
    // It listens nowhere: the broker's port answers at once.
    let process = Process::start(&mut command, &log, servers.mqtt).context("Telegraf ends at once")?;
    connected(&log, "Connected");
    Ok(Running { process, ready_after: begun.elapsed() })
}

/// The program that cargo built beside this one.
pub fn program(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let path = this.ancestors().nth(2).context("a benchmark lies in target/<profile>/deps")?.join(name);
    ensure!(path.is_file(), "{} is missing: run `cargo build --release --package {name}`", path.display());
    Ok(path)
}

fn connected(log: &std::path::Path, word: &str) {
    wait_until("the broker has let it in", Duration::from_secs(30), || {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        if text.contains(word) { Ok(()) } else { Err(text) }
    });
}

impl Running {
    /// What it has used.
    ///
    /// # Errors
    /// It has ended.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.process.id()).context("it has ended")
    }

    /// Ends it in order, so that the broker keeps its session.
    pub fn stop(self) {
        self.process.stop();
    }
}
