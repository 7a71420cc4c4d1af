//! A run: shares devices out over connections, waits until all have their receipts.

use crate::boot::{Boot, NUMBERS};
use crate::cli::{Run, Transport};
use crate::device::Device;
use crate::hint::Hint;
use crate::ledger::{Entry, Head, Ledger};
use crate::{http, mqtt, mqtt4, socket};
use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::task::JoinSet;

/// What happened so far.
#[derive(Debug, Default)]
pub struct Counts {
    pub sent: AtomicU64,
    pub repeats: AtomicU64,
    pub duplicates: AtomicU64,
    pub malformed: AtomicU64,
    pub receipts: AtomicU64,
    pub refused: AtomicU64,
    /// Broken ones that a receipt covers.
    pub broken: AtomicU64,
    pub reconnects: AtomicU64,
    pub accepted: AtomicU64,
    pub unheard: AtomicU64,
    pub connects: AtomicU64,
}

/// What all devices share.
#[derive(Debug)]
pub struct Shared {
    pub boot: Boot,
    pub counts: Counts,
    /// `--tls-ca`, read.
    pub authority: Option<Vec<u8>>,
    trouble: Mutex<Option<String>>,
    ledger: Mutex<Option<Ledger>>,
}

impl Shared {
    /// Why a connection was not made; the last one is told when not all readings arrive.
    pub fn trouble(&self, text: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// Adds to the ledger.
    pub fn enter(&self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ledger) = ledger.as_mut()
            && ledger.add(entries).is_ok()
        {
            self.counts.accepted.fetch_add(entries.len() as u64, Relaxed);
        }
    }
}

/// How a run went.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub complete: bool,
    pub devices: u32,
    pub messages: u64,
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    pub repeats: u64,
    pub duplicates: u64,
    pub malformed: u64,
    /// Broken ones whose numbers receipts cover.
    pub malformed_settled: u64,
    pub reconnects: u64,
    pub receipts: u64,
    pub connects: u64,
    /// Acknowledged by an MQTT 5 broker that says it had nobody to give it to (reason code 0x10).
    pub unheard: u64,
    pub seconds: f64,
    pub messages_per_second: f64,
    /// When not all arrived: why the last connection failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Runs.
pub async fn run(options: Box<Run>) -> Result<Summary> {
    ensure!(!options.transport.is_empty(), "no transport");
    ensure!(
        !options.no_receipts || options.transport.iter().all(|kind| matches!(kind, Transport::Mqtt | Transport::Mqtt4)),
        "`--no-receipts` is for MQTT: HTTP and WebSocket have no other acknowledgement than receipts"
    );
    ensure!(
        !options.no_receipts || options.same_time == 0.0,
        "`--same-time` needs numbers, and `--no-receipts` has none"
    );
    ensure!(
        options.keys.is_none() || options.connections == 0 || options.mqtt_username.is_some(),
        "devices with their own keys have their own connections: leave `--connections` out, or give the gateways an account"
    );
    let authority = match &options.tls_ca {
        Some(path) => Some(std::fs::read(path).with_context(|| format!("the certificates {}", path.display()))?),
        None => None,
    };
    let (ids, keys) = devices(&options)?;
    let count = ids.len() as u32;
    numbers_suffice(&options, count)?;
    let boot = Boot::begin().await?;
    let ledger = Ledger::create(&options.ledger, &Head { devices: ids.clone(), boot })?;
    let (counts, trouble) = (Counts::default(), Mutex::new(None));
    let shared = Arc::new(Shared { boot, counts, authority, trouble, ledger: Mutex::new(Some(ledger)) });
    let mut devices: Vec<Device> = Vec::with_capacity(ids.len());
    for (number, (id, key)) in ids.into_iter().zip(keys).enumerate() {
        let share =
            options.messages / u64::from(count) + u64::from((number as u64) < options.messages % u64::from(count));
        devices.push(Device::new(number as u32, id, key, share, Arc::clone(&shared)));
    }
    let groups = groups(devices, &options);
    let parts = groups.len();
    let options = Arc::new(*options);
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, (transport, group)) in groups.into_iter().enumerate() {
        let (options, shared) = (Arc::clone(&options), Arc::clone(&shared));
        match transport {
            Transport::Mqtt => tasks.spawn(mqtt::gateway(number, group, options, shared, parts)),
            Transport::Mqtt4 => tasks.spawn(mqtt4::gateway(number, group, options, shared, parts)),
            Transport::Http => tasks.spawn(http::gateway(number, group, options, shared, parts)),
            Transport::Ws => tasks.spawn(socket::gateway(number, group, options, shared, parts)),
        };
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    let in_time = tokio::time::timeout(options.timeout, all).await.is_ok();
    let seconds = begun.elapsed().as_secs_f64();
    tasks.shutdown().await;
    let ledger = shared.ledger.lock().unwrap_or_else(PoisonError::into_inner).take();
    let accepted = ledger.context("the ledger")?.finish()?;
    let counts = &shared.counts;
    let refused = counts.refused.load(Relaxed);
    let complete = in_time && accepted + refused == options.messages;
    let trouble = shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Summary {
        complete,
        devices: count,
        messages: options.messages,
        sent: counts.sent.load(Relaxed),
        accepted,
        refused,
        repeats: counts.repeats.load(Relaxed),
        duplicates: counts.duplicates.load(Relaxed),
        malformed: counts.malformed.load(Relaxed),
        malformed_settled: counts.broken.load(Relaxed),
        reconnects: counts.reconnects.load(Relaxed),
        receipts: counts.receipts.load(Relaxed),
        connects: counts.connects.load(Relaxed),
        unheard: counts.unheard.load(Relaxed),
        seconds,
        messages_per_second: accepted as f64 / seconds,
        trouble: trouble.filter(|_| !complete),
    })
}

