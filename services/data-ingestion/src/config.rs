//! What the service is told.

use crate::devices::Belief;
use crate::payload::{Bounds, Clock};
use crate::writer::Batching;
use crate::{influx, mqtt, stream};
use diagnostic::Secret;
use service::config::{Bytes, Configuration, Environment, Invalid};
use service::postgres;
use std::time::Duration;

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// Redis.
    pub stream: stream::Settings,
    /// InfluxDB.
    pub influx: influx::Settings,
    /// The broker; none: only HTTP and WebSocket.
    pub mqtt: Option<mqtt::Settings>,
    /// Where devices come from.
    pub devices: DevicesFrom,
    /// What a payload may cost.
    pub bounds: Bounds,
    /// Which times are believed.
    pub clock: Clock,
    /// How many WebSockets a device may have at once.
    pub websockets: usize,
    /// How entries are gathered.
    pub batching: Batching,
    /// Who may look at dead letters.
    pub admin: Option<Secret<String>>,
}

/// Where devices come from.
#[derive(Debug)]
pub enum DevicesFrom {
    /// device-management's view in PostgreSQL.
    Registry {
        /// The database.
        postgres: postgres::Settings,
        /// How long an answer is believed, and how often is told who was heard of.
        belief: Belief,
    },
    /// Any id, with one key for all.
    Any {
        /// The key.
        key: Secret<String>,
    },
}

impl Configuration for Config {
    fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        let stream = stream::Settings::read(environment);
        let influx = influx::Settings::read(environment);
        let enabled = environment.variable("MQTT_ENABLED", "whether readings come over MQTT").default::<bool>(true);
        let mqtt = if enabled == Ok(false) { Ok(None) } else { mqtt::Settings::read(environment).map(Some) };
        let devices = devices(environment);
        environment.section("Readings");
        let payload = environment.variable("PAYLOAD_LIMIT", "longest payload, unpacked").default::<Bytes>("256KiB");
        let readings =
            environment.variable("PAYLOAD_READINGS", "most readings in one payload").within(1, 100_000).default(1000);
        let oldest = environment
            .variable("OLDEST_TIMESTAMP", "seconds since 1970; older readings are from a clock that was never set")
            .default::<u32>(1_577_836_800u32);
        let ahead = environment.variable("CLOCK_AHEAD", "how far ahead of ours a device's clock may be").default("5m");
        let websockets = environment
            .variable("WEBSOCKETS_PER_DEVICE", "WebSockets that a device may have at once; more are answered with 429")
            .within(1, 1_000_000)
            .default(16);
        let entries = environment
            .variable("BATCH_ENTRIES", "most entries of the stream in one write")
            .within(1, 1024)
            .default(32);
        let linger = environment
            .variable("BATCH_LINGER", "a small batch waits for more until so long after the last write")
            .default("10ms");
        environment.section("Operator");
        let admin =
            environment.variable("ADMIN_TOKEN", "who may list, remove and replay dead letters").optional_secret();
        let bounds = Bounds { payload_bytes: payload?.as_usize(), readings: readings?, ..Bounds::default() };
        Ok(Self {
            stream: stream?,
            influx: influx?,
            mqtt: mqtt?,
            devices: devices?,
            bounds,
            clock: Clock { oldest: i64::from(oldest?) * 1_000_000_000, ahead: ahead? },
            websockets: websockets?,
            batching: Batching { entries: entries?, linger: linger? },
            admin: admin?,
        })
    }
}

fn devices(environment: &mut Environment) -> Result<DevicesFrom, Invalid> {
    environment.section("Devices");
    let from = environment
        .variable("DEVICES", "`registry` (device-management's PostgreSQL) or `any`: every id, for trials")
        .one_of(&["registry", "any"])
        .default::<String>("registry")?;
    if from == "any" {
        let key = environment.variable("DEVICES_KEY", "with `any`: the key of every device over HTTP").secret();
        return Ok(DevicesFrom::Any { key: key? });
    }
    let fresh =
        environment.variable("DEVICES_FRESH", "how long a device is believed without asking again").default("60s");
    let stale = environment.variable("DEVICES_STALE", "the same while PostgreSQL is away").default("1h");
    let report = environment
        .variable("DEVICES_SEEN_EVERY", "how often device-management is told which devices were heard of")
        .default("15s");
    let postgres = postgres::Settings::read(environment);
    Ok(DevicesFrom::Registry {
        postgres: postgres?,
        belief: Belief { fresh: fresh?, stale: stale?, report: at_least_a_moment(report?) },
    })
}

/// `0s` would be no pause at all.
fn at_least_a_moment(time: Duration) -> Duration {
    time.max(Duration::from_millis(50))
}
