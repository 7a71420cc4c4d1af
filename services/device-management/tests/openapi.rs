//! The HTTP interface and its document: the committed one is current, and the running service keeps it.

#![expect(clippy::disallowed_methods, reason = "the service is a program here")]

use device_management::{ABOUT, Config};
use iot_support::{Mosquitto, Postgres, Process, free_port, schemathesis};
use service::Context;
use service::config::Environment;
use std::process::Command;
use std::time::Duration;

const TOKEN: &str = "of-an-administrator-in-a-test";

/// `UPDATE_DOCS=1 cargo test -p device-management --test openapi` writes the file anew.
#[tokio::test]
async fn the_committed_document_is_current() {
    // Nobody is at these addresses, and nobody is needed.
    let variables =
        [("POSTGRES_HOST", "127.0.0.1"), ("POSTGRES_PORT", "1"), ("MQTT_HOST", "127.0.0.1"), ("MQTT_PORT", "1")];
    let secrets = [("ADMIN_TOKEN", TOKEN), ("OUTBOX_KEY", &"0b".repeat(32))];
    let config = Environment::of(variables.into_iter().chain(secrets)).read::<Config>().unwrap();
    let context = Context::default();
    let app = device_management::start(config, context.clone()).await.unwrap();
    context.shutdown.begin();
    iot_support::current("docs/reference/device-management.openapi.json", &service::document(app, &ABOUT));
}

#[test]
fn the_service_keeps_its_document() {
    let (postgres, mosquitto, port) = (Postgres::start(), Mosquitto::start(), free_port());
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_device-management"));
    command.envs(postgres.variables()).envs(mosquitto.variables()).env("OUTBOX_KEY", "0b".repeat(32));
    command.env("ADMIN_TOKEN", TOKEN).env("SERVICE_ADDRESS", "127.0.0.1").env("SERVICE_PORT", port.to_string());
    let _service = Process::start(&mut command, &place.path().join("log"), port).unwrap();
    support::wait_until("the tables are there", Duration::from_secs(30), || {
        iot_support::get(port, "/ready").contains(r#""status":"ready""#)
    });
    // What the document has as examples.
    iot_support::post(port, "/api/v1/devices", TOKEN, r#"{"id": "ESP32-3F2A9C01", "type": "ESP32-S3"}"#);
    // Its other way of guessing which request follows, by `Location`, takes a new device for a group.
    let guess = "[phases.stateful.inference]\nalgorithms = [\"dependency-analysis\"]\n";
    schemathesis(port, &format!("headers = {{ Authorization = \"Bearer {TOKEN}\" }}\n{guess}"));
}

/// What an operator can set and see stands in the README.
#[test]
fn the_readme_names_every_variable_and_metric() {
    let readme = include_str!("../README.md");
    let mut environment = Environment::default();
    environment.read::<Config>().expect_err("nothing is set");
    let printed = environment.print();
    let variables =
        printed.lines().filter_map(|line| line.trim_start_matches("# ").split_once('=')).map(|(name, _)| name);
    let mut unnamed: Vec<String> = variables
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .filter(|name| {
            let short = name.split_once('_').map_or_else(String::new, |(_, rest)| format!("`_{rest}`"));
            !readme.contains(&format!("`{name}`")) && !readme.contains(&short)
        })
        .map(str::to_owned)
        .collect();
    let (_, metrics) = readme.split_once("Metrics of its own:").unwrap();
    for file in ["src/broker/worker.rs", "src/broker/client.rs", "src/http/auth.rs"] {
        let source = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let names = source.split("metrics::").skip(1).filter_map(|rest| rest.split('"').nth(1));
        unnamed.extend(names.filter(|name| !metrics.contains(name)).map(str::to_owned));
    }
    assert_eq!(unnamed, Vec::<String>::new());
}