/// Whether every device can number what it sends: its share, and a broken message after each of them.
fn numbers_suffice(options: &Run, devices: u32) -> Result<()> {
    let most = u64::from(NUMBERS - 1) / if options.malformed > 0.0 { 2 } else { 1 };
    let share = options.messages.div_ceil(u64::from(devices));
    if share <= most {
        return Ok(());
    }
    let least = options.messages.div_ceil(most);
    Err(anyhow!("a device can number {most} readings, not {share}"))
        .hint(format!("use at least {least} `--devices`, or several runs"))
}

fn devices(options: &Run) -> Result<(Vec<String>, Vec<String>)> {
    let Some(path) = &options.keys else {
        let ids = (0..options.devices).map(|number| format!("{}-{number}", options.name)).collect();
        return Ok((ids, vec![options.key.clone(); options.devices as usize]));
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("the keys {}", path.display()))?;
    let pairs = text.lines().filter_map(|line| line.split_once(' ')).take(options.devices as usize);
    let (ids, keys): (Vec<String>, Vec<String>) = pairs.map(|(id, key)| (id.to_owned(), key.trim().to_owned())).unzip();
    ensure!(!ids.is_empty(), "{} names no device", path.display());
    Ok((ids, keys))
}

/// Who shares a connection. Over HTTP and WebSocket each device has its own, as its key goes with it.
fn groups(devices: Vec<Device>, options: &Run) -> Vec<(Transport, Vec<Device>)> {
    let mut groups: Vec<(Transport, Vec<Device>)> = Vec::new();
    let kinds = options.transport.len();
    let mut of_kind: Vec<Vec<Device>> = (0..kinds).map(|_| Vec::new()).collect();
    for (number, device) in devices.into_iter().enumerate() {
        of_kind[number % kinds].push(device);
    }
    for (kind, devices) in options.transport.iter().zip(of_kind) {
        let gateways = matches!(kind, Transport::Mqtt | Transport::Mqtt4) && options.connections > 0;
        let connections = if gateways { (options.connections as usize).min(devices.len()) } else { devices.len() };
        let first = groups.len();
        groups.extend((0..connections).map(|_| (*kind, Vec::new())));
        for (number, device) in devices.into_iter().enumerate() {
            groups[first + number % connections].1.push(device);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use crate::ledger;

    /// What a run of these arguments says, with nobody to send to.
    async fn said(name: &str, arguments: &str) -> anyhow::Result<(bool, String)> {
        let ledger = std::env::temp_dir().join(format!("iot-sim-run-{name}-{}", std::process::id()));
        let ledger = ledger.display().to_string();
        let mut words = vec!["run", "--ledger", &ledger, "--http", "http://127.0.0.1:1", "--transport", "http"];
        words.extend(arguments.split_whitespace());
        let said = crate::run(&words).await;
        if said.is_ok() {
            ledger::read(ledger.as_ref())?;
            std::fs::remove_file(ledger)?;
        }
        said
    }

    #[tokio::test]
    async fn a_run_that_sends_nothing_leaves_an_empty_ledger() {
        let (complete, summary) = said("away", "--devices 1 --messages 1 --timeout 0.1").await.unwrap();
        assert!(!complete, "{summary}");
    }

    #[tokio::test]
    async fn a_device_has_a_number_for_each_reading() {
        let error = said("many", "--devices 1 --messages 1000000").await.unwrap_err().to_string();
        assert_eq!(
            error,
            "a device can number 999999 readings, not 1000000\nhint: use at least 2 `--devices`, or several runs"
        );
        let error = said("broken", "--devices 2 --messages 1000000 --malformed 0.1").await.unwrap_err().to_string();
        assert!(error.ends_with("hint: use at least 3 `--devices`, or several runs"), "{error}");
    }
}
