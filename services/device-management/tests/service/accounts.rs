//! Accounts at the broker: in step with the devices, whatever was down meanwhile, and nobody hears or says another's.

use crate::mqtt::{Client, Heard};
use crate::running::{Running, eventually};
use http::StatusCode;
use iot_support::{ADMIN_USER, installed};
use serde_json::json;
use std::time::{Duration, Instant};

async fn ingestion(running: &Running) -> Client {
    let port = running.mosquitto.port();
    let mut client = eventually("ingestion has its account", Duration::from_secs(20), || async {
        Client::connect(port, "data-ingestion", "of-ingestion", "ingestion-1").await.ok()
    })
    .await;
    assert!(client.subscribe("$share/ingestion/neurobuild/sensors/+/+").await);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_has_its_own_topics_only() {
    let running = Running::start().await;
    let port = running.mosquitto.port();
    let (key, other_key) = (running.register("dev-a").await, running.register("dev-b").await);
    running.in_step("dev-a").await;
    running.in_step("dev-b").await;
    let mut ingestion = ingestion(&running).await;
    let mut device = Client::connect(port, "dev-a", &key, "dev-a").await.unwrap();
    let mut other = Client::connect(port, "dev-b", &other_key, "dev-b").await.unwrap();

    for own in ["neurobuild/devices/dev-a/receipts", "neurobuild/devices/dev-a/commands", "neurobuild/devices/dev-a/+"]
    {
        assert!(device.subscribe(own).await, "{own}");
    }
    for foreign in [
        "neurobuild/devices/dev-b/receipts",
        "neurobuild/devices/+/receipts",
        "neurobuild/devices/#",
        "neurobuild/#",
        "#",
        "+/+/+/+",
        "neurobuild/sensors/dev-b/data",
        "neurobuild/sensors/dev-a/data",
        "$share/x/neurobuild/sensors/+/+",
        "$share/x/neurobuild/devices/dev-b/receipts",
        "$share/x/neurobuild/devices/dev-a/receipts",
        "$share/ingestion/neurobuild/sensors/dev-a/data",
        "$SYS/#",
        "$SYS/broker/uptime",
        "$CONTROL/#",
        "$CONTROL/dynamic-security/v1/response",
    ] {
        assert!(!device.subscribe(foreign).await, "{foreign}");
    }
    for foreign in [
        "neurobuild/sensors/dev-b/data",
        "neurobuild/devices/dev-a/receipts",
        "neurobuild/devices/dev-b/commands",
        "neurobuild/sensors/dev-a",
        "neurobuild/sensors/dev-a/data/more",
        "neurobuild/sensors/dev-b/../dev-a/data",
        "neurobuild",
        "$CONTROL/dynamic-security/v1",
        "$SYS/broker/uptime",
    ] {
        assert!(!device.publish(foreign, "forged").await, "{foreign}");
    }
    assert!(other.publish("neurobuild/sensors/dev-b/data", "of b").await);
    assert!(device.publish("neurobuild/sensors/dev-a/data", "of a").await);
    assert!(device.publish("neurobuild/sensors/dev-a/pir", "of a").await);
    let mut arrived = Vec::new();
    while arrived.len() < 3 {
        arrived.push(ingestion.next().await);
    }
    let message = |text: &str| Heard::Message(text.to_owned());
    assert!(arrived.contains(&message("neurobuild/sensors/dev-b/data=of b")), "{arrived:?}");
    assert!(arrived.contains(&message("neurobuild/sensors/dev-a/pir=of a")), "{arrived:?}");
    assert!(ingestion.publish("neurobuild/devices/dev-a/receipts", "7").await);
    assert_eq!(device.next().await, message("neurobuild/devices/dev-a/receipts=7"));
    device.heard();
    assert!(!ingestion.publish("neurobuild/devices/dev-a/commands", "x").await);
    assert!(!ingestion.publish("neurobuild/sensors/dev-a/data", "forged").await);
    assert_eq!(other.heard(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_will_nor_an_older_protocol_nor_what_is_retained_crosses_the_border() {
    let running = Running::start().await;
    let port = running.mosquitto.port();
    let (key, other_key) = (running.register("dev-a").await, running.register("dev-b").await);
    running.in_step("dev-a").await;
    running.in_step("dev-b").await;
    let mut ingestion = ingestion(&running).await;
    assert!(ingestion.publish_retained("neurobuild/devices/dev-b/receipts", "of b").await);
    let mut other = Client::connect(port, "dev-b", &other_key, "dev-b").await.unwrap();
    assert!(other.subscribe("neurobuild/devices/dev-b/+").await);
    assert_eq!(other.next().await, Heard::Message("neurobuild/devices/dev-b/receipts=of b".to_owned()));

    // MQTT 3.1.1 has no word for a refusal: what may not be said is taken and dropped.
    let broker = port.to_string();
    let run = |program: &str, words: &[&str]| {
        let identity = ["-V", "311", "-p", &broker, "-i", "dev-a", "-u", "dev-a", "-P", &key];
        let output = std::process::Command::new(installed(program)).args(identity).args(words).output();
        String::from_utf8_lossy(&output.expect(program).stdout).into_owned()
    };
    for (topic, text) in [
        ("neurobuild/sensors/dev-b/data", "forged"),
        ("neurobuild/devices/dev-b/receipts", "forged"),
        ("neurobuild/devices/dev-a/receipts", "forged"),
    ] {
        run("mosquitto_pub", &["-q", "1", "-r", "-t", topic, "-m", text]);
    }
    let will = ["--will-topic", "neurobuild/sensors/dev-b/data", "--will-payload", "forged", "--will-qos", "1"];
    // `-W`: it leaves after a second, by closing the connection; its subscription is refused.
    let heard = run(
        "mosquitto_sub",
        &[&["-W", "1", "-v", "-t", "neurobuild/devices/dev-b/receipts", "-t", "#"][..], &will].concat(),
    );
    assert_eq!(heard, "");
    // Killed, so that its will is spoken.
    let child = std::process::Command::new(installed("mosquitto_sub"))
        .args(["-p", &broker, "-i", "dev-a", "-u", "dev-a", "-P", &key, "-t", "neurobuild/devices/dev-a/+"])
        .args(will)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut child = child.expect("mosquitto_sub");
    eventually("it is connected with its will", Duration::from_secs(10), || async {
        running.mosquitto.log().matches("as dev-a").count() >= 5
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let mut device = eventually("dev-a gets in again", Duration::from_secs(10), || async {
        Client::connect(port, "dev-a", &key, "dev-a").await.ok()
    })
    .await;
    assert!(device.publish("neurobuild/sensors/dev-a/data", "the last").await);
    let message = |text: &str| Heard::Message(text.to_owned());
    assert_eq!(ingestion.next().await, message("neurobuild/sensors/dev-a/data=the last"));
    assert_eq!((ingestion.heard(), other.heard()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_takes_no_account_of_somebody_else() {
    let running = Running::start().await;
    let port = running.mosquitto.port();
    for reserved in [ADMIN_USER, "data-ingestion"] {
        let body = json!({"id": reserved, "type": "ESP32-S3"});
        let (status, problem) = running.ask("POST", "/api/v1/devices", Some(body)).await;
        assert_eq!((status.as_u16(), problem["errors"][0]["pointer"].as_str()), (422, Some("/id")), "{problem}");
    }
    // An account that somebody made by hand, as for a dashboard.
    running.mosquitto.control(&["createClient", "dashboard", "-p", "of-the-dashboard"]);
    let key = running.register("dashboard").await;
    let reason = eventually("the refusal is told", Duration::from_secs(10), || async {
        let (_, state) = running.get("/api/v1/devices/dashboard/credential").await;
        state["problem"].as_str().map(str::to_owned)
    })
    .await;
    assert!(reason.contains("is not a device's"), "{reason}");
    assert!(Client::connect(port, "dashboard", &key, "dashboard").await.is_err());
    assert_eq!(running.ask("DELETE", "/api/v1/devices/dashboard", None).await.0, StatusCode::NO_CONTENT);
    eventually("nothing waits", Duration::from_secs(10), || async {
        running.postgres.psql("iotdb", "SELECT count(*) FROM broker_outbox") == "0"
    })
    .await;
    assert!(Client::connect(port, "dashboard", "of-the-dashboard", "any").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_took_away_by_hand_comes_back() {
    let running = Running::start().await;
    let port = running.mosquitto.port();
    let key = running.register("dev-a").await;
    running.in_step("dev-a").await;
    // Not `deleteRole`: of a role that an account has, Mosquitto 2.0.11 goes on to read what it has freed, and dies (seen).
    running.mosquitto.control(&["removeClientRole", "dev-a", "device:dev-a"]);
    running.mosquitto.control(&["disableClient", "dev-a"]);
    eventually("it may say again what it may", Duration::from_secs(10), || async {
        let mut device = Client::connect(port, "dev-a", &key, "dev-a").await.ok()?;
        device.publish("neurobuild/sensors/dev-a/data", "of a").await.then_some(())
    })
    .await;
    assert_eq!(running.get("/api/v1/devices/dev-a").await.1["account"], "in_step");
}

#[tokio::test(flavor = "multi_thread")]
async fn ingestions_password_can_be_changed_and_is_left_alone_otherwise() {
    let mut running = Running::start().await;
    let port = running.mosquitto.port();
    let mut connected = ingestion(&running).await;
    running.restart().await;
    let key = running.register("dev-a").await;
    running.in_step("dev-a").await;
    let mut device = Client::connect(port, "dev-a", &key, "dev-a").await.unwrap();
    assert!(device.publish("neurobuild/sensors/dev-a/data", "of a").await);
    assert_eq!(connected.next().await, Heard::Message("neurobuild/sensors/dev-a/data=of a".to_owned()));
    running.ingestion_password = "another-of-ingestion".to_owned();
    running.restart().await;
    eventually("the new password is taken", Duration::from_secs(10), || async {
        Client::connect(port, "data-ingestion", "another-of-ingestion", "ingestion-2").await.ok()
    })
    .await;
    assert!(Client::connect(port, "data-ingestion", "of-ingestion", "ingestion-3").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_with_anothers_key_or_name() {
    let running = Running::start().await;
    let port = running.mosquitto.port();
    let (key, other_key) = (running.register("dev-a").await, running.register("dev-b").await);
    running.in_step("dev-b").await;
    running.in_step("dev-a").await;
    assert!(Client::connect(port, "dev-a", &other_key, "dev-a").await.is_err());
    assert!(Client::connect(port, "dev-a", "", "dev-a").await.is_err());
    let mut other = Client::connect(port, "dev-b", &other_key, "dev-b").await.unwrap();
    // Under the client id of another the broker would end that one's connection.
    assert!(Client::connect(port, "dev-a", &key, "dev-b").await.is_err());
    assert!(other.publish("neurobuild/sensors/dev-b/data", "still there").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_rotated_suspended_and_decommissioned_devices_are_cut_off() {
    let running = Running::start().await;
    let port = running.mosquitto.port();
    let ways = [
        ("dev-revoked", "DELETE", "/credential", None),
        ("dev-rotated", "POST", "/credential/rotate", None),
        ("dev-suspended", "PATCH", "", Some(json!({"state": "suspended"}))),
        ("dev-gone", "DELETE", "", None),
    ];
    for (id, method, path, body) in ways {
        let key = running.register(id).await;
        running.in_step(id).await;
        let mut device = Client::connect(port, id, &key, id).await.unwrap();
        assert!(device.subscribe(&format!("neurobuild/devices/{id}/commands")).await);
        let begun = Instant::now();
        let (status, answer) = running.ask(method, &format!("/api/v1/devices/{id}{path}"), body).await;
        assert!(status.is_success(), "{id}: {status} {answer}");
        assert_eq!(device.next().await, Heard::CutOff, "{id}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "{id} was cut off only after {took:?}");
        eventually("the old key is void", Duration::from_secs(5), || async {
            Client::connect(port, id, &key, id).await.is_err()
        })
        .await;
        match id {
            "dev-rotated" => {
                let new = answer["key"].as_str().unwrap();
                running.in_step(id).await;
                assert!(Client::connect(port, id, new, id).await.is_ok());
            }
            "dev-suspended" => {
                let (status, _) =
                    running.ask("PATCH", &format!("/api/v1/devices/{id}"), Some(json!({"state": "active"}))).await;
                assert_eq!(status, StatusCode::OK);
                running.in_step(id).await;
                assert!(Client::connect(port, id, &key, id).await.is_ok());
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_the_broker_was_down_is_made_up_for() {
    let mut running = Running::start().await;
    let port = running.mosquitto.port();
    let revoked_key = running.register("dev-revoked").await;
    let rotated_key = running.register("dev-rotated").await;
    running.in_step("dev-revoked").await;
    running.in_step("dev-rotated").await;
    running.mosquitto.kill();
    let key = running.register("dev-new").await;
    let (status, rotated) = running.ask("POST", "/api/v1/devices/dev-rotated/credential/rotate", None).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(running.ask("DELETE", "/api/v1/devices/dev-revoked/credential", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.get("/api/v1/devices/dev-new").await.1["account"], "waiting");
    let stored =
        running.postgres.psql("iotdb", "SELECT encode(sealed, 'escape') FROM broker_outbox WHERE sealed IS NOT NULL");
    assert!(!stored.is_empty() && !stored.contains("nbk_") && !stored.contains(&key[..20]), "{stored}");
    // The service may go down too: what waits is in the database.
    running.restart().await;
    running.mosquitto.restart();
    running.in_step("dev-new").await;
    running.in_step("dev-rotated").await;
    running.account("dev-revoked", "none").await;
    assert!(Client::connect(port, "dev-new", &key, "dev-new").await.is_ok());
    assert!(Client::connect(port, "dev-rotated", rotated["key"].as_str().unwrap(), "dev-rotated").await.is_ok());
    assert!(Client::connect(port, "dev-rotated", &rotated_key, "dev-rotated").await.is_err());
    assert!(Client::connect(port, "dev-revoked", &revoked_key, "dev-revoked").await.is_err());
    assert_eq!(running.postgres.psql("iotdb", "SELECT count(*) FROM broker_outbox"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_noticed_and_mended_by_new_keys() {
    let mut running = Running::start().await;
    let port = running.mosquitto.port();
    let old_key = running.register("dev-a").await;
    running.in_step("dev-a").await;
    running.mosquitto.kill();
    running.mosquitto.forget_accounts();
    running.mosquitto.restart();
    running.account("dev-a", "lost").await;
    let (_, lost) = running.get("/api/v1/devices?account=lost").await;
    assert_eq!(lost["items"][0]["id"], "dev-a");
    assert!(Client::connect(port, "dev-a", &old_key, "dev-a").await.is_err());
    let (_, key) = running.ask("POST", "/api/v1/devices/dev-a/credential/rotate", None).await;
    running.in_step("dev-a").await;
    assert!(Client::connect(port, "dev-a", key["key"].as_str().unwrap(), "dev-a").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_does_not_let_revoked_devices_in() {
    let mut running = Running::start().await;
    let port = running.mosquitto.port();
    let revoked_key = running.register("dev-revoked").await;
    let rotated_key = running.register("dev-rotated").await;
    running.in_step("dev-revoked").await;
    running.in_step("dev-rotated").await;
    let backup = std::fs::read(running.mosquitto.store()).unwrap();
    running.ask("DELETE", "/api/v1/devices/dev-revoked/credential", None).await;
    running.ask("POST", "/api/v1/devices/dev-rotated/credential/rotate", None).await;
    running.account("dev-revoked", "none").await;
    running.in_step("dev-rotated").await;
    running.mosquitto.kill();
    std::fs::write(running.mosquitto.store(), backup).unwrap();
    running.mosquitto.restart();
    running.account("dev-rotated", "lost").await;
    eventually("the old keys are void", Duration::from_secs(10), || async {
        let revoked = Client::connect(port, "dev-revoked", &revoked_key, "dev-revoked").await;
        let rotated = Client::connect(port, "dev-rotated", &rotated_key, "dev-rotated").await;
        revoked.is_err() && rotated.is_err()
    })
    .await;
}
