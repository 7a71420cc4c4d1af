//! Devices of device-management, by its read-only view `ingest_devices` in PostgreSQL: asked when a device is first heard of,
//! then believed for a while; `NOTIFY devices_changed` ends the belief at once. The other way, `ingest_seen` is told when
//! devices were last heard of, many in one statement.

use super::{Device, Devices, Unavailable};
use futures::future::BoxFuture;
use service::schema::ReadingSchema;
use service::{KeyHash, Retry, Shutdown};
use sqlx::Row;
use sqlx::postgres::{PgListener, PgPool};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most devices remembered; then all are forgotten.
const REMEMBERED: usize = 100_000;
/// Most ids remembered of which there is no device; then those are forgotten. Anybody may invent some over HTTP, so they have a
/// place of their own.
const STRANGERS: usize = 10_000;

/// A database that does not answer for so long is gone, whatever its socket says.
const ANSWER: Duration = Duration::from_secs(5);

/// How long an answer is believed, and how often device-management is told who was heard of.
#[derive(Debug, Clone, Copy)]
pub struct Belief {
    /// While the database is there.
    pub fresh: Duration,
    /// While it is away.
    pub stale: Duration,
    /// Between two reports.
    pub report: Duration,
}

struct Known {
    device: Arc<Device>,
    since: Instant,
    /// Something changed since.
    outdated: bool,
}

#[derive(Default)]
struct Memory {
    devices: HashMap<Box<str>, Known>,
    /// Ids of which there was no device, and when.
    strangers: HashMap<Box<str>, Instant>,
    /// Thousands of devices share a type.
    schemas: HashMap<[u8; 32], Arc<ReadingSchema>>,
    /// Grows with each change, so that an answer from before it is not remembered.
    changes: u64,
    /// When devices were heard of that are forgotten since, or that could not be told.
    unsaid: HashMap<Box<str>, i64>,
    /// Devices that were looked up while something changed: not to be believed, but they may be heard of.
    passing: Vec<(Box<str>, Arc<Device>)>,
    /// Whether changes are heard of, and so whether the database is there.
    listening: bool,
}

impl Memory {
    fn keep_heard(&mut self, id: &str, known: &Known) {
        if let Some(heard) = known.device.take_heard() {
            self.unsaid.insert(id.into(), heard);
        }
    }

    fn clear(&mut self) {
        // Whoever holds a device asks again: a mark on a forgotten one would be seen by nobody.
        self.changes += 1;
        for (id, known) in std::mem::take(&mut self.devices) {
            self.keep_heard(&id, &known);
        }
    }

    /// All that were heard of since the last time.
    fn take_heard(&mut self) -> HashMap<Box<str>, i64> {
        let mut heard = std::mem::take(&mut self.unsaid);
        for (id, device) in self.passing.drain(..) {
            heard.extend(device.take_heard().map(|when| (id, when)));
        }
        for (id, known) in &self.devices {
            if let Some(when) = known.device.take_heard() {
                heard.insert(id.clone(), when);
            }
        }
        heard
    }
}

/// The devices of the view. Clones share what is remembered.
#[derive(Clone)]
pub struct Registry {
    pool: PgPool,
    belief: Belief,
    memory: Arc<Mutex<Memory>>,
}

