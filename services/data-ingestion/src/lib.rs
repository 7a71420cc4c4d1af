//! data-ingestion: readings from devices to InfluxDB, losing nothing. MQTT, HTTP and WebSocket come in, a Redis stream holds
//! what was acknowledged, a writer brings it to InfluxDB, and receipts tell devices what they may forget.

mod bounds;
mod config;
pub mod devices;
#[cfg(test)]
mod fuzz;
mod http;
mod influx;
mod intake;
mod line;
mod mqtt;
pub mod payload;
mod reading;
mod receipts;
pub mod schema;
mod stream;
mod writer;

pub use config::{Config, DevicesFrom};

use crate::devices::{Devices, Fixed, Registry};
use crate::intake::Intake;
use crate::stream::{Consumer, Stream};
use service::{About, App, Context, Shutdown};
use std::sync::Arc;
use std::time::Duration;

/// Who this service is.
pub const ABOUT: About = service::about!("readings from devices to InfluxDB, losing nothing", 8081);

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis' settings are wrong.
    #[error(transparent)]
    Redis(#[from] stream::Error),
    /// No client for InfluxDB.
    #[error("no client for InfluxDB")]
    Http(#[from] reqwest::Error),
    /// Redis promises less than it must.
    #[error("{0}")]
    Durability(String),
}

/// How often Redis' promises and its level are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Starts everything that runs in the background; the result serves HTTP.
///
/// # Errors
/// See [`Error`]. A server that is away is none: it is waited for.
pub async fn start(config: Config, context: Context) -> Result<App, Error> {
    let stream = Stream::new(config.stream)?;
    let influx = influx::Influx::new(config.influx)?;
    // Redis may still be away: then the first look after it is back decides.
    if let Ok(Ok(Some(missing))) = tokio::time::timeout(Duration::from_secs(2), stream.missing_durability()).await {
        return Err(Error::Durability(missing));
    }
    let devices: Arc<dyn Devices> = match config.devices {
        DevicesFrom::Any { key } => Arc::new(Fixed::any(key.reveal())),
        DevicesFrom::Registry { postgres, belief } => {
            let pool = postgres.pool("data-ingestion");
            // Known devices go on without it, so it must not take us out of the load balancer.
            service::postgres::watch_at_first(&context, &pool);
            let registry = Registry::new(pool, belief);
            context.spawn("devices", registry.clone().listen(context.shutdown.clone()));
            Arc::new(registry)
        }
    };
    let intake = Intake { stream: stream.clone(), devices, bounds: config.bounds, clock: config.clock };
    let receipts = receipts::Receipts::default();
    let token = format!("{:016x}", rand::random::<u64>());
    watch(&context, &stream, &influx);
    context.spawn("look", look(stream.clone(), context.shutdown.clone()));
    context.spawn("beat", beat(stream.clone(), token.clone(), context.shutdown.clone()));
    let writer = writer::Writer {
        stream,
        influx,
        receipts: receipts.clone(),
        batching: config.batching,
        name: token.clone(),
        shutdown: context.shutdown.clone(),
    };
    context.spawn("writer", writer.run());
    if let Some(settings) = config.mqtt {
        context.spawn("mqtt", mqtt::run(settings, intake.clone(), receipts, token, context.shutdown.clone()));
    }
    Ok(http::app(http::Http {
        intake,
        admins: config.admins.map(Arc::new),
        receipts_every: Duration::from_millis(300),
        places: http::Places::new(config.websockets),
        shutdown: context.shutdown,
    }))
}

fn watch(context: &Context, stream: &Stream, influx: &influx::Influx) {
    let redis = stream.clone();
    context.readiness.check("redis", Duration::from_secs(2), move || {
        let redis = redis.clone();
        async move { redis.ping().await.map_err(|error| error.to_string()) }
    });
    // InfluxDB away does not make us unready: taking readings while it is away is what we are for. `/metrics` shows it.
    let influx = influx.clone();
    let shutdown = context.shutdown.clone();
    context.spawn("influxdb", async move {
        let mut prepared = false;
        while !shutdown.begun() {
            if !prepared {
                prepared = influx.prepare().await.is_ok();
            }
            let up = influx.ping().await.is_ok();
            metrics::gauge!("dependency_up", "dependency" => "influxdb").set(if up { 1.0 } else { 0.0 });
            tokio::select! { () = shutdown.wait() => {}, () = tokio::time::sleep(if prepared { LOOK } else { LOOK / 5 }) => {} }
        }
        Ok::<(), std::convert::Infallible>(())
    });
}

/// Shows how full the stream is, and ends the service when Redis came back with a weaker promise.
async fn look(stream: Stream, shutdown: Shutdown) -> Result<(), Error> {
    while !shutdown.begun() {
        if let Ok(level) = stream.level().await {
            metrics::gauge!("ingestion_stream_entries").set(level.entries as f64);
            metrics::gauge!("ingestion_stream_bytes").set(level.bytes as f64);
            metrics::gauge!("ingestion_dead_letters").set(level.dead_letters as f64);
        }
        // Nobody tries any more, or nobody is refused any more.
        if !stream.was_full_within(LOOK) {
            metrics::gauge!("ingestion_backpressure").set(0.0);
        }
        if let Ok(Some(missing)) = stream.missing_durability().await {
            return Err(Error::Durability(missing));
        }
        tokio::select! { () = shutdown.wait() => {}, () = tokio::time::sleep(LOOK) => {} }
    }
    Ok(())
}

/// Shows the others that this replica lives.
async fn beat(stream: Stream, name: String, shutdown: Shutdown) -> Result<(), std::convert::Infallible> {
    let every = stream.settings().consumer_timeout / 4;
    while !shutdown.begun() {
        let _ = Consumer::beat(&stream, &name).await;
        tokio::select! { () = shutdown.wait() => {}, () = tokio::time::sleep(every) => {} }
    }
    Ok(())
}
