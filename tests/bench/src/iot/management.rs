//! device-management, which has no peer: how soon it is ready, and what it needs when there is nothing to do.

use super::cores::on_first;
use super::peer::program;
use super::ready;
use super::usage::Usage;
use anyhow::{Context, Result};
use iot_support::{Mosquitto, Postgres, Process, free_port};
use std::time::{Duration, Instant};

/// How long after its start it was ready, and what it uses then.
///
/// # Errors
/// A server or the service does not start.
pub async fn idle() -> Result<(Duration, Usage)> {
    let (postgres, mosquitto) = (Postgres::start(), Mosquitto::start());
    let place = tempfile::tempdir()?;
    // The first start makes the tables: that is not what every later one does.
    let mut last = None;
    for _ in 0..2 {
        let (port, begun) = (free_port(), Instant::now());
        let mut command = on_first(program("device-management")?);
        command.envs(postgres.variables()).envs(mosquitto.variables());
        command.env("SERVICE_ADDRESS", "127.0.0.1").env("SERVICE_PORT", port.to_string());
        command.env("ADMIN_TOKEN", "of-an-administrator-in-a-benchmark").env("OUTBOX_KEY", "ab".repeat(32));
        let process = Process::start(&mut command, &place.path().join("log"), port);
        let log = || std::fs::read_to_string(place.path().join("log")).unwrap_or_default();
        let process = process.with_context(|| format!("device-management ends at once: {}", log()))?;
        let after = ready::after(port, begun);
        tokio::time::sleep(Duration::from_secs(5)).await;
        last = Some((after, Usage::of(process.id())?));
        process.stop();
    }
    last.context("it was started")
}
