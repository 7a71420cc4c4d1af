//! What only the broker lets through or keeps out: topics of nobody, devices of nobody, messages of any length.

use crate::running::{DEVICE, PAYLOAD, Running, key, reading};

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_devices_of_nobody_are_dead_letters() {
    let running = Running::start(&[]).await;
    let good = reading();
    let cases = [
        ("neurobuild/sensors/a b/data", "bad_topic"),
        ("neurobuild/sensors/x,y z=1/data", "bad_topic"),
        ("neurobuild/sensors/-ab/data", "bad_topic"),
        ("neurobuild/sensors/../data", "bad_topic"),
        ("neurobuild/sensors/esp-1' OR '1'='1/data", "bad_topic"),
        ("neurobuild/sensors/esp-1\u{202e}/data", "bad_topic"),
        ("neurobuild/sensors//data", "bad_topic"),
        ("neurobuild/sensors/esp-1/", "bad_topic"),
        ("neurobuild/sensors/esp-2/data", "unknown_device"),
        ("neurobuild/sensors/ESP-1/data", "unknown_device"),
        ("neurobuild/sensors/esp-suspended/data", "inactive_device"),
        ("neurobuild/sensors/esp-1/no,such sensor=1", "unknown_sensor"),
    ];
    for (topic, reason) in cases {
        let payload = if reason == "unknown_sensor" { r#"{"timestamp":1700000000,"x":1}"# } else { &good };
        assert!(running.publish(topic, payload.as_bytes()), "{topic}");
    }
    running.until("each is a dead letter", || async { running.dead_letters().await.len() >= cases.len() }).await;
    let letters = running.dead_letters().await;
    let found: Vec<(&str, &str)> =
        letters.iter().filter_map(|letter| Some((letter["source"].as_str()?, letter["reason"].as_str()?))).collect();
    assert_eq!(found, cases);
    for topic in ["neurobuild/sensors/+/data", "neurobuild/sensors/#", "neurobuild/sensors/esp-1/pir\nx,y z=1"] {
        assert!(!running.publish(topic, b"{}"), "the broker took {topic:?}");
    }
    // Whoever has no device is told nothing else than whoever has a wrong key.
    for (device, key) in [("esp-2", key()), ("esp-suspended", key()), (DEVICE, "wrong"), ("", ""), ("a/b", key())] {
        assert_eq!(running.post_as(device, key).await, 401, "{device}");
    }
    running.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_messages_are_refused_by_us_or_by_the_broker() {
    let running = Running::start(&[]).await;
    let topic = format!("neurobuild/sensors/{DEVICE}/data");
    // The longest one that the broker takes: with topic, packet id and the lengths before them it has `max_packet_size`.
    let longest = 2 * PAYLOAD - topic.len() - 5;
    for length in [PAYLOAD + 1, longest] {
        assert!(running.publish(&topic, &vec![b' '; length]), "{length}");
    }
    running.until("they are dead letters", || async { running.dead_letters().await.len() == 2 }).await;
    for letter in running.dead_letters().await {
        assert_eq!((&letter["reason"], &letter["whole"]), (&"too_large".into(), &false.into()), "{letter}");
        assert_eq!(letter["payload"].as_str().map(str::len), Some(4096));
    }
    // Beyond that the broker's `max_packet_size` cuts the device off (MQTT 5 tells it before, so that it does not even send).
    assert!(!running.publish(&topic, &vec![b' '; 3 * PAYLOAD]));
    // A few hundred at once: none is kept longer than it takes to judge it.
    let payload = vec![b'['; 2 * PAYLOAD - 200];
    let before = running.refused("too_large").await;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| assert!(running.publish(&topic, &payload))));
        }
    });
    running.until("all are refused", || async { running.refused("too_large").await == before + 40.0 }).await;
    running.is_well().await;
    let peak = running.peak_memory();
    assert!(peak < 64 << 20, "{} MiB", peak >> 20);
}
