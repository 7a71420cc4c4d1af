//! device-management: devices, their types, groups and credentials in PostgreSQL, and their accounts at the MQTT broker kept
//! in step. What ingestion needs it reads from the view `ingest_devices`, and hears of changes on `devices_changed`.

mod broker;
mod config;
mod http;
mod import;
mod model;
mod storage;

pub use broker::Seal;
pub use config::Config;

use broker::{Broker, Worker};
use service::{About, AdminTokens, App, Context, DeviceId, Retry};
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Who this service is.
pub const ABOUT: About = service::about!("devices, their types, groups, credentials and MQTT accounts", 8080);

/// What handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) admins: Arc<AdminTokens>,
    pub(crate) seal: Arc<Seal>,
    /// Wakes the worker that tells the broker.
    pub(crate) changed: Arc<Notify>,
    pub(crate) online_within: Duration,
    pub(crate) import_lines: u64,
    /// Each import has a connection to the database of its own.
    pub(crate) imports: Arc<Semaphore>,
    reserved: Arc<[String]>,
}

/// How many imports at once.
const IMPORTS: usize = 2;

impl Shared {
    /// Whether this is an account at the broker that no device may have.
    pub(crate) fn is_reserved(&self, id: &DeviceId) -> bool {
        self.reserved.iter().any(|name| name == id.as_str())
    }
}

/// Starts the background work and returns the routes. The database and the broker may come up later.
///
/// # Errors
/// The broker's certificates cannot be read.
pub async fn start(config: Config, context: Context) -> Result<App, broker::BrokerError> {
    let pool = config.postgres.pool(ABOUT.name);
    let changed = Arc::new(Notify::new());
    let seal = Arc::new(config.seal);
    let administrator = config.mqtt.login.as_ref().map(|(username, _)| username.clone());
    let reserved = administrator.into_iter().chain([config.ingestion_username]).collect();
    service::postgres::watch(&context, &pool);
    let migrated = migrate(&pool, &context);
    let broker = Broker::start(&config.mqtt, &context)?;
    let worker = Worker {
        pool: pool.clone(),
        broker,
        seal: Arc::clone(&seal),
        changed: Arc::clone(&changed),
        prefix: config.mqtt.prefix.clone(),
        ingestion: config.ingestion,
        bind_client_id: config.bind_client_id,
        every: config.reconcile_every,
    };
    let shutdown = context.shutdown.clone();
    context.spawn("broker", async move {
        tokio::select! {
            () = shutdown.wait() => {}
            () = migrated.notified() => worker.run(shutdown.clone()).await,
        }
        Ok::<(), std::convert::Infallible>(())
    });
    let shared = Shared {
        pool,
        admins: Arc::new(config.admins),
        seal,
        changed,
        online_within: config.online_within,
        import_lines: config.import_lines,
        imports: Arc::new(Semaphore::new(IMPORTS)),
        reserved,
    };
    Ok(App::new(http::routes(shared)).untimed(http::IMPORT_ROUTE))
}

/// Brings the tables up to date as soon as the database is there; not ready before.
fn migrate(pool: &PgPool, context: &Context) -> Arc<Notify> {
    let (done, notify) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let seen = Arc::clone(&done);
    context.readiness.check("migrations", Duration::from_secs(1), move || {
        let done = seen.load(Ordering::Relaxed);
        async move { if done { Ok(()) } else { Err("the tables are not up to date yet".to_owned()) } }
    });
    let (pool, shutdown, told) = (pool.clone(), context.shutdown.clone(), Arc::clone(&notify));
    context.spawn("migrations", async move {
        let retry = Retry::between(Duration::from_millis(50), Duration::from_secs(2));
        let result = retry.run("migrations", &shutdown, || async {
            match storage::migrate(&pool).await {
                Err(error) if storage::is_away(&error) => Err(error),
                // Trying again does not mend a changed or broken migration: it ends the service.
                other => Ok(other),
            }
        });
        if let Ok(Some(outcome)) = result.await {
            outcome?;
            done.store(true, Ordering::Relaxed);
            told.notify_one();
        }
        shutdown.wait().await;
        Ok::<(), sqlx::migrate::MigrateError>(())
    });
    notify
}
