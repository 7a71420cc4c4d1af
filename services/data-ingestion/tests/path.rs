//! The way from the sensor to the series, with real servers: Mosquitto, Redis, InfluxDB.

mod harness;

use harness::Path;
use iot_support::{Influx, Redis};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn every_reading_is_stored_once_over_all_transports_with_all_faults() {
    let path = Path::start(1);
    let arguments = "--devices 24 --messages 2400 --transport mqtt,mqtt4,http,ws --duplicates 0.05 --late 0.05 --same-time 0.1 \
                     --malformed 0.02 --reconnects 0.1 --repeat-after 3";
    let summary = path.simulate(arguments).await;
    harness::say(&summary.to_string());
    assert_eq!(summary["accepted"], 2400, "{summary}");
    path.verify().await;
    assert!(path.metric(0, "ingestion_refused_total{reason=\"not_finite\"}").await > 0.0);
    assert!(path.dead_letters(0).await.len() > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_while_everything_is_killed_at_random() {
    let mut path = Path::start(2);
    // 300 a device: more than the places that Redis remembers of it, so that places are forgotten and asked for again.
    let messages = std::env::var("SOAK_MESSAGES").unwrap_or_else(|_| "12000".to_owned());
    let rate = std::env::var("SOAK_RATE").unwrap_or_else(|_| "700".to_owned());
    let timeout = 90 + messages.parse::<u64>().expect("a number") / 50;
    let arguments = format!(
        "--devices 40 --messages {messages} --rate {rate} --transport mqtt,mqtt4 --connections 4 --duplicates 0.02 --same-time 0.05 \
         --repeat-after 4 --window 200 --timeout {timeout}"
    );
    let simulation = path.simulate_apart(&arguments);
    let seed = std::env::var("SOAK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills = 0;
    while !simulation.is_finished() {
        tokio::time::sleep(Duration::from_millis(random.random_range(500..2500))).await;
        path.kill_and_restart(random.random_range(0..5), Duration::from_millis(random.random_range(0..800)));
        kills += 1;
    }
    let summary = simulation.await.expect("the simulation");
    assert!(kills >= 4, "only {kills} kills");
    assert_eq!(summary["complete"], true, "{summary} after {kills} kills");
    let found = path.verify().await;
    harness::say(&format!("{kills} kills, {summary}, {found}"));
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
    assert!(path.metric(0, "process_resident_memory_bytes").await < 64e6);
    path.influx.restart();
    let summary = simulation.await.expect("the simulation");
    assert_eq!(summary["complete"], true, "{summary}");
    path.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_load_and_the_survivor_takes_over_within_ten_seconds() {
    let mut path = Path::start(2);
    // Devices do not repeat here: what the dead replica had must come from its session and its pending entries.
    let arguments = "--devices 30 --messages 6000 --rate 1500 --transport mqtt --connections 6 --window 2000 --repeat-after 3600 --timeout 60";
    let simulation = path.simulate_apart(arguments);
    path.until("both replicas work", || async {
        path.metric(0, "ingestion_readings_accepted_total").await > 200.0
            && path.metric(1, "ingestion_readings_accepted_total").await > 200.0
    })
    .await;
    // It receives, but does nothing with it any more.
    path.freeze(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    path.kill_replica(0);
    let killed = Instant::now();
    let summary = simulation.await.expect("the simulation");
    let seconds = killed.elapsed().as_secs_f64();
    assert_eq!((&summary["complete"], &summary["repeats"]), (&true.into(), &0.into()), "{summary}");
    let sending = 6000.0 / 1500.0;
    assert!(seconds < 10.0 + sending, "{seconds} s after the kill");
    assert!(path.metric(1, "ingestion_slots_taken_over_total").await >= 1.0);
    path.verify().await;
    harness::say(&format!("all was stored {seconds:.1} s after the kill"));
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
