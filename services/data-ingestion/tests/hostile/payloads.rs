//! Payloads that are wrong in every way there is: refused with the same reason over HTTP, WebSocket and MQTT, and counted.

use crate::running::{DEVICE, PAYLOAD, Running, next, now, reading};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::SinkExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use tokio_tungstenite::tungstenite::Message;

/// JSON that is wrong, and why.
fn cases() -> Vec<(String, &'static str)> {
    let with = |time: &str, sensors: &str| format!(r#"{{"timestamp":{time},"sensors":{sensors}}}"#);
    let time = now().to_string();
    let pir = |value: &str| with(&time, &format!(r#"{{"pir":{{"motion_detected":{value}}}}}"#));
    let gas = |value: &str| with(&time, &format!(r#"{{"mq134":{{"gas_concentration":{value}}}}}"#));
    let good = r#"{"pir":{"motion_detected":true}}"#;
    let year = 365 * 24 * 3_600_000_000_000;
    vec![
        (String::new(), "malformed"),
        ("{".to_owned(), "malformed"),
        ("\"reading\"".to_owned(), "malformed"),
        (format!("{}}}", reading()), "malformed"),
        (pir("true").replace("true", "tru"), "malformed"),
        (format!("{{\"timestamp\":{time},\"sensors\":{}", "[".repeat(20_000)), "malformed"),
        (pir("1"), "wrong_type"),
        (pir("\"yes\""), "wrong_type"),
        (pir("null"), "wrong_type"),
        (gas("\"3\""), "wrong_type"),
        (gas("NaN"), "not_finite"),
        (gas("-Infinity"), "not_finite"),
        (gas("1e999"), "not_finite"),
        (gas("-1"), "out_of_range"),
        (with("0", good), "too_old"),
        (with("\"1970-01-01T00:00:00Z\"", good), "too_old"),
        (with("-9223372036854775808", good), "too_old"),
        (with(&(now() + year).to_string(), good), "in_future"),
        (with("\"2999-01-01T00:00:00Z\"", good), "bad_timestamp"),
        (with("9223372036854775807", good), "in_future"),
        (with("\"yesterday\"", good), "bad_timestamp"),
        (with("1.5e18", good), "bad_timestamp"),
        (r#"{"sensors":{"pir":{"motion_detected":true}}}"#.to_owned(), "missing"),
        (with(&time, "{}"), "missing"),
        (pir(&"[".repeat(20_000)), "too_deep"),
        (pir(r#"{"a":{"b":1}}"#), "too_deep"),
        (with(&time, r#"{"pir":{"motion_detected":true,"motion_detected":false}}"#), "duplicate_key"),
        (with(&time, r#"{"pir":{"motion_detected":true},"pir":{}}"#), "duplicate_key"),
        (format!("{{\"timestamp\":{time},\"timestamp\":{time},\"sensors\":{good}}}"), "duplicate_key"),
        (format!("{{\"timestamp\":{time},\"sensors\":{good},\"admin\":true}}"), "unknown_key"),
        (with(&time, r#"{"lidar":{"x":1}}"#), "unknown_sensor"),
        (with(&time, r#"{"pir":{"motion_detected":true,"x":1}}"#), "unknown_field"),
        (format!("{{\"device_id\":\"esp-2\",\"timestamp\":{time},\"sensors\":{good}}}"), "wrong_device"),
        (format!("{{\"seq\":0,\"timestamp\":{time},\"sensors\":{good}}}"), "bad_sequence"),
        (format!("{{\"seq\":1,\"boot\":\"a:b c\",\"timestamp\":{time},\"sensors\":{good}}}"), "bad_sequence"),
        (with(&time, &format!(r#"{{"pir":{{"{}":1}}}}"#, "k".repeat(300))), "too_large"),
        (format!("[{}]", vec!["{}"; 1001].join(",")), "too_large"),
        (with(&time, &format!("{{\"{}\\n\":{{}}}}", "x".repeat(100))), "unknown_sensor"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_the_same_reason_over_every_way_in() {
    let running = Running::start(&[]).await;
    let cases = cases();
    let mut counted: BTreeMap<&str, f64> = BTreeMap::new();
    let mut socket = running.socket().await.expect("a WebSocket");
    assert!(next(&mut socket).await.contains("connected"));
    for (payload, reason) in &cases {
        let (status, problem) = running.post("/api/v1/sensor-data", payload.clone().into(), None).await;
        // More than one reading is refused here by itself, before it is looked at.
        let expected = format!("urn:problem:{reason}");
        assert_eq!((status, problem["type"].as_str()), (422, Some(expected.as_str())), "{problem} for {payload:.200}");
        assert!(problem.to_string().len() < 2048, "{problem}");
        socket.send(Message::Text(payload.clone().into())).await.expect("a frame");
        let frame = next(&mut socket).await;
        let frame: Value = serde_json::from_str(&frame).unwrap_or_else(|_| panic!("{frame} for {payload:.200}"));
        let found = frame["reason"].as_str().or(frame["results"][0]["reason"].as_str());
        assert_eq!(found, Some(*reason), "{frame} for {payload:.200}");
        assert!(running.publish(&format!("neurobuild/sensors/{DEVICE}/data"), payload.as_bytes()));
        *counted.entry(reason).or_default() += 3.0;
    }
    running.until("each is a dead letter", || async { running.dead_letters().await.len() == cases.len() }).await;
    for (letter, (payload, reason)) in running.dead_letters().await.iter().zip(&cases) {
        assert_eq!(letter["reason"], *reason, "{letter}");
        assert_eq!(letter["whole"], payload.len() <= 4096);
        assert!(payload.starts_with(letter["payload"].as_str().expect("text")), "{letter}");
    }
    for (reason, count) in counted {
        assert_eq!(running.refused(reason).await, count, "{reason}");
    }
    running.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_text_too_long_or_bombs_are_refused() {
    let running = Running::start(&[]).await;
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let good = gzip(reading().as_bytes());
    let bomb = gzip(&vec![b' '; 60 << 20]);
    assert!(bomb.len() < PAYLOAD);
    let (single, batch, lines) = ("/api/v1/sensor-data", "/api/v1/sensor-data/batch", "/api/v1/sensor-data/lines");
    for (path, body, encoding, status) in [
        (single, good.clone(), Some("gzip"), 202),
        (single, good[..good.len() - 9].to_vec(), Some("gzip"), 400),
        (single, b"no gzip".to_vec(), Some("gzip"), 400),
        (single, good.clone(), Some("GZIP"), 202),
        (single, good.clone(), Some("X-Gzip"), 202),
        (single, good.clone(), Some("br"), 415),
        (single, good, None, 422),
        (batch, bomb.clone(), Some("gzip"), 413),
        // A bomb of bombs: only one layer is unpacked, and what it holds is no text.
        (batch, gzip(&bomb), Some("gzip"), 422),
        (batch, vec![b' '; PAYLOAD + 1], None, 413),
        (batch, b"\xff\xfe[]".to_vec(), None, 422),
        (lines, b"pir motion_detected=NaN".to_vec(), None, 202),
        (lines, b"pir,host=x motion_detected=t".to_vec(), None, 202),
        (lines, b"\n\n#\n".to_vec(), None, 422),
    ] {
        let (found, answer) = running.post(path, body, encoding).await;
        assert_eq!(found, status, "{path} {encoding:?}: {answer}");
        assert!(path != lines || found != 202 || answer["refused"] == 1, "{answer}");
    }
    assert_eq!(running.refused("too_large").await, 2.0);
    assert_eq!(running.refused("not_utf8").await, 3.0);
    running.is_well().await;
    let peak = running.peak_memory();
    assert!(peak < 48 << 20, "{} MiB for 60 MiB of blanks", peak >> 20);
}

/// What is no JSON and no line protocol by its own word is not guessed at; what says nothing, or nothing of use, is.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_another_media_type_are_refused() {
    let running = Running::start(&[]).await;
    let (single, lines) = ("/api/v1/sensor-data", "/api/v1/sensor-data/lines");
    let line = format!("pir motion_detected=t {}", now());
    let (json, text, utf8) = (Some("`application/json`"), Some("`text/plain`"), Some("`utf-8`"));
    for (path, media_type, refused) in [
        (single, "application/json", None),
        (single, "Application/JSON; Charset=\"UTF-8\"", None),
        (single, "application/senml+json", None),
        (single, "application/x-www-form-urlencoded", None),
        (single, "text/plain;charset=utf-8", None),
        (single, "application/json; charset=iso-8859-1", utf8),
        (single, "application/cbor", json),
        (single, "application/octet-stream", json),
        (single, "json", json),
        (lines, "text/plain; charset=utf-8", None),
        (lines, "application/octet-stream", None),
        (lines, "application/x-www-form-urlencoded", None),
        (lines, "application/json", text),
    ] {
        let body = if path == lines { line.clone() } else { reading() };
        let (status, answer) = running.post_with(path, body.into(), Some(("Content-Type", media_type))).await;
        assert_eq!(status, if refused.is_some() { 415 } else { 202 }, "{path} {media_type}: {answer}");
        assert!(answer["detail"].as_str().unwrap_or_default().contains(refused.unwrap_or_default()), "{answer}");
    }
    running.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_answered_by_its_number() {
    let running = Running::start(&[]).await;
    let time = now();
    let body = format!(
        "# of the hall\n\npir motion_detected=t {time}\npir motion_detected=1 {time}\n\npir motion_detected=t\n\
         pir motion_detected=t soon\npir,seq=0 motion_detected=t {time}\nlidar x=1 {time}\npir\n"
    );
    let (status, answer) = running.post("/api/v1/sensor-data/lines", body.into(), None).await;
    assert_eq!(status, 202, "{answer}");
    let found: Vec<_> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| (one["line"].as_u64(), one["reason"].as_str(), one["pointer"].as_str()))
        .collect();
    let expected = [
        (3, None, None),
        (4, Some("wrong_type"), Some("/sensors/pir/motion_detected")),
        (6, Some("missing"), Some("/timestamp")),
        (7, Some("bad_timestamp"), Some("/timestamp")),
        (8, Some("bad_sequence"), Some("/seq")),
        (9, Some("unknown_sensor"), Some("/sensors/lidar")),
        (10, Some("malformed"), None),
    ];
    assert_eq!(found, expected.map(|(line, reason, pointer)| (Some(line), reason, pointer)), "{answer}");
    // Of an array each reading is known by its place.
    let list = format!("[{}]", reading());
    let (_, answer) = running.post("/api/v1/sensor-data/batch", list.into(), None).await;
    assert_eq!(answer["results"][0].get("line"), None, "{answer}");
}
