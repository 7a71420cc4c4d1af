//! What the service is told.

use crate::bounds::{at_most, within};
use crate::devices::Belief;
use crate::payload::{Bounds, Clock};
use crate::writer::Batching;
use crate::{influx, mqtt, stream};
use diagnostic::Secret;
use service::config::{Bytes, Configuration, Environment, Invalid};
use service::{AdminTokens, postgres};
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
    pub admins: Option<AdminTokens>,
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
        let payload = within(environment, "PAYLOAD_LIMIT", payload, ("1KiB", "16MiB"));
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
        let linger = at_most(environment, "BATCH_LINGER", linger, Duration::from_secs(10));
        environment.section("Operator");
        let tokens =
            environment.variable(AdminTokens::VARIABLE, AdminTokens::ABOUT).hint(AdminTokens::HINT).optional_secret();
        let admins = tokens.and_then(|tokens| tokens.map(|tokens| AdminTokens::read(environment, &tokens)).transpose());
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
            admins: admins?,
        })
    }
}

fn devices(environment: &mut Environment) -> Result<DevicesFrom, Invalid> {
    environment.section("Devices");
    let from = environment
        .variable("DEVICES", "`registry` (device-management's PostgreSQL) or `any`: every id, for trials")
        .one_of(&["registry", "any"])
        .default::<String>("registry");
    let key = environment.variable("DEVICES_KEY", "with `any`: the key of every device over HTTP");
    if from.as_deref() == Ok("any") {
        return Ok(DevicesFrom::Any { key: key.secret()? });
    }
    // Of no use here, but `--print-config` lists it.
    let _ = key.optional_secret();
    let fresh =
        environment.variable("DEVICES_FRESH", "how long a device is believed without asking again").default("60s");
    let stale = environment.variable("DEVICES_STALE", "the same while PostgreSQL is away").default("1h");
    let report = environment
        .variable("DEVICES_SEEN_EVERY", "how often device-management is told which devices were heard of")
        .default("15s");
    let postgres = postgres::Settings::read(environment);
    from?;
    Ok(DevicesFrom::Registry {
        postgres: postgres?,
        belief: Belief { fresh: fresh?, stale: stale?, report: at_least_a_moment(report?) },
    })
}

/// `0s` would be no pause at all.
fn at_least_a_moment(time: Duration) -> Duration {
    time.max(Duration::from_millis(50))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// What is wrong with a configuration that differs in these from a right one.
    fn mistakes(more: &[(&str, &str)]) -> Vec<String> {
        let needed = [
            ("REDIS_HOST", "redis"),
            ("INFLUXDB_URL", "http://influxdb:8086"),
            ("INFLUXDB_DATABASE", "iot"),
            ("MQTT_ENABLED", "false"),
            ("POSTGRES_HOST", "postgres"),
            ("POSTGRES_PASSWORD", "correct horse"),
        ];
        let mut environment = Environment::of(needed.iter().chain(more).copied());
        let read = environment.read::<Config>();
        read.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case("PAYLOAD_LIMIT", "99999GiB", "is 107373108658176 bytes, outside 1KiB to 16MiB")]
    #[case("PAYLOAD_LIMIT", "0", "is 0 bytes, outside 1KiB to 16MiB")]
    #[case("STREAM_BYTES", "1", "is 1 bytes, outside 16KiB to 1024GiB")]
    #[case("DEAD_LETTERS_BYTES", "1", "is 1 bytes, outside 16KiB to 1024GiB")]
    #[case("BATCH_LINGER", "1h", "is 3600s, longer than 10s")]
    #[case(
        "ADMIN_TOKEN",
        "short",
        "has a token of fewer than 20 characters\n  = hint: make one with `openssl rand -base64 32`"
    )]
    fn values_that_nobody_can_mean(#[case] variable: &str, #[case] value: &str, #[case] mistake: &str) {
        assert_eq!(mistakes(&[(variable, value)]), [format!("error: `{variable}` {mistake}")]);
    }

    #[test]
    fn the_key_of_all_devices_is_always_listed_and_needed_where_it_is_used() {
        assert_eq!(mistakes(&[]), [""; 0]);
        assert_eq!(mistakes(&[("DEVICES", "any"), ("DEVICES_KEY", "correct horse")]), [""; 0]);
        let missing = mistakes(&[("DEVICES", "any")]);
        assert!(missing[0].starts_with("error: `DEVICES_KEY` is not set\n"), "{missing:?}");
        for devices in ["registry", "any", "nobody"] {
            let mut environment = Environment::of([("DEVICES", devices)]);
            let _ = environment.read::<Config>();
            let printed = environment.print();
            assert!(printed.contains("DEVICES_KEY_FILE names a file"), "{printed}");
        }
    }
}
