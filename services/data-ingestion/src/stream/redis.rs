//! The connection, and the scripts that must happen as a whole.

use super::{DeadLetter, Receipt, Settings, Settled};
use crate::reading::{Block, Stored};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script};
use service::config::Bytes;
use std::sync::Arc;
use std::time::Duration;

pub(super) const STREAM: &str = "readings";
pub(super) const STREAM_BYTES: &str = "readings:bytes";
pub(super) const GROUP: &str = "writers";
pub(super) const DEAD_LETTERS: &str = "dead-letters";
const SLOTS: &str = "slots";

/// Redis answers within milliseconds; a disk that is busy may take long to sync.
const ANSWER: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(2);

/// Redis could not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis is away or refused.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// A dead letter could not be written as JSON.
    #[error("a dead letter cannot be written")]
    Letter(#[from] serde_json::Error),
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Append {
    /// It is in the stream, on the disk.
    Stored,
    /// The stream is at its bound.
    Full,
}

/// How full the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Entries that wait.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Dead letters.
    pub dead_letters: u64,
}

struct Scripts {
    append: Script,
    times: Script,
    settle: Script,
    lease: Script,
    release: Script,
}

/// Redis, as the service uses it. Clones share the connection.
#[derive(Clone)]
pub struct Stream {
    manager: ConnectionManager,
    pub(super) client: Client,
    scripts: Arc<Scripts>,
    settings: Arc<Settings>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Stream {
    /// A connection that is made when it is first used, and made again when it breaks.
    ///
    /// # Errors
    /// The settings make no address.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let mut info = redis::RedisConnectionInfo::default().set_db(settings.database);
        if let Some(username) = &settings.username {
            info = info.set_username(username);
        }
        if let Some(password) = &settings.password {
            info = info.set_password(password.reveal());
        }
        let address = redis::ConnectionAddr::Tcp(settings.host.clone(), settings.port);
        let info = redis::IntoConnectionInfo::into_connection_info(address)?.set_redis_settings(info);
        let client = Client::open(info)?;
        let config = ConnectionManagerConfig::new()
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(500))
            .set_number_of_retries(2)
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        let scripts = Scripts {
            append: Script::new(include_str!("../scripts/append.lua")),
            times: Script::new(include_str!("../scripts/times.lua")),
            settle: Script::new(include_str!("../scripts/settle.lua")),
            lease: Script::new(include_str!("../scripts/lease.lua")),
            release: Script::new(include_str!("../scripts/release.lua")),
        };
        Ok(Self { manager, client, scripts: Arc::new(scripts), settings: Arc::new(settings) })
    }

    pub(super) fn connection(&self) -> ConnectionManager {
        self.manager.clone()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What Redis does not promise, though it must.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn missing_durability(&self) -> Result<Option<String>, Error> {
        Ok(self.settings.durability.missing(&mut self.connection()).await?)
    }

    /// Adds a block and dead letters; returns when they are on Redis' disk.
    ///
    /// # Errors
    /// Redis is away: the block may be in the stream or not.
    pub async fn append(&self, block: &Block, letters: &[DeadLetter]) -> Result<Append, Error> {
        let Bytes(bytes) = self.settings.bytes;
        let mut call = self.scripts.append.prepare_invoke();
        call.key(STREAM).key(STREAM_BYTES).key(DEAD_LETTERS);
        call.arg(self.settings.entries).arg(bytes).arg(block.bytes()).arg(self.settings.dead_letters);
        for letter in letters {
            call.arg(serde_json::to_string(letter)?);
        }
        match call.invoke_async(&mut self.connection()).await {
            Ok((1, trimmed)) => {
                count_trimmed(trimmed);
                Ok(Append::Stored)
            }
            Ok(_) => Ok(Append::Full),
            // Redis' own bound, `maxmemory`, was reached before ours.
            Err(error) if error.code() == Some("OOM") => Ok(Append::Full),
            Err(error) => Err(error.into()),
        }
    }

    /// Where readings with a number are stored: see `times.lua`. Per reading `None` (its own time), or a time per point,
    /// none at all when it is settled already.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn times(&self, readings: &[(&Stored<'_>, String)]) -> Result<Vec<Option<Vec<i64>>>, Error> {
        let mut result = vec![None; readings.len()];
        if readings.is_empty() {
            return Ok(result);
        }
        let mut call = self.scripts.times.prepare_invoke();
        for (reading, measurements) in readings {
            call.arg(reading.device).arg(reading.boot).arg(reading.seq).arg(reading.time).arg(measurements.as_str());
        }
        let moved: Vec<(usize, String)> = pairs(call.invoke_async(&mut self.connection()).await?);
        for (number, times) in moved {
            if let Some(slot) = number.checked_sub(1).and_then(|at| result.get_mut(at)) {
                *slot = Some(times.split(',').filter_map(|time| time.parse().ok()).collect());
            }
        }
        Ok(result)
    }

    /// Ends the life of entries whose readings are stored or refused; see `settle.lua`.
    ///
    /// # Errors
    /// Redis is away: the entries stay pending, and the same may be asked again.
    pub async fn settle(
        &self,
        entries: &[(String, usize)],
        letters: &[DeadLetter],
        settled: &mut Settled,
    ) -> Result<Vec<(Box<str>, Receipt)>, Error> {
        let mut call = self.scripts.settle.prepare_invoke();
        call.key(STREAM).key(STREAM_BYTES).key(DEAD_LETTERS);
        call.arg(GROUP)
            .arg(self.settings.receipts_life.as_secs().max(1))
            .arg(self.settings.dead_letters)
            .arg(entries.len());
        for (id, bytes) in entries {
            call.arg(id).arg(*bytes);
        }
        call.arg(letters.len());
        for letter in letters {
            call.arg(serde_json::to_string(letter)?);
        }
        for ((device, boot), numbers) in &mut settled.numbers {
            call.arg(&**device).arg(&**boot).arg(numbers.ranges()).arg(numbers.refusals());
        }
        let answer: Vec<redis::Value> = call.invoke_async(&mut self.connection()).await?;
        let mut answer = answer.into_iter();
        count_trimmed(answer.next().and_then(|value| redis::from_redis_value(value).ok()).unwrap_or_default());
        let texts: Vec<(String, String)> = pairs(answer.collect());
        let receipts = settled.numbers.keys().zip(texts);
        Ok(receipts
            .map(|((device, boot), (stored, refused))| (device.clone(), Receipt::of(boot, &stored, &refused)))
            .collect())
    }

    /// How full it is.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn level(&self) -> Result<Level, Error> {
        let mut pipe = redis::pipe();
        pipe.cmd("XLEN").arg(STREAM).cmd("GET").arg(STREAM_BYTES).cmd("XLEN").arg(DEAD_LETTERS);
        let (entries, bytes, dead_letters): (u64, Option<u64>, u64) = pipe.query_async(&mut self.connection()).await?;
        Ok(Level { entries, bytes: bytes.unwrap_or_default(), dead_letters })
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        let _: redis::Value = redis::cmd("PING").query_async(&mut self.connection()).await?;
        Ok(())
    }

    /// Takes or keeps a slot; whether it is ours.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn lease(&self, slot: u16, token: &str, lease: Duration) -> Result<bool, Error> {
        let mut call = self.scripts.lease.prepare_invoke();
        call.key(format!("slot:{slot}")).key(SLOTS).arg(token).arg(lease.as_millis() as u64).arg(slot);
        let ours: u8 = call.invoke_async(&mut self.connection()).await?;
        Ok(ours == 1)
    }

    /// Gives a slot back; `ended`: its MQTT session is no more.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn release(&self, slot: u16, token: &str, ended: bool) -> Result<(), Error> {
        let mut call = self.scripts.release.prepare_invoke();
        call.key(format!("slot:{slot}")).key(SLOTS).arg(token).arg(slot).arg(u8::from(ended));
        let _: u8 = call.invoke_async(&mut self.connection()).await?;
        Ok(())
    }

    /// Slots that have a session but no living owner.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn orphaned_slots(&self) -> Result<Vec<u16>, Error> {
        let mut redis = self.connection();
        let slots: Vec<u16> = redis::cmd("SMEMBERS").arg(SLOTS).query_async(&mut redis).await?;
        if slots.is_empty() {
            return Ok(slots);
        }
        let mut pipe = redis::pipe();
        for slot in &slots {
            pipe.cmd("EXISTS").arg(format!("slot:{slot}"));
        }
        let owned: Vec<u8> = pipe.query_async(&mut redis).await?;
        Ok(slots.into_iter().zip(owned).filter(|(_, owned)| *owned == 0).map(|(slot, _)| slot).collect())
    }
}

fn count_trimmed(trimmed: u64) {
    if trimmed > 0 {
        metrics::counter!("ingestion_dead_letters_dropped_total").increment(trimmed);
    }
}

/// Redis' flat list as pairs; what does not fit is left out.
fn pairs<A: redis::FromRedisValue, B: redis::FromRedisValue>(values: Vec<redis::Value>) -> Vec<(A, B)> {
    let mut values = values.into_iter();
    let mut pairs = Vec::with_capacity(values.len() / 2);
    while let (Some(a), Some(b)) = (values.next(), values.next()) {
        if let (Ok(a), Ok(b)) = (redis::from_redis_value(a), redis::from_redis_value(b)) {
            pairs.push((a, b));
        }
    }
    pairs
}
