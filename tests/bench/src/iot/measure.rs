//! The measurements, each with servers and a process of its own.

use super::load::Load;
use super::peer::{Peer, Running};
use super::servers::Servers;
use super::tap::Seen;
use super::usage::Usage;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Messages that wait in the broker when a peer comes back: enough that starting does not count.
const QUEUED: u64 = 60_000;
/// Messages a second of the steady measurement.
pub const RATE: u64 = 1_000;
/// Messages of the steady measurement.
const STEADY: u64 = 20_000;
/// Messages that come while InfluxDB is away.
const HELD: u64 = 40_000;
/// All must be in InfluxDB after this.
const LONGEST: Duration = Duration::from_secs(300);

/// How a peer did with a number of messages.
#[derive(Debug, Clone)]
pub struct Done {
    /// How many.
    pub messages: u64,
    /// How long it took.
    pub took: Duration,
    /// What the peer used.
    pub used: Usage,
    /// What Redis used.
    pub redis: Usage,
    /// What InfluxDB was sent.
    pub seen: Seen,
}

impl Done {
    /// Processor time per message.
    pub fn each(&self) -> Duration {
        self.used.processor.div_f64(self.messages as f64)
    }

    /// Processor time of Redis per message.
    pub fn redis_each(&self) -> Duration {
        self.redis.processor.div_f64(self.messages as f64)
    }

    /// The delay that a share of the points stays below.
    pub fn delay(&self, share: f64) -> Duration {
        let mut delays = self.seen.delays.clone();
        delays.sort_unstable();
        let last = delays.len().saturating_sub(1);
        delays.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }
}

/// Everything that waits in the broker, as fast as it goes.
///
/// # Errors
/// A server or the peer fails.
pub async fn drain(peer: Peer) -> Result<Done> {
    let servers = Servers::start(peer).await?;
    // The broker keeps the session from now on.
    start(peer, &servers).await?.stop();
    Load { messages: QUEUED, rate: None, numbered: peer.has_numbers() }.send(servers.mqtt).await?;
    let before = Looked::at(&servers, None)?;
    let running = start(peer, &servers).await?;
    let done = before.until_stored(&servers, &running, QUEUED).await?;
    tokio::task::block_in_place(|| running.stop());
    Ok(done)
}

/// A thousand messages a second.
///
/// # Errors
/// As of [`drain`].
pub async fn steady(peer: Peer) -> Result<Done> {
    let servers = Servers::start(peer).await?;
    let running = start(peer, &servers).await?;
    let before = Looked::at(&servers, Some(&running))?;
    Load { messages: STEADY, rate: Some(RATE), numbered: peer.has_numbers() }.send(servers.mqtt).await?;
    before.until_stored(&servers, &running, STEADY).await
}

/// What a peer needs while InfluxDB is away and it takes messages nevertheless; all of them must be stored afterwards.
///
/// # Errors
/// As of [`drain`].
pub async fn away(peer: Peer) -> Result<Done> {
    let servers = Servers::start(peer).await?;
    servers.tap.close(true);
    let running = start(peer, &servers).await?;
    let before = Looked::at(&servers, Some(&running))?;
    Load { messages: HELD, rate: Some(4 * RATE), numbered: false }.send(servers.mqtt).await?;
    // It has what it will get, and has tried to write it.
    sleep(Duration::from_secs(5)).await;
    let held = running.usage()?;
    let redis = servers.redis_usage()?;
    servers.tap.close(false);
    let mut done = before.until_stored(&servers, &running, HELD).await?;
    done.used = held;
    done.redis = redis;
    Ok(done)
}

/// What a peer needs when there is nothing to do.
///
/// # Errors
/// As of [`drain`].
pub async fn idle(peer: Peer) -> Result<(Duration, Usage)> {
    let servers = Servers::start(peer).await?;
    let running = start(peer, &servers).await?;
    sleep(Duration::from_secs(5)).await;
    Ok((running.ready_after, running.usage()?))
}

/// Starting waits with the thread, and the tap must go on.
async fn start(peer: Peer, servers: &Servers) -> Result<Running> {
    tokio::task::block_in_place(|| peer.start(servers))
}

/// What everybody had used at the beginning.
struct Looked {
    begun: Instant,
    peer: Usage,
    redis: Usage,
}

impl Looked {
    fn at(servers: &Servers, running: Option<&Running>) -> Result<Self> {
        servers.tap.take();
        let peer = running.map(Running::usage).transpose()?.unwrap_or_default();
        Ok(Self { begun: Instant::now(), peer, redis: servers.redis_usage()? })
    }

    async fn until_stored(self, servers: &Servers, running: &Running, messages: u64) -> Result<Done> {
        while (servers.tap.points() as u64) < messages {
            ensure!(self.begun.elapsed() < LONGEST, "only {} of {messages} are in InfluxDB", servers.tap.points());
            sleep(Duration::from_millis(50)).await;
        }
        let took = self.begun.elapsed();
        // Acknowledging and counting go with it.
        sleep(Duration::from_millis(500)).await;
        let (used, redis) = (running.usage()?.since(self.peer), servers.redis_usage()?.since(self.redis));
        let stored = tokio::task::block_in_place(|| servers.stored());
        ensure!(stored == messages, "InfluxDB holds {stored} of {messages} readings");
        Ok(Done { messages, took, used, redis, seen: servers.tap.take() })
    }
}
