//! The way from the sensor to the series, with real servers: Mosquitto, Redis, InfluxDB. With everything killed at random:
//! `tests/iot-path`.

mod harness;

use harness::Path;
use iot_support::{Influx, Redis};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn every_reading_is_stored_once_over_all_transports_with_all_faults() {
    let path = Path::start(1);
    let arguments = "--devices 24 --messages 2400 --transport mqtt,mqtt4,http,ws --duplicates 0.05 --late 0.05 --same-time 0.1 \
                     --malformed 0.02 --reconnects 0.1 --repeat-after 3";
    let summary = path.simulate(arguments).await;
    harness::say(&summary.to_string());
    assert_eq!(summary["accepted"], 2400, "{summary}");
    // Those that are no readings stop no row.
    assert!(summary["malformed_settled"].as_u64() > Some(10), "{summary}");
    path.verify().await;
    assert!(path.metric(0, "ingestion_refused_total{reason=\"not_finite\"}").await > 0.0);
    assert!(path.dead_letters(0).await.len() > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_influxdb_away_the_stream_fills_then_nothing_is_acknowledged_and_all_arrives_later() {
    let mut path = Path::start_with(1, &[("STREAM_BYTES", "48KiB")]);
    path.influx.kill();
    let arguments = "--devices 20 --messages 4000 --transport mqtt,http --connections 2 --window 400 --repeat-after 30";
    let simulation = path.simulate_apart(arguments);
    path.until("the stream is full", || async { path.metric(0, "ingestion_backpressure").await > 0.0 }).await;
    // Small ones still fit for a while.
    path.until("HTTP is told to wait", || async {
        let answer = path.post(0, "/api/v1/sensor-data", "other-1", &path.reading(0, false)).await;
        assert!(
            matches!((answer.status, answer.retry_after.as_deref()), (202, None) | (503, Some("5"))),
            "{}",
            answer.status
        );
        answer.status == 503
    })
    .await;
    let queue = path.json(0, "/api/v1/queue/status").await;
    assert!(queue["queue_bytes"].as_u64().expect("bytes") <= 48 * 1024, "{queue}");
    // Nothing more is acknowledged: what was accepted stays as it is, however long devices go on.
    let accepted = path.metric(0, "ingestion_readings_accepted_total").await;
    let waits = path.metric(0, "ingestion_waits_total").await;
    path.until("devices over MQTT and HTTP were told to wait several times more", || async {
        let answer = path.post(0, "/api/v1/sensor-data/batch", "other-2", &path.batch(300)).await;
        assert_eq!(answer.status, 503);
        path.metric(0, "ingestion_waits_total").await >= waits + 20.0
    })
    .await;
    assert_eq!(path.metric(0, "ingestion_readings_accepted_total").await, accepted);
    let peak = path.peak_memory(0);
    assert!(peak < 64 << 20, "{} MiB at most", peak >> 20);
    path.influx.restart();
    let summary = simulation.await.expect("the simulation");
    assert_eq!(summary["complete"], true, "{summary}");
    path.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_load_and_the_survivor_takes_over_within_ten_seconds() {
    let mut path = Path::start(2);
    // Devices do not repeat here: what the dead replica had must come from its session and its pending entries.
    let arguments = "--devices 30 --messages 6000 --rate 2000 --transport mqtt --connections 6 --window 2000 --repeat-after 3600 --timeout 60";
    let simulation = path.simulate_apart(arguments);
    path.until("both replicas work", || async {
        path.metric(0, "ingestion_readings_accepted_total").await > 200.0
            && path.metric(1, "ingestion_readings_accepted_total").await > 200.0
    })
    .await;
    // With InfluxDB away both have entries that they cannot settle.
    path.influx.kill();
    path.until("both have pending entries", || async {
        path.pending().iter().filter(|(_, pending)| *pending > 0).count() == 2
    })
    .await;
    // It still has its connection, on which the broker gives it messages that nobody will acknowledge.
    path.freeze(0);
    path.influx.restart();
    path.until("the survivor has settled its own", || async {
        path.pending().iter().filter(|(_, pending)| *pending > 0).count() <= 1
    })
    .await;
    let entries: u64 = path.pending().iter().map(|(_, pending)| pending).sum();
    path.kill_replica(0);
    let killed = Instant::now();
    assert!(entries > 0, "the dead replica had nothing pending");
    path.until("no entry is pending under a dead name", || async {
        path.pending().len() == 1 && path.metric(1, "ingestion_entries_claimed_total").await >= 1.0
    })
    .await;
    let claimed = killed.elapsed();
    path.until("the dead replica's session is taken over", || async {
        path.metric(1, "ingestion_slots_taken_over_total").await >= 1.0
    })
    .await;
    path.until("its messages are in the stream", || async {
        path.metric(1, "ingestion_messages_taken_over_total").await >= 1.0
    })
    .await;
    // Not by receipts: those that the dead replica had not sent yet come when devices repeat.
    path.until("all readings are stored", || async {
        path.influx.query("SELECT count(concentration_ppm) FROM mq134_gas").lines().any(|line| line.ends_with(",6000"))
    })
    .await;
    let all = killed.elapsed();
    simulation.abort();
    assert!(claimed < Duration::from_secs(10), "pending entries were claimed {claimed:?} after the kill");
    assert!(all < Duration::from_secs(10), "the last reading was stored {all:?} after the kill");
    let messages = path.metric(1, "ingestion_messages_taken_over_total").await;
    harness::say(&format!(
        "{entries} entries and {messages} messages: claimed {claimed:?}, all stored {all:?} after the kill"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_a_reason_and_counted() {
    let path = Path::start(1);
    let bomb = harness::gzip(&vec![b' '; 8 << 20]);
    assert!(bomb.len() < 100_000);
    assert_eq!(path.post_gzip(0, "/api/v1/sensor-data/batch", "esp-1", &bomb).await.status, 413);
    assert_eq!(path.post(0, "/api/v1/sensor-data/batch", "esp-1", &" ".repeat(3 << 20)).await.status, 413);
    let deep = format!(r#"{{"timestamp":1,"sensors":{{"pir":{{"motion_detected":{}"#, "[".repeat(50_000));
    let answer = path.post(0, "/api/v1/sensor-data", "esp-1", &deep).await;
    assert_eq!((answer.status, answer.body["type"].as_str()), (422, Some("urn:problem:too_deep")));
    let nan = r#"{"timestamp":1700000000,"sensors":{"mq134":{"gas_concentration":NaN}}}"#;
    assert_eq!(path.post(0, "/api/v1/sensor-data", "esp-1", nan).await.body["type"], "urn:problem:not_finite");
    assert_eq!(path.post_with_key(0, "/api/v1/sensor-data", "esp-1", "wrong", "{}").await.status, 401);
    assert_eq!(path.post(0, "/api/v1/sensor-data", "../etc", "{}").await.status, 401);
    for topic in ["neurobuild/sensors/a b/data", "neurobuild/sensors/x,y z=1/data", "neurobuild/sensors/-ab/data"] {
        path.publish(topic, "{}");
    }
    path.publish(
        "neurobuild/sensors/esp-1/data",
        r#"{"device_id":"esp-2","timestamp":1700000000,"sensors":{"pir":{"motion_detected":true}}}"#,
    );
    path.until("all are dead letters", || async { path.dead_letters(0).await.len() == 4 }).await;
    let letters = path.dead_letters(0).await;
    let reasons: Vec<&str> = letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
    assert_eq!(reasons, ["bad_topic", "bad_topic", "bad_topic", "wrong_device"]);
    assert_eq!(path.metric(0, "ingestion_refused_total{reason=\"bad_topic\"}").await, 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_influxdb_refuses_becomes_a_dead_letter_and_can_be_replayed() {
    let path = Path::start(1);
    // A field of another type: InfluxDB takes all but this one.
    path.write_line("mq134_gas,device_id=other concentration_ppm=\"text\"").await;
    let reading = path.reading(7, true);
    assert_eq!(path.post(0, "/api/v1/sensor-data", "esp-1", &reading).await.status, 202);
    path.until("the refusal is in the receipt", || async {
        path.json_of(0, "/api/v1/receipts", "esp-1").await[0]["refused"][0]["reason"] == "storage"
    })
    .await;
    assert!(path.influx.query("SELECT motion_detected FROM pir_motion").contains("true"));
    let letters = path.dead_letters(0).await;
    assert_eq!((letters.len(), letters[0]["source"].as_str()), (1, Some("influxdb")));
    path.influx.query("DROP MEASUREMENT mq134_gas");
    let id = letters[0]["id"].as_str().expect("an id");
    let answer = path.post_as_operator(0, &format!("/api/v1/dead-letters/{id}/replay")).await;
    assert_eq!(answer.status, 202, "{:?}", answer.body);
    path.until("the replayed point is stored", || async {
        path.influx.query("SELECT * FROM mq134_gas").contains("esp-1")
    })
    .await;
    assert!(path.dead_letters(0).await.is_empty());
}

#[test]
fn redis_must_promise_what_it_should() {
    let redis = Redis::start_with(&["--appendfsync", "everysec"]);
    let influx = Influx::start();
    let refused = harness::refuses_to_start(&redis, &influx, &[]);
    assert!(refused.contains("appendfsync everysec"), "{refused}");
}
