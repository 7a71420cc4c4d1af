//! The service's configuration.

use crate::broker::{Ingestion, Seal};
use data_encoding::HEXLOWER;
use service::config::{Configuration, Environment, Invalid};
use service::{KeyHash, Secret, mqtt, postgres};
use std::time::Duration;

/// A token that people can guess is none; 128 bits in base64 are 22 characters.
const SHORTEST_TOKEN: usize = 20;

/// All that is set from outside.
#[derive(Debug)]
pub struct Config {
    pub(crate) postgres: postgres::Settings,
    pub(crate) mqtt: mqtt::Settings,
    pub(crate) admins: AdminTokens,
    pub(crate) seal: Seal,
    pub(crate) ingestion_username: String,
    pub(crate) ingestion: Option<Ingestion>,
    pub(crate) bind_client_id: bool,
    pub(crate) reconcile_every: Duration,
    pub(crate) online_within: Duration,
    pub(crate) import_lines: u64,
}

/// The tokens that administrators present; only their hashes are kept.
#[derive(Debug, Clone)]
pub struct AdminTokens(Vec<KeyHash>);

impl AdminTokens {
    /// One token a line, or `sha256:` and the hash of one; two while a token is being changed.
    ///
    /// # Errors
    /// What is wrong, as a fragment that follows the variable's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let hashes = lines.map(|line| match line.strip_prefix("sha256:") {
            Some(hash) => HEXLOWER
                .decode(hash.to_ascii_lowercase().as_bytes())
                .ok()
                .and_then(|bytes| KeyHash::from_slice(&bytes))
                .ok_or_else(|| "has a `sha256:` without 64 hexadecimal digits after it".to_owned()),
            None if line.len() < SHORTEST_TOKEN => {
                Err(format!("has a token of fewer than {SHORTEST_TOKEN} characters"))
            }
            None => Ok(KeyHash::of(line)),
        });
        let hashes: Vec<KeyHash> = hashes.collect::<Result<_, _>>()?;
        if hashes.is_empty() { Err("holds no token".to_owned()) } else { Ok(Self(hashes)) }
    }

    /// Whether it is one of them. Each is compared, so that the time tells nothing.
    pub fn matches(&self, token: &str) -> bool {
        self.0.iter().fold(false, |found, hash| found | hash.matches(token))
    }
}

impl Configuration for Config {
    fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        let postgres = postgres::Settings::read(environment);
        let mqtt = mqtt::Settings::read(environment);
        environment.section("MQTT accounts");
        let key = environment
            .variable(
                "OUTBOX_KEY",
                "seals device keys that the broker has not taken yet: 32 bytes, hexadecimal or base64",
            )
            .hint("make one with `openssl rand -hex 32`, and keep it: without it waiting keys are lost")
            .secret();
        let bind_client_id = environment
            .variable(
                "MQTT_BIND_CLIENT_ID",
                "whether a device must use its id as client id, so that it cannot push out another",
            )
            .default(true);
        let reconcile_every = environment
            .variable("RECONCILE_EVERY", "how often all accounts are compared with the broker's")
            .default("10m");
        let ingestion_name = environment
            .variable("MQTT_INGESTION_USERNAME", "account of data-ingestion, made here when its password is set")
            .default::<String>("data-ingestion");
        let ingestion_password =
            environment.variable("MQTT_INGESTION_PASSWORD", "password of data-ingestion's account").optional_secret();
        environment.section("Devices");
        let tokens = environment
            .variable(
                "ADMIN_TOKEN",
                "what administrators present as bearer token: one a line, or `sha256:` and its hash",
            )
            .hint("make one with `openssl rand -base64 32`")
            .secret();
        let online_within = environment
            .variable("ONLINE_WITHIN", "a device that was heard of within this time is online")
            .default("10m");
        let import_lines = environment
            .variable("IMPORT_LINES", "how many lines an import may have")
            .within(1, 10_000_000)
            .default(100_000);
        let seal =
            key.and_then(|key| Seal::parse(&key).map_err(|wrong| environment.mistake("OUTBOX_KEY", wrong, None)));
        let admins = tokens.and_then(|tokens| {
            AdminTokens::parse(tokens.reveal()).map_err(|wrong| {
                environment.mistake("ADMIN_TOKEN", wrong, Some("make one with `openssl rand -base64 32`"))
            })
        });
        let ingestion_name = ingestion_name?;
        Ok(Self {
            postgres: postgres?,
            mqtt: mqtt?,
            admins: admins?,
            seal: seal?,
            ingestion_username: ingestion_name.clone(),
            ingestion: ingestion_password?
                .map(|password: Secret<String>| Ingestion { username: ingestion_name, password }),
            bind_client_id: bind_client_id?,
            reconcile_every: reconcile_every?,
            online_within: online_within?,
            import_lines: import_lines?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", false)]
    #[case("short", false)]
    #[case("sha256:abc", false)]
    #[case("a-token-of-enough-characters", true)]
    #[case("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", true)]
    fn tokens(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(AdminTokens::parse(text).is_ok(), valid);
    }

    #[test]
    fn each_line_is_a_token() {
        let tokens = AdminTokens::parse("the-first-token-of-two\nthe-second-token-of-two\n").unwrap();
        assert!(tokens.matches("the-first-token-of-two") && tokens.matches("the-second-token-of-two"));
        assert!(!tokens.matches("the-first-token-of-two\nthe-second-token-of-two") && !tokens.matches(""));
    }

    #[test]
    fn nothing_has_a_default_that_guards() {
        let mut environment = Environment::of([("POSTGRES_HOST", "db"), ("MQTT_HOST", "broker")]);
        let mistakes = environment.read::<Config>().expect_err("no secrets");
        let names: Vec<&str> = mistakes.iter().map(|mistake| mistake.variable.as_str()).collect();
        assert_eq!(names, ["OUTBOX_KEY", "ADMIN_TOKEN"]);
    }
}
