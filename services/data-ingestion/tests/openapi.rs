//! The HTTP interface and its document: the committed one is current, and the running service keeps it.

#![expect(clippy::disallowed_methods, reason = "the service is a program here")]

use data_encoding::BASE64;
use data_ingestion::{ABOUT, Config};
use iot_support::{Influx, Process, Redis, free_port, schemathesis};
use service::Context;
use service::config::Environment;
use std::process::Command;

const TOKEN: &str = "of-an-operator-in-a-test";
const KEY: &str = "of-any-device-in-a-test";

/// `UPDATE_DOCS=1 cargo test -p data-ingestion --test openapi` writes the file anew.
#[tokio::test]
async fn the_committed_document_is_current() {
    // Nobody is at these addresses, and nobody is needed.
    let variables = [
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", "1"),
        ("INFLUXDB_URL", "http://127.0.0.1:1"),
        ("INFLUXDB_DATABASE", "iot"),
        ("MQTT_ENABLED", "false"),
        ("DEVICES", "any"),
        ("DEVICES_KEY", KEY),
    ];
    let config = Environment::of(variables).read::<Config>().unwrap();
    let context = Context::default();
    let app = data_ingestion::start(config, context.clone()).await.unwrap();
    context.shutdown.begin();
    iot_support::current("docs/reference/data-ingestion.openapi.json", &service::document(app, &ABOUT));
}

#[test]
fn the_service_keeps_its_document() {
    let (redis, influx, port) = (Redis::start(), Influx::start(), free_port());
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_data-ingestion"));
    command.envs(redis.variables()).envs(influx.variables()).env("MQTT_ENABLED", "false");
    command.env("DEVICES", "any").env("DEVICES_KEY", KEY).env("ADMIN_TOKEN", TOKEN);
    command.env("SERVICE_ADDRESS", "127.0.0.1").env("SERVICE_PORT", port.to_string());
    let _service = Process::start(&mut command, &place.path().join("log"), port).unwrap();
    let device = BASE64.encode(format!("esp-1:{KEY}").as_bytes());
    let configuration = format!(
        "headers = {{ Authorization = \"Basic {device}\" }}\n\n\
         [[operations]]\ninclude-tag = \"dead letters\"\nheaders = {{ Authorization = \"Bearer {TOKEN}\" }}\n"
    );
    schemathesis(port, &configuration);
}
