//! Devices of device-management, by its read-only view `ingest_devices` in PostgreSQL: asked when a device is first heard of,
//! then believed for a while; `NOTIFY devices_changed` ends the belief at once.

use super::{Device, Devices, Unavailable};
use futures::future::BoxFuture;
use service::schema::ReadingSchema;
use service::{KeyHash, Retry, Shutdown};
use sqlx::Row;
use sqlx::postgres::{PgListener, PgPool};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most devices remembered; then all are forgotten. Strangers' ids are remembered too, so it must have a bound.
const REMEMBERED: usize = 100_000;

/// How often device-management is told which devices were heard of.
const TELL: Duration = Duration::from_secs(15);

struct Known {
    device: Option<Arc<Device>>,
    since: Instant,
    /// Something changed since.
    outdated: bool,
    /// It has sent something since device-management was last told.
    heard: bool,
}

#[derive(Default)]
struct Memory {
    devices: HashMap<Box<str>, Known>,
    /// Thousands of devices share a type.
    schemas: HashMap<[u8; 32], Arc<ReadingSchema>>,
    /// Grows with each change, so that an answer from before it is not remembered.
    changes: u64,
}

/// The devices of the view. Clones share what is remembered.
#[derive(Clone)]
pub struct Registry {
    pool: PgPool,
    fresh: Duration,
    stale: Duration,
    memory: Arc<Mutex<Memory>>,
}

impl Registry {
    /// Asks this database; `fresh` and `stale` are how long an answer is believed while it is there and while it is away.
    pub fn new(pool: PgPool, fresh: Duration, stale: Duration) -> Self {
        Self { pool, fresh, stale, memory: Arc::default() }
    }

    fn known(&self, id: &str, age: Duration, outdated: bool) -> Option<Option<Arc<Device>>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let known = memory.devices.get_mut(id)?;
        known.heard = true;
        (known.since.elapsed() < age && (!known.outdated || outdated)).then(|| known.device.clone())
    }

    async fn look_up(&self, id: &str) -> Result<Option<Arc<Device>>, Unavailable> {
        if let Some(device) = self.known(id, self.fresh, false) {
            return Ok(device);
        }
        let changes = self.memory.lock().unwrap_or_else(PoisonError::into_inner).changes;
        let statement =
            "SELECT state, sensors::text AS sensors, credential_hash FROM ingest_devices WHERE device_id = $1";
        match sqlx::query(statement).bind(id).fetch_all(&self.pool).await {
            Ok(rows) => {
                let device = self.device(&rows)?;
                self.remember(id, device.clone(), changes);
                Ok(device)
            }
            Err(error) => match self.known(id, self.stale, true) {
                Some(device) => Ok(device),
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
        Ok(Some(Arc::new(Device { active, schema: self.schema(&sensors)?, keys })))
    }

    fn schema(&self, text: &str) -> Result<Arc<ReadingSchema>, Unavailable> {
        let hash = KeyHash::of(text).0;
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.changes != changes {
            return;
        }
        if memory.devices.len() >= REMEMBERED {
            memory.devices.clear();
        }
        memory.devices.insert(id.into(), Known { device, since: Instant::now(), outdated: false, heard: true });
    }

    /// `*`, `type:<name>` or a device's id, as device-management's migration says.
    fn forget(&self, what: &str) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.changes += 1;
        if what == "*" || what.starts_with("type:") {
            // Still believed while the database is away, but asked for anew when it is there.
            memory.devices.values_mut().for_each(|known| known.outdated = true);
        } else {
            memory.devices.remove(what);
        }
    }

    /// Tells device-management which devices were heard of since the last time.
    async fn tell(&self) -> Result<(), sqlx::Error> {
        let ids: Vec<String> = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let heard = |id: &str, known: &mut Known| {
                (std::mem::take(&mut known.heard) && known.device.is_some()).then(|| id.to_string())
            };
            memory.devices.iter_mut().filter_map(|(id, known)| heard(id, known)).collect()
        };
        if ids.is_empty() {
            return Ok(());
        }
        let statement = "SELECT ingest_seen($1, array_fill(now(), ARRAY[cardinality($1)]))";
        sqlx::query(statement).bind(&ids).execute(&self.pool).await.map(drop)
    }

    /// Hears of changes until the shutdown.
    ///
    /// # Errors
    /// Never; a database that is away is waited for, and `fresh` bounds what is missed meanwhile.
    pub async fn listen(self, shutdown: Shutdown) -> Result<(), std::convert::Infallible> {
        while !shutdown.begun() {
            let mut waits = Retry::between(Duration::from_millis(200), Duration::from_secs(5)).waits();
            if let Ok(mut listener) = PgListener::connect_with(&self.pool).await
                && listener.listen("devices_changed").await.is_ok()
            {
                // What changed while nobody listened.
                self.forget("*");
                waits = Retry::between(Duration::from_millis(200), Duration::from_secs(5)).waits();
                let mut tell = tokio::time::interval(TELL);
                loop {
                    tokio::select! {
                        () = shutdown.wait() => return Ok(()),
                        _ = tell.tick() => {
                            if let Err(error) = self.tell().await {
                                tracing::warn!(%error, "device-management does not hear when devices were last seen");
                            }
                        }
                        heard = listener.try_recv() => match heard {
                            Ok(Some(note)) => self.forget(note.payload()),
                            Ok(None) => self.forget("*"),
                            Err(_) => break,
                        },
                    }
                }
            }
            let wait = waits.next().unwrap_or(Duration::from_secs(5));
            tokio::select! { () = shutdown.wait() => {}, () = tokio::time::sleep(wait) => {} }
        }
        Ok(())
    }
}

impl Devices for Registry {
    fn find<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Arc<Device>>, Unavailable>> {
        Box::pin(self.look_up(id))
    }
}
