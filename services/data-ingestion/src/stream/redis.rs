//! The connection, and the scripts that must happen as a whole.

use super::{DeadLetter, Receipt, Settings, Settled};
use crate::reading::{Block, Stored};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script};
use service::config::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(super) const STREAM: &str = "readings";
pub(super) const STREAM_BYTES: &str = "readings:bytes";
pub(super) const GROUP: &str = "writers";
pub(super) const DEAD_LETTERS: &str = "dead-letters";
const DEAD_LETTERS_BYTES: &str = "dead-letters:bytes";
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
    /// Redis promises less than it must: nothing may be acknowledged on its word.
    #[error("{0}")]
    Weak(String),
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

/// Where a numbered reading is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At its own time.
    Own,
    /// Each of its points at one of these times.
    Moved(Vec<i64>),
    /// Nowhere: it is settled already.
    Settled,
    /// Nowhere: too many others have its time.
    Crowded,
}

impl Place {
    fn of(answer: &str) -> Self {
        match answer {
            "" => Place::Settled,
            "-" => Place::Crowded,
            times => Place::Moved(times.split(',').filter_map(|time| time.parse().ok()).collect()),
        }
    }
}

/// How many readings one call of `times.lua` looks at: Redis does nothing else meanwhile.
const PLACES_AT_ONCE: usize = 512;

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

pub(super) struct Scripts {
    append: Script,
    times: Script,
    settle: Script,
    lease: Script,
    release: Script,
    pub(super) forget: Script,
    pub(super) beat: Script,
    pub(super) group: Script,
    pub(super) retire: Script,
}

impl Scripts {
    fn new() -> Self {
        const LETTERS: &str = include_str!("../scripts/letters.lua");
        // What empties the stream, and what says who does, must also work when Redis has no memory left: nothing else would
        // give it any. Only `append` is refused then.
        let always = |text: &str| Script::new(&format!("#!lua flags=allow-oom\n{text}"));
        Self {
            append: Script::new(&format!("{LETTERS}{}", include_str!("../scripts/append.lua"))),
            times: always(include_str!("../scripts/times.lua")),
            settle: always(&format!("{LETTERS}{}", include_str!("../scripts/settle.lua"))),
            lease: always(include_str!("../scripts/lease.lua")),
            release: always(include_str!("../scripts/release.lua")),
            forget: always(include_str!("../scripts/forget.lua")),
            beat: always(include_str!("../scripts/beat.lua")),
            group: always(include_str!("../scripts/group.lua")),
            retire: always(include_str!("../scripts/retire.lua")),
        }
    }
}