impl Registry {
    /// Asks this database.
    pub fn new(pool: PgPool, belief: Belief) -> Self {
        Self { pool, belief, memory: Arc::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, id: &str, age: Duration, outdated: bool) -> Option<Arc<Device>> {
        let memory = self.memory();
        let known = memory.devices.get(id)?;
        (known.since.elapsed() < age && (!known.outdated || outdated)).then(|| Arc::clone(&known.device))
    }

    /// Of what is not there, only fresh answers are believed.
    fn is_stranger(&self, id: &str) -> bool {
        self.memory().strangers.get(id).is_some_and(|since| since.elapsed() < self.belief.fresh)
    }

    async fn look_up(&self, id: &str) -> Result<Option<Arc<Device>>, Unavailable> {
        if let Some(device) = self.recall(id) {
            return Ok(device);
        }
        let changes = self.memory().changes;
        let statement =
            "SELECT state, sensors::text AS sensors, credential_hash FROM ingest_devices WHERE device_id = $1";
        match within(sqlx::query(statement).bind(id).fetch_all(&self.pool)).await {
            Ok(rows) => {
                let device = self.device(&rows)?;
                self.remember(id, device.clone(), changes);
                Ok(device)
            }
            Err(error) => match self.known(id, self.belief.stale, true) {
                Some(device) => Ok(Some(device)),
                None => Err(Unavailable(error.to_string())),
            },
        }
    }

    /// A row per valid key; one without a key when there is none.
    fn device(&self, rows: &[sqlx::postgres::PgRow]) -> Result<Option<Arc<Device>>, Unavailable> {
        let wrong = |error: sqlx::Error| Unavailable(error.to_string());
        let Some(first) = rows.first() else { return Ok(None) };
        let state: String = first.try_get("state").map_err(wrong)?;
        let sensors: String = first.try_get("sensors").map_err(wrong)?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let hash: Option<Vec<u8>> = row.try_get("credential_hash").map_err(wrong)?;
            keys.extend(hash.as_deref().and_then(KeyHash::from_slice));
        }
        // A device under maintenance is watched, not silenced.
        let active = matches!(state.as_str(), "active" | "maintenance");
        Ok(Some(Arc::new(Device::new(active, self.schema(&sensors)?, keys))))
    }

    fn schema(&self, text: &str) -> Result<Arc<ReadingSchema>, Unavailable> {
        let hash = KeyHash::of(text).0;
        let mut memory = self.memory();
        if let Some(schema) = memory.schemas.get(&hash) {
            return Ok(Arc::clone(schema));
        }
        let schema: ReadingSchema =
            serde_json::from_str(text).map_err(|error| Unavailable(format!("a schema: {error}")))?;
        if memory.schemas.len() >= 1000 {
            memory.schemas.clear();
        }
        let schema = Arc::new(schema);
        memory.schemas.insert(hash, Arc::clone(&schema));
        Ok(schema)
    }

    fn remember(&self, id: &str, device: Option<Arc<Device>>, changes: u64) {
        let mut memory = self.memory();
        if memory.changes != changes {
            if let (Some(device), true) = (device, memory.passing.len() < REMEMBERED) {
                memory.passing.push((id.into(), device));
            }
            return;
        }
        let before = match device {
            Some(device) => {
                if memory.devices.len() >= REMEMBERED {
                    memory.clear();
                }
                memory.strangers.remove(id);
                memory.devices.insert(id.into(), Known { device, since: Instant::now(), outdated: false })
            }
            None => {
                if memory.strangers.len() >= STRANGERS {
                    memory.strangers.clear();
                }
                memory.strangers.insert(id.into(), Instant::now());
                memory.devices.remove(id)
            }
        };
        if let Some(before) = before {
            memory.keep_heard(id, &before);
        }
    }

    /// `*`, `type:<name>` or a device's id, as device-management's migration says.
    fn forget(&self, what: &str) {
        let mut memory = self.memory();
        memory.changes += 1;
        if what == "*" || what.starts_with("type:") {
            // Still believed while the database is away, but asked for anew when it is there.
            memory.devices.values_mut().for_each(|known| known.outdated = true);
            memory.strangers.clear();
            return;
        }
        memory.strangers.remove(what);
        if let Some(known) = memory.devices.remove(what) {
            memory.keep_heard(what, &known);
        }
    }

    /// Tells device-management which devices were heard of since the last time. What cannot be told now is told later.
    async fn report(&self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        let heard = self.memory().take_heard();
        let (ids, times): (Vec<String>, Vec<i64>) =
            heard.iter().map(|(id, when)| (id.to_string(), when / 1_000)).unzip();
        // On the connection that listens, also when there is nothing to say: so a connection that died without a word is
        // found, on which nobody would hear that a key was revoked.
        let told = if ids.is_empty() {
            within(sqlx::query("SELECT 1").execute(&mut *listener)).await.map(drop)
        } else {
            within(sqlx::query(SEEN).bind(&ids).bind(&times).execute(&mut *listener)).await.map(drop)
        };
        if told.is_err() {
            let mut memory = self.memory();
            for (id, when) in heard {
                let later = memory.unsaid.entry(id).or_default();
                *later = when.max(*later);
            }
        }
        told
    }

