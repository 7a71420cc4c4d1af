//! The service's configuration.

use crate::broker::{Ingestion, Seal};
use service::config::{Configuration, Environment, Invalid};
use service::{AdminTokens, Secret, mqtt, postgres};
use std::time::Duration;

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
        let tokens = environment.variable(AdminTokens::VARIABLE, AdminTokens::ABOUT).hint(AdminTokens::HINT).secret();
        let online_within = environment
            .variable("ONLINE_WITHIN", "a device that was heard of within this time is online")
            .default("10m");
        let import_lines = environment
            .variable("IMPORT_LINES", "how many lines an import may have")
            .within(1, 10_000_000)
            .default(100_000);
        let seal =
            key.and_then(|key| Seal::parse(&key).map_err(|wrong| environment.mistake("OUTBOX_KEY", wrong, None)));
        let admins = tokens.and_then(|tokens| AdminTokens::read(environment, &tokens));
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

    #[test]
    fn nothing_has_a_default_that_guards() {
        let mut environment = Environment::of([("POSTGRES_HOST", "db"), ("MQTT_HOST", "broker")]);
        let mistakes = environment.read::<Config>().expect_err("no secrets");
        let names: Vec<&str> = mistakes.iter().map(|mistake| mistake.variable.as_str()).collect();
        assert_eq!(names, ["OUTBOX_KEY", "ADMIN_TOKEN"]);
    }
}