/// Redis, as the service uses it. Clones share the connection.
#[derive(Clone)]
pub struct Stream {
    manager: ConnectionManager,
    pub(super) client: Client,
    pub(super) scripts: Arc<Scripts>,
    settings: Arc<Settings>,
    /// Whether this Redis was asked what it promises, and it was enough.
    trusted: Arc<AtomicBool>,
    /// When a block last found no room.
    full: Arc<Mutex<Option<Instant>>>,
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
        let (scripts, settings) = (Arc::new(Scripts::new()), Arc::new(settings));
        Ok(Self { manager, client, scripts, settings, trusted: Arc::default(), full: Arc::default() })
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
        let missing = self.settings.durability.missing(&mut self.connection()).await?;
        self.trusted.store(missing.is_none(), Ordering::Relaxed);
        Ok(missing)
    }

    async fn must_be_durable(&self) -> Result<(), Error> {
        match self.missing_durability().await? {
            None => Ok(()),
            Some(missing) => Err(Error::Weak(missing)),
        }
    }

    /// Adds a block and dead letters; returns when they are on Redis' disk.
    ///
    /// # Errors
    /// Redis is away, or promises too little: the block may be in the stream or not.
    pub async fn append(&self, block: &Block, letters: &[DeadLetter]) -> Result<Append, Error> {
        let Bytes(bytes) = self.settings.bytes;
        let mut call = redis::Cmd::new();
        call.arg("EVALSHA").arg(self.scripts.append.get_hash()).arg(4);
        call.arg(STREAM).arg(STREAM_BYTES).arg(DEAD_LETTERS).arg(DEAD_LETTERS_BYTES);
        call.arg(self.settings.entries).arg(bytes).arg(block.bytes());
        call.arg(self.settings.dead_letters).arg(self.settings.dead_letters_bytes.0);
        for letter in letters {
            call.arg(serde_json::to_string(letter)?);
        }
        match self.append_durably(&call).await {
            Ok((1, dropped)) => {
                count_dropped(dropped);
                Ok(Append::Stored)
            }
            Ok(_) => Ok(self.noted_full()),
            // Redis' own bound, `maxmemory`, was reached before ours.
            Err(Error::Redis(error)) if error.code() == Some("OOM") => Ok(self.noted_full()),
            Err(error) => Err(error),
        }
    }

    /// Redis is asked what it promises before the first block, and again whenever it may be another one than before.
    async fn append_durably(&self, call: &redis::Cmd) -> Result<(u8, u64), Error> {
        if !self.trusted.load(Ordering::Relaxed) {
            self.must_be_durable().await?;
        }
        let mut redis = self.connection();
        let mut answer = call.query_async(&mut redis).await;
        // One that was just started knows no scripts, whoever noticed its end: that is how we learn of it.
        if let Err(error) = &answer
            && error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript)
        {
            self.must_be_durable().await?;
            self.scripts.append.load_async(&mut redis).await?;
            answer = call.query_async(&mut redis).await;
        }
        answer.map_err(|error| {
            // No word of Redis, but of a connection that is gone.
            if error.code().is_none() {
                self.trusted.store(false, Ordering::Relaxed);
            }
            error.into()
        })
    }

    fn noted_full(&self) -> Append {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Append::Full
    }

    /// Whether a block found no room within this time.
    pub fn was_full_within(&self, time: Duration) -> bool {
        let full = *self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.is_some_and(|when| when.elapsed() <= time)
    }

    /// Where readings with a number are stored, each with its measurements joined by commas: see `times.lua`.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn places(&self, readings: &[(&Stored<'_>, String)]) -> Result<Vec<Place>, Error> {
        let mut places = Vec::with_capacity(readings.len());
        for part in readings.chunks(PLACES_AT_ONCE) {
            let first = places.len();
            places.resize(first + part.len(), Place::Own);
            let mut call = self.scripts.times.prepare_invoke();
            for (reading, measurements) in part {
                call.arg(reading.device).arg(reading.boot).arg(reading.seq).arg(format!("{:019}", reading.time));
                call.arg(measurements.as_str()).arg(u8::from(reading.replay));
            }
            let others: Vec<(usize, String)> = pairs(call.invoke_async(&mut self.connection()).await?);
            for (number, answer) in others {
                if let Some(place) = number.checked_sub(1).and_then(|at| places.get_mut(first + at)) {
                    *place = Place::of(&answer);
                }
            }
        }
        Ok(places)
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
        call.key(STREAM).key(STREAM_BYTES).key(DEAD_LETTERS).key(DEAD_LETTERS_BYTES);
        call.arg(GROUP)
            .arg(self.settings.receipts_life.as_secs().max(1))
            .arg(self.settings.dead_letters)
            .arg(self.settings.dead_letters_bytes.0)
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
            call.arg(numbers.given_up()).arg(u8::from(numbers.is_fresh()));
        }
        let answer: Vec<redis::Value> = call.invoke_async(&mut self.connection()).await?;
        let mut answer = answer.into_iter();
        count_dropped(answer.next().and_then(|value| redis::from_redis_value(value).ok()).unwrap_or_default());
        let texts: Vec<(String, String)> = pairs(answer.collect());
        let receipts = settled.numbers.keys().zip(texts).filter(|(_, (stored, _))| !stored.is_empty());
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

    /// Removes a dead letter; whether it was there.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn forget_dead_letter(&self, id: &str) -> Result<bool, Error> {
        let mut call = self.scripts.forget.prepare_invoke();
        let removed: u8 =
            call.key(DEAD_LETTERS).key(DEAD_LETTERS_BYTES).arg(id).invoke_async(&mut self.connection()).await?;
        Ok(removed == 1)
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

fn count_dropped(letters: u64) {
    if letters > 0 {
        metrics::counter!("ingestion_dead_letters_dropped_total").increment(letters);
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
