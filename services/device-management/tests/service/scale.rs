//! Many devices: what an import, the accounts at the broker and a comparison of all of them take. Run by hand:
//! `RECONCILE_EVERY=10m cargo test --release -p device-management --test service -- --ignored --nocapture accounts_at_scale`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement tells its figures, or panics")]

use crate::mqtt::{Client, Heard};
use crate::running::{Running, TOKEN};
use http::StatusCode;
use iot_support::{Mosquitto, Postgres, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Accounts that are made while it is measured.
const NEW: usize = 20;

/// Making all of them one by one takes Mosquitto 2.0 half an hour, as it writes its whole store at each command: most are in
/// the store from the start here, and the last ones are measured.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of some minutes, by hand: see the head of scale.rs"]
async fn accounts_at_scale() {
    let counts = std::env::var("ACCOUNTS").unwrap_or_else(|_| "1000 5000 10000".to_owned());
    for count in counts.split_whitespace() {
        with(count.parse().unwrap()).await;
    }
}

async fn import(running: &Running, lines: impl Iterator<Item = String>) -> Duration {
    let lines: String = lines.map(|id| format!("{{\"id\":\"{id}\",\"type\":\"ESP32-S3\"}}\n")).collect();
    let request = http::Request::post("/api/v1/devices/import").header("content-type", "application/x-ndjson");
    let request = request.header("authorization", format!("Bearer {TOKEN}")).body(lines.into()).unwrap();
    let begun = Instant::now();
    let answer = running.raw(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap();
    begun.elapsed()
}

async fn with(count: usize) {
    let (postgres, mut mosquitto) = (Postgres::start(), Mosquitto::start());
    mosquitto.kill();
    let mut running = Running::on(postgres, mosquitto).await;
    let port = running.mosquitto.port();
    let imported = import(&running, (0..count).map(|n| format!("dev-{n:05}"))).await;
    fill(&running);
    running.postgres.psql("iotdb", "DELETE FROM broker_outbox");
    let key = running.register("dev-watched").await;
    running.mosquitto.restart();
    let begun = Instant::now();
    running.in_step("dev-watched").await;
    let noticed = begun.elapsed();
    let mut watched = Client::connect(port, "dev-watched", &key, "dev-watched").await.unwrap();

    let (begun, cpu) = (Instant::now(), cpu(&running));
    import(&running, (0..NEW).map(|n| format!("new-{n:05}"))).await;
    none_waits(&running).await;
    let (each, cpu) = (begun.elapsed() / NEW as u32, (self::cpu(&running) - cpu) / NEW as u32);
    import(&running, (0..NEW).map(|n| format!("more-{n:05}"))).await;
    let begun = Instant::now();
    running.ask("DELETE", "/api/v1/devices/dev-watched/credential", None).await;
    assert_eq!(watched.next().await, Heard::CutOff);
    let cut_off = begun.elapsed();
    none_waits(&running).await;
    assert_eq!(running.get("/api/v1/devices?account=lost&limit=1").await.1["items"], json!([]));
    let (_, metrics) = running.text("/metrics").await;
    let value = |name: &str| {
        let found = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        found.unwrap_or_default()
    };
    let compared = value("mqtt_reconcile_seconds_sum ") / value("mqtt_reconcile_seconds_count ").max(1.0);
    let size = std::fs::metadata(running.mosquitto.store()).unwrap().len() >> 10;
    println!(
        "{count} devices: imported in {imported:?}; {each:?} at the broker for each new one, {cpu:?} of its processor; first account {noticed:?} after its start; \
         revoked while accounts are made: cut off after {cut_off:?}; all compared in {compared:.2} s; the plugin's store has {size} KiB"
    );
}

/// Processor time of the broker, which other programs on the machine do not change.
fn cpu(running: &Running) -> Duration {
    let id = running.mosquitto.process().unwrap().id();
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // Fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms.
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
    Duration::from_millis(10 * fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>())
}

async fn none_waits(running: &Running) {
    until(
        "no change waits",
        Duration::from_secs(300),
        || running.mosquitto.log(),
        || async {
            let waiting = "SELECT device_id, attempts, last_error, due_at FROM broker_outbox LIMIT 3";
            let waiting = running.postgres.psql("iotdb", waiting);
            if waiting.is_empty() { Ok(()) } else { Err(waiting) }
        },
    )
    .await;
}

/// Writes all devices into the plugin's store, as if the broker had made them.
fn fill(running: &Running) {
    let file = running.mosquitto.store();
    let mut store: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let devices = running.postgres.psql("iotdb", "SELECT device_id || ' ' || id FROM credentials");
    for line in devices.lines() {
        let (id, credential) = line.split_once(' ').unwrap();
        let role = format!("device:{id}");
        let client = json!({"username": id, "clientid": id, "textdescription": format!("credential {credential}"),
            "roles": [{"rolename": role}], "password": format!("{}==", "A".repeat(86)), "salt": "A".repeat(16), "iterations": 101});
        store["clients"].as_array_mut().unwrap().push(client);
        let rule = |kind: &str, topic: String| json!({"acltype": kind, "topic": topic, "priority": 0, "allow": true});
        let rules = [
            rule("publishClientReceive", format!("neurobuild/devices/{id}/+")),
            rule("publishClientSend", format!("neurobuild/sensors/{id}/+")),
            rule("subscribePattern", format!("neurobuild/devices/{id}/+")),
        ];
        store["roles"].as_array_mut().unwrap().push(json!({"rolename": role, "acls": rules}));
    }
    std::fs::write(file, store.to_string()).unwrap();
}
