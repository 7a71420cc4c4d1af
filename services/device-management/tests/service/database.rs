//! The database: killed under load, met by two replicas at once, read by ingestion with no more rights than it needs.

use crate::running::{Running, TOKEN, eventually, serve};
use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use iot_support::{Mosquitto, Postgres};
use serde_json::{Value, json};
use service::{KeyHash, PROBLEM_JSON};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;

/// Who asks at the same time.
const CALLERS: usize = 8;
const KILLS: usize = 3;

/// What a caller was promised.
#[derive(Default)]
struct Promised {
    /// Devices and their keys.
    keys: Vec<(String, String)>,
    /// Devices and the names that they were given last, and were given when nobody answered.
    names: Vec<(String, String, Option<String>)>,
    away: usize,
}

async fn ask(router: &Router, method: &str, path: &str, body: Value) -> (Response<()>, Value) {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    let request = request.header("content-type", "application/json").body(Body::from(body.to_string()));
    let (parts, body) = router.clone().oneshot(request.expect("a request")).await.expect("an answer").into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    (Response::from_parts(parts, ()), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Whatever is not a success says that it may be tried again, and when.
fn is_away(answer: &Response<()>, body: &Value) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_eq!(answer.headers()["content-type"], PROBLEM_JSON);
    let after: u32 = answer.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&after) && body["trace_id"].is_string(), "{body}");
}

async fn caller(number: usize, router: Router, stop: Arc<AtomicBool>, written: Arc<AtomicUsize>) -> Promised {
    let mut promised = Promised::default();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let id = format!("dev-{number}-{turn}");
        let (answer, body) = ask(&router, "POST", "/api/v1/devices", json!({"id": id, "type": "ESP32-S3"})).await;
        if answer.status() != StatusCode::CREATED {
            is_away(&answer, &body);
            promised.away += 1;
            continue;
        }
        promised.keys.push((id.clone(), body["credential"]["key"].as_str().expect("a key").to_owned()));
        written.fetch_add(1, Ordering::Relaxed);
        let (mut named, mut unsure) = (String::new(), None);
        for name in ["first", "second"] {
            let (answer, body) = ask(&router, "PATCH", &format!("/api/v1/devices/{id}"), json!({"name": name})).await;
            if answer.status() == StatusCode::OK {
                (named, unsure) = (name.to_owned(), None);
            } else {
                is_away(&answer, &body);
                unsure = Some(name.to_owned());
                promised.away += 1;
            }
        }
        promised.names.push((id, named, unsure));
    }
    promised
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_promised_is_lost_when_it_is_killed_under_load() {
    let mut running = Running::start().await;
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| tokio::spawn(caller(number, running.router(), Arc::clone(&stop), Arc::clone(&written))))
        .collect();
    for _ in 0..KILLS {
        let before = written.load(Ordering::Relaxed);
        eventually("it is under load", Duration::from_secs(30), || async {
            written.load(Ordering::Relaxed) > before + 4 * CALLERS
        })
        .await;
        running.postgres.kill();
        running.postgres.restart();
    }
    let before = written.load(Ordering::Relaxed);
    eventually("it works again", Duration::from_secs(30), || async { written.load(Ordering::Relaxed) > before }).await;
    stop.store(true, Ordering::Relaxed);
    let mut away = 0;
    let stored = running.postgres.psql(
        "iotdb",
        "SELECT string_agg(d.id || ' ' || encode(c.hash, 'hex') || ' ' || d.name, E'\n')
         FROM devices d JOIN credentials c ON c.device_id = d.id AND c.revoked_at IS NULL",
    );
    let mut stored: std::collections::HashMap<String, (String, String)> = stored.lines().map(row).collect();
    for caller in callers {
        let promised = caller.await.expect("a caller");
        away += promised.away;
        // What was written after the question is looked up by itself.
        for (id, key) in &promised.keys {
            let (hash, _) = stored.entry(id.clone()).or_insert_with(|| alone(&running, id));
            assert_eq!(*hash, data_encoding::HEXLOWER.encode(&KeyHash::of(key).0), "{id}");
        }
        for (id, named, unsure) in &promised.names {
            let (_, name) = alone(&running, id);
            assert!(name == *named || Some(&name) == unsure.as_ref(), "{id} is `{name}`, not `{named}` or {unsure:?}");
        }
    }
    assert!(away > 0, "nobody noticed that the database was away");
    assert_eq!(running.get("/ready").await.0, StatusCode::OK);
}

