//! Devices of device-management, by its read-only view `ingest_devices` in PostgreSQL: asked when a device is first heard of,
//! then believed for a while; `NOTIFY devices_changed` ends the belief at once.

use super::{Device, Devices, Unavailable};
use futures::future::BoxFuture;
use service::schema::ReadingSchema;
use service::{KeyHash, Retry, Shutdown};
use sqlx::postgres::{PgListener, PgPool};
use sqlx::Row;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most devices remembered; then all are forgotten. Strangers' ids are remembered too, so it must have a bound.
const REMEMBERED: usize = 100_000;

struct Known {
    device: Option<Arc<Device>>,
    since: Instant,
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

    fn known(&self, id: &str, age: Duration) -> Option<Option<Arc<Device>>> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.devices.get(id).filter(|known| known.since.elapsed() < age).map(|known| known.device.clone())
    }

    async fn look_up(&self, id: &str) -> Result<Option<Arc<Device>>, Unavailable> {
        if let Some(device) = self.known(id, self.fresh) {
            return Ok(device);
        }
        let changes = self.memory.lock().unwrap_or_else(PoisonError::into_inner).changes;
        let asked = sqlx::query("SELECT state, schema::text AS schema, key_hashes FROM ingest_devices WHERE id = $1").bind(id);
        match asked.fetch_optional(&self.pool).await {
            Ok(row) => {
                let device = row.map(|row| self.device(&row)).transpose()?;
                self.remember(id, device.clone(), changes);
                Ok(device)
            }
            Err(error) => match self.known(id, self.stale) {
                Some(device) => Ok(device),
                None => Err(Unavailable(error.to_string())),
            },
        }
    }

    fn device(&self, row: &sqlx::postgres::PgRow) -> Result<Arc<Device>, Unavailable> {
        let wrong = |error: sqlx::Error| Unavailable(error.to_string());
        let state: String = row.try_get("state").map_err(wrong)?;
        let schema: String = row.try_get("schema").map_err(wrong)?;
        let hashes: Vec<Vec<u8>> = row.try_get("key_hashes").map_err(wrong)?;
        let schema = self.schema(&schema)?;
        let keys = hashes.iter().filter_map(|hash| KeyHash::from_slice(hash)).collect();
        Ok(Arc::new(Device { active: state == "active", schema, keys }))
    }

    fn schema(&self, text: &str) -> Result<Arc<ReadingSchema>, Unavailable> {
        let hash = KeyHash::of(text).0;
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = memory.schemas.get(&hash) {
            return Ok(Arc::clone(schema));
        }
        let schema: ReadingSchema = serde_json::from_str(text).map_err(|error| Unavailable(format!("a schema: {error}")))?;
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
        memory.devices.insert(id.into(), Known { device, since: Instant::now() });
    }

    fn forget(&self, id: &str) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.changes += 1;
        if memory.devices.remove(id).is_none() {
            // `*`, a type's name, or nothing: whatever changed, it is not one device we know.
            memory.devices.retain(|_, known| {
                known.since = Instant::now().checked_sub(Duration::from_secs(86_400)).unwrap_or(known.since);
                known.device.is_some()
            });
        }
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
                loop {
                    tokio::select! {
                        () = shutdown.wait() => return Ok(()),
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
