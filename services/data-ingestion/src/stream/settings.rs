//! How to reach Redis, and what the stream may hold.

use super::Durability;
use crate::bounds::within;
use diagnostic::Secret;
use service::config::{Bytes, Environment, Invalid};
use std::time::Duration;

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `REDIS_HOST`
    pub host: String,
    /// `REDIS_PORT`
    pub port: u16,
    /// `REDIS_DATABASE`
    pub database: i64,
    /// `REDIS_USERNAME`
    pub username: Option<String>,
    /// `REDIS_PASSWORD(_FILE)`
    pub password: Option<Secret<String>>,
    /// `REDIS_DURABILITY`
    pub durability: Durability,
    /// `STREAM_ENTRIES`
    pub entries: u64,
    /// `STREAM_BYTES`
    pub bytes: Bytes,
    /// `DEAD_LETTERS`
    pub dead_letters: u64,
    /// `DEAD_LETTERS_BYTES`
    pub dead_letters_bytes: Bytes,
    /// `RECEIPTS_LIFE`
    pub receipts_life: Duration,
    /// `CONSUMER_TIMEOUT`: after how long without a sign of life a consumer's entries are claimed.
    pub consumer_timeout: Duration,
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        environment.section("Redis");
        let host = environment.variable("REDIS_HOST", "host of Redis").required();
        let port = environment.variable("REDIS_PORT", "port of Redis").within(1, 65_535).default(6379);
        let database =
            environment.variable("REDIS_DATABASE", "number of the database").within(0, 1_000).default::<u32>(0);
        let username = environment.variable("REDIS_USERNAME", "our user (Redis' ACL)").optional();
        let password = environment.variable("REDIS_PASSWORD", "password of Redis").optional_secret();
        let durability = environment
            .variable(
                "REDIS_DURABILITY",
                "what Redis must promise: `always` loses nothing, `everysec` up to a second when its machine dies",
            )
            .one_of(&["always", "everysec"])
            .default::<String>("always");
        let entries = environment
            .variable("STREAM_ENTRIES", "most entries that wait for InfluxDB; then nothing more is acknowledged")
            .within(1, 1e9)
            .default(1_000_000);
        let bytes = environment
            .variable("STREAM_BYTES", "most bytes that wait for InfluxDB; Redis needs half as much again")
            .default::<Bytes>("64MiB");
        let bytes = within(environment, "STREAM_BYTES", bytes, ("16KiB", "1024GiB"));
        let dead_letters =
            environment.variable("DEAD_LETTERS", "most dead letters kept").within(1, 1e9).default(10_000);
        let dead_letters_bytes = environment
            .variable("DEAD_LETTERS_BYTES", "most bytes of dead letters; beyond either bound the oldest go, counted")
            .default::<Bytes>("16MiB");
        let dead_letters_bytes = within(environment, "DEAD_LETTERS_BYTES", dead_letters_bytes, ("16KiB", "1024GiB"));
        let receipts_life =
            environment.variable("RECEIPTS_LIFE", "how long the receipts of a silent device are kept").default("168h");
        let consumer_timeout = environment
            .variable("CONSUMER_TIMEOUT", "how long a replica may be silent before others take over its work")
            .at_least(Duration::from_secs(1))
            .default::<Duration>("5s");
        let durability = if durability?.as_str() == "always" { Durability::Always } else { Durability::EverySecond };
        Ok(Self {
            host: host?,
            port: port?,
            database: database?.into(),
            username: username?,
            password: password?,
            durability,
            entries: entries?,
            bytes: bytes?,
            dead_letters: dead_letters?,
            dead_letters_bytes: dead_letters_bytes?,
            receipts_life: receipts_life?,
            consumer_timeout: consumer_timeout?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_of_nothing_is_refused() {
        for timeout in ["0s", "500ms"] {
            let mut environment = Environment::of([("REDIS_HOST", "redis"), ("CONSUMER_TIMEOUT", timeout)]);
            assert!(Settings::read(&mut environment).is_err());
            let mistake = environment.mistakes()[0].to_string();
            assert_eq!(mistake, format!("error: `CONSUMER_TIMEOUT` is `{timeout}`, shorter than 1s"));
        }
    }
}
