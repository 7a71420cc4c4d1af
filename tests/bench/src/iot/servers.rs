//! The servers that all peers use: Mosquitto, Redis, InfluxDB with the tap before it. New ones for each peer.

use super::peer::Peer;
use super::tap::Tap;
use super::usage::Usage;
use anyhow::{Context, Result};
use iot_support::{Influx, Process, Redis, free_port, installed};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The servers.
pub struct Servers {
    /// For us: append-only.
    pub redis: Redis,
    /// Where points go in the end.
    pub influx: Influx,
    /// What peers take for InfluxDB.
    pub tap: Tap,
    /// Where Mosquitto listens.
    pub mqtt: u16,
    _mosquitto: Process,
    /// For configurations and logs.
    pub place: TempDir,
}

impl Servers {
    /// Starts them for this peer.
    ///
    /// # Errors
    /// Mosquitto does not come up.
    pub async fn start(peer: Peer) -> Result<Self> {
        let place = tempfile::Builder::new().prefix("bench-iot-").tempdir()?;
        let (redis, influx) = (Redis::start_with(&["--appendfsync", peer.durability()]), Influx::start());
        let mqtt = free_port();
        let mosquitto = mosquitto(place.path(), mqtt)?;
        let tap = Tap::open(influx.url()).await?;
        Ok(Self { redis, influx, tap, mqtt, _mosquitto: mosquitto, place })
    }

    /// What Redis has used.
    ///
    /// # Errors
    /// It has ended.
    pub fn redis_usage(&self) -> Result<Usage> {
        Usage::of(self.redis.process().context("Redis runs")?.id())
    }

    /// How many readings InfluxDB holds.
    pub fn stored(&self) -> u64 {
        let answer = self.influx.query("SELECT count(presence_detected) FROM ld2410_presence");
        answer.lines().nth(1).and_then(|line| line.rsplit(',').next()?.parse().ok()).unwrap_or(0)
    }
}

/// Without accounts and without a store of its own: what it does is the same for all. It may queue and send as much as it likes.
fn mosquitto(place: &Path, port: u16) -> Result<Process> {
    let user = if rustix::process::geteuid().is_root() { "user root\n" } else { "" };
    let lines = format!(
        "{user}listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\nmax_queued_messages 0\n\
         max_inflight_messages 4000\nset_tcp_nodelay true\n"
    );
    let file = place.join("mosquitto.conf");
    std::fs::write(&file, lines)?;
    let mut command = Command::new(installed("mosquitto"));
    command.arg("-c").arg(file);
    Process::start(&mut command, &place.join("mosquitto.log"), port).context("Mosquitto ends at once")
}