    /// Hears of changes until the shutdown.
    ///
    /// # Errors
    /// Never; a database that is away is waited for, and `fresh` bounds what is missed meanwhile.
    pub async fn listen(self, shutdown: Shutdown) -> Result<(), std::convert::Infallible> {
        let retry = || Retry::between(Duration::from_millis(200), Duration::from_secs(5));
        let mut waits = retry().waits();
        while !shutdown.begun() {
            match self.listener().await {
                Ok(mut listener) => {
                    waits = retry().waits();
                    // What changed while nobody listened.
                    self.forget("*");
                    self.memory().listening = true;
                    let heard = self.hear(&mut listener, &shutdown).await;
                    self.memory().listening = false;
                    match heard {
                        Ok(()) => {
                            let _ = self.report(&mut listener).await;
                            return Ok(());
                        }
                        Err(error) => tracing::warn!(%error, "changes of devices are not heard of"),
                    }
                }
                Err(error) => tracing::warn!(%error, "changes of devices are not heard of"),
            }
            let wait = waits.next().unwrap_or(Duration::from_secs(5));
            tokio::select! { () = shutdown.wait() => {}, () = tokio::time::sleep(wait) => {} }
        }
        Ok(())
    }

    async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        // A connection that it made again by itself would have missed changes without our knowing.
        listener.eager_reconnect(false);
        listener.listen("devices_changed").await?;
        Ok(listener)
    }

    /// Until the shutdown; an error when the connection is lost.
    async fn hear(&self, listener: &mut PgListener, shutdown: &Shutdown) -> Result<(), sqlx::Error> {
        let mut report = tokio::time::interval(self.belief.report);
        loop {
            tokio::select! {
                () = shutdown.wait() => return Ok(()),
                _ = report.tick() => self.report(listener).await?,
                heard = listener.try_recv() => match heard? {
                    Some(note) => self.forget(note.payload()),
                    None => return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into())),
                },
            }
        }
    }
}

/// Ids and microseconds since 1970, of the same length.
const SEEN: &str = "SELECT ingest_seen($1, ARRAY(SELECT to_timestamp(t.at / 1000000.0)
    FROM unnest($2::bigint[]) WITH ORDINALITY AS t (at, place) ORDER BY t.place))";

async fn within<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(ANSWER, work).await {
        Ok(result) => result,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

impl Devices for Registry {
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Arc<Device>>, Unavailable>> {
        Box::pin(self.look_up(id))
    }

    fn recall(&self, id: &str) -> Option<Option<Arc<Device>>> {
        if let Some(device) = self.known(id, self.belief.fresh, false) {
            return Some(Some(device));
        }
        if self.is_stranger(id) {
            return Some(None);
        }
        // While the database is away nobody waits for it whose device is known: each message would wait for seconds.
        let listening = self.memory().listening;
        if listening { None } else { self.known(id, self.belief.stale, true).map(Some) }
    }

    fn changes(&self) -> u64 {
        self.memory().changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::original;

    fn registry() -> Registry {
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass();
        let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options);
        let (fresh, stale) = (Duration::from_secs(60), Duration::from_secs(3600));
        Registry::new(pool, Belief { fresh, stale, report: Duration::from_secs(15) })
    }

    fn device() -> Option<Arc<Device>> {
        Some(Arc::new(Device::new(true, Arc::new(original()), Vec::new())))
    }

    #[tokio::test]
    async fn strangers_do_not_displace_devices() {
        let registry = registry();
        registry.memory().listening = true;
        registry.remember("esp-1", device(), 0);
        for number in 0..=REMEMBERED {
            registry.remember(&format!("invented-{number}"), None, 0);
        }
        assert!(matches!(registry.recall("esp-1"), Some(Some(_))));
        let last = format!("invented-{REMEMBERED}");
        assert!(matches!(registry.recall(&last), Some(None)), "the last ones are remembered too");
        assert!(registry.memory().strangers.len() <= STRANGERS);
        registry.forget(&last);
        assert!(registry.recall(&last).is_none(), "it was registered meanwhile");
    }

    #[tokio::test]
    async fn while_the_database_is_away_devices_are_believed_and_strangers_asked_for() {
        let registry = registry();
        registry.remember("esp-1", device(), 0);
        registry.remember("invented", None, 0);
        registry.forget("*");
        assert!(matches!(registry.recall("esp-1"), Some(Some(_))));
        assert!(registry.recall("invented").is_none());
    }
}