fn row(line: &str) -> (String, (String, String)) {
    let mut words = line.split(' ').map(str::to_owned);
    let mut next = || words.next().unwrap_or_default();
    (next(), (next(), next()))
}

fn alone(running: &Running, id: &str) -> (String, String) {
    let line = running.postgres.psql(
        "iotdb",
        &format!(
            "SELECT d.id || ' ' || encode(c.hash, 'hex') || ' ' || d.name FROM devices d
             JOIN credentials c ON c.device_id = d.id AND c.revoked_at IS NULL WHERE d.id = '{id}'"
        ),
    );
    assert!(!line.is_empty(), "{id} was promised, and is not there");
    row(&line).1
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_make_the_tables_once() {
    let (postgres, mosquitto) = (Postgres::start(), Mosquitto::start());
    let (first, second, third) = tokio::join!(
        serve(&postgres, &mosquitto, "of-ingestion"),
        serve(&postgres, &mosquitto, "of-ingestion"),
        serve(&postgres, &mosquitto, "of-ingestion")
    );
    let replicas = [first, second, third];
    for (router, context) in &replicas {
        eventually("it is ready", Duration::from_secs(20), || async {
            assert!(!context.has_failed(), "a replica failed");
            ask(router, "GET", "/ready", Value::Null).await.0.status() == StatusCode::OK
        })
        .await;
    }
    assert_eq!(postgres.psql("iotdb", "SELECT count(*), bool_and(success) FROM _sqlx_migrations"), "3|t");
    // What one writes the others see, and each tells the broker.
    let (answer, _) = ask(&replicas[0].0, "POST", "/api/v1/devices", json!({"id": "dev-1", "type": "ESP32-S3"})).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    eventually("another sees it in step", Duration::from_secs(20), || async {
        ask(&replicas[2].0, "GET", "/api/v1/devices/dev-1", Value::Null).await.1["account"] == "in_step"
    })
    .await;
    for (_, context) in &replicas {
        context.shutdown.begin();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ingestion_needs_no_more_than_its_views_and_its_function() {
    let running = Running::start().await;
    running.register("dev-1").await;
    running.postgres.psql(
        "iotdb",
        "CREATE ROLE ingestion LOGIN; GRANT SELECT ON ingest_devices, ingest_types TO ingestion;
         GRANT EXECUTE ON FUNCTION ingest_seen TO ingestion",
    );
    let as_ingestion = |sql: &str| running.postgres.psql("iotdb", &format!("SET ROLE ingestion; {sql}"));
    assert_eq!(as_ingestion("SELECT device_id, octet_length(credential_hash) FROM ingest_devices"), "dev-1|32");
    as_ingestion("SELECT ingest_seen(ARRAY['dev-1', 'dev-unknown'], ARRAY[now(), now()])");
    assert_eq!(running.get("/api/v1/devices/dev-1").await.1["online"], true);
    let may = "SELECT has_table_privilege('ingestion', 'devices', 'SELECT'), has_table_privilege('ingestion', 'credentials', 'SELECT'),
        has_table_privilege('ingestion', 'device_seen', 'INSERT'), has_table_privilege('ingestion', 'broker_outbox', 'SELECT')";
    assert_eq!(running.postgres.psql("iotdb", may), "f|f|f|f");
    // An older time does not take back a newer one.
    let seen = running.get("/api/v1/devices/dev-1").await.1["last_seen"].clone();
    as_ingestion("SELECT ingest_seen(ARRAY['dev-1'], ARRAY[now() - interval '1 day'])");
    assert_eq!(running.get("/api/v1/devices/dev-1").await.1["last_seen"], seen);
}
