//! Bulk import.

use crate::mqtt::Client;
use crate::running::{Running, TOKEN};
use axum::body::{Body, Bytes};
use http::{Request, StatusCode};
use serde_json::Value;
use std::convert::Infallible;

async fn import(running: &Running, mode: &str, kind: &str, body: Body) -> (StatusCode, Vec<Value>) {
    let request = Request::post(format!("/api/v1/devices/import?mode={mode}")).header("content-type", kind);
    let request = request.header("authorization", format!("Bearer {TOKEN}")).body(body).expect("a request");
    let (parts, body) = running.raw(request).await.into_parts();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (parts.status, lines.map(|line| serde_json::from_slice(line).expect("a line of JSON")).collect())
}

fn csv(lines: impl Iterator<Item = String> + Send + 'static) -> Body {
    let header = std::iter::once("id,type,name,tags\n".to_owned());
    Body::from_stream(futures::stream::iter(header.chain(lines).map(|line| Ok::<_, Infallible>(Bytes::from(line)))))
}

#[tokio::test(flavor = "multi_thread")]
async fn per_line_registers_what_it_can() {
    let running = Running::start().await;
    running.register("dev-3").await;
    let text = "id,type,name\ndev-1,ESP32-S3,\"a, b\"\ndev-2,none,x\ndev-3,ESP32-S3,x\n,ESP32-S3,x\ndev-1,ESP32-S3,again\ndev-5,ESP32-S3,\n";
    let (status, lines) = import(&running, "per-line", "text/csv; charset=utf-8", Body::from(text)).await;
    assert_eq!(status, StatusCode::OK, "{lines:?}");
    let told: Vec<String> =
        lines.iter().map(|line| format!("{} {}", line["line"], line["problem"].as_str().unwrap_or("-"))).collect();
    assert_eq!(
        told,
        [
            "2 -",
            "3 there is no type `none`",
            "4 a device of this id exists already",
            "5 has no `id`",
            "6 the id is there twice",
            "7 -",
            "null -"
        ]
    );
    assert_eq!((lines[6]["created"].as_i64(), lines[6]["failed"].as_i64()), (Some(2), Some(4)));
    let key = lines[0]["key"].as_str().unwrap();
    running.in_step("dev-1").await;
    assert!(Client::connect(running.mosquitto.port(), "dev-1", key, "dev-1").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_is() {
    let running = Running::start().await;
    let good = |n: u32| format!("{{\"id\": \"dev-{n}\", \"type\": \"ESP32-S3\", \"tags\": {{\"n\": \"{n}\"}}}}\n");
    let mut text: String = (0..1200).map(good).collect();
    let whole = text.clone();
    text.push_str("{\"id\": \"dev-x\", \"type\": \"none\"}\nnonsense\n");
    let (status, problem) = import(&running, "all-or-nothing", "application/x-ndjson", Body::from(text)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<&str> =
        problem[0]["errors"].as_array().unwrap().iter().filter_map(|e| e["pointer"].as_str()).collect();
    assert_eq!(pointers, ["line 1201", "line 1202"]);
    assert_eq!(running.postgres.psql("iotdb", "SELECT count(*) FROM devices"), "0");
    let (status, lines) = import(&running, "all-or-nothing", "application/x-ndjson", Body::from(whole)).await;
    assert_eq!((status, lines.len()), (StatusCode::OK, 1201));
    assert_eq!(running.postgres.psql("iotdb", "SELECT count(*) FROM credentials"), "1200");
    let hash =
        running.postgres.psql("iotdb", "SELECT encode(hash, 'hex') FROM credentials WHERE device_id = 'dev-700'");
    let key = lines[700]["key"].as_str().unwrap();
    assert_eq!(hash, running.postgres.psql("iotdb", &format!("SELECT encode(sha256('{key}'), 'hex')")));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_lines_need_little_memory() {
    let running = Running::start().await;
    // Once before, so that what is made once (buffers, statements) is not counted.
    let few = csv((0..600).map(|n| format!("warm-{n:05},ESP32-S3,x,a=1\n")));
    assert_eq!(import(&running, "per-line", "text/csv", few).await.0, StatusCode::OK);
    let before = resident_bytes();
    let description = "d".repeat(100);
    let lines = (0..10_000).map(move |n| format!("dev-{n:05},ESP32-S3,{description},floor={};n={n}\n", n % 7));
    let (status, report) = import(&running, "all-or-nothing", "text/csv", csv(lines)).await;
    let grown = resident_bytes().saturating_sub(before);
    assert_eq!((status, report.len()), (StatusCode::OK, 10_001));
    assert_eq!(report[10_000]["created"], 10_000);
    // The test itself holds the answer: 10,000 lines as JSON values.
    assert!(grown < 48 << 20, "the import took {} MiB", grown >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused() {
    let running = Running::start().await;
    for (kind, body, status) in [
        ("application/json", "[]", 415),
        ("text/csv", "", 400),
        ("text/csv", "id,type\n", 400),
        ("text/csv", "name\nx\n", 400),
        ("text/csv", "id,type,colour\nx,y,z\n", 400),
        ("application/x-ndjson", "\n", 400),
    ] {
        let (found, problem) = import(&running, "per-line", kind, Body::from(body)).await;
        assert_eq!(found.as_u16(), status, "{kind} {body:?}: {problem:?}");
    }
    assert_eq!(import(&running, "sometimes", "text/csv", Body::empty()).await.0, StatusCode::BAD_REQUEST);
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}
