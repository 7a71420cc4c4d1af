//! Two replicas that change accounts while they compare them.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use crate::mqtt::Client;
use crate::running::{Running, ask, eventually, serve_comparing};
use axum::Router;
use futures::future::join_all;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

const DEVICES: usize = 6;
/// Comparisons while accounts change.
const COMPARISONS: usize = 6;

/// Gives the device new keys, takes them away and suspends it, by one replica and the other, until it is enough; its last key, if
/// it has one.
async fn change(device: usize, replicas: &[Router; 2], enough: impl Fn() -> bool) -> Option<String> {
    let path = format!("/api/v1/devices/{}", name(device));
    let mut key = None;
    for round in device.. {
        let replica = &replicas[round % 2];
        let (status, answer) = match round % 4 {
            3 => ask(replica, "DELETE", &format!("{path}/credential"), None).await,
            2 => ask(replica, "PATCH", &path, Some(json!({"state": "suspended"}))).await,
            1 => ask(replica, "PATCH", &path, Some(json!({"state": "active"}))).await,
            _ => ask(replica, "POST", &format!("{path}/credential/rotate"), None).await,
        };
        assert!(status.is_success(), "{path}: {status} {answer}");
        none_lost(replica).await;
        match round % 4 {
            3 => key = None,
            0 => key = Some(answer["key"].as_str().unwrap().to_owned()),
            _ => {}
        }
        if round > device + 4 && enough() {
            break;
        }
    }
    let (status, answer) = ask(&replicas[0], "PATCH", &path, Some(json!({"state": "active"}))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    key
}

async fn none_lost(replica: &Router) {
    let (_, lost) = ask(replica, "GET", "/api/v1/devices?account=lost", None).await;
    assert_eq!(lost["items"], json!([]), "no account was lost");
}

fn name(device: usize) -> String {
    format!("dev-{device:02}")
}

/// How often all accounts were listed, by whomever.
fn compared(running: &Running) -> usize {
    running.mosquitto.log().matches("| listClients |").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_changes_while_another_compares_stays_changed() {
    let running = Running::start().await;
    let every = "1ms";
    let (first, _first) =
        serve_comparing(&running.postgres, &running.mosquitto, &running.ingestion_password, every).await;
    let (second, _second) =
        serve_comparing(&running.postgres, &running.mosquitto, &running.ingestion_password, every).await;
    for device in 0..DEVICES {
        running.register(&name(device)).await;
    }
    let until = compared(&running) + COMPARISONS;
    let replicas = [first, second];
    let changes = join_all((0..DEVICES).map(|device| change(device, &replicas, || compared(&running) >= until)));
    let keys = tokio::time::timeout(Duration::from_secs(120), changes).await.expect("comparisons within two minutes");
    // What a comparison that began before the last change does wrong shows after it.
    let until = compared(&running) + 4;
    eventually("more comparisons", Duration::from_secs(60), || async { compared(&running) >= until }).await;
    for (device, key) in keys.iter().enumerate() {
        let name = name(device);
        running.account(&name, if key.is_some() { "in_step" } else { "none" }).await;
        let entered = Client::connect(running.mosquitto.port(), &name, key.as_deref().unwrap_or("none"), &name).await;
        assert_eq!(entered.is_ok(), key.is_some(), "{name}");
    }
    none_lost(&replicas[0]).await;
}
