//! Devices, types and groups over HTTP, with a real database.

use crate::running::{Running, TOKEN};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_device_lives_and_ends() {
    let running = Running::start().await;
    let new = json!({"id": "ESP32-3F2A9C01", "type": "ESP32-S3", "name": "Hall", "tags": {"floor": "2"}, "firmware": "1.0",
        "location": {"name": "lab", "room": "hall", "latitude": 48.1}});
    let (status, registered) = running.ask("POST", "/api/v1/devices", Some(new.clone())).await;
    assert_eq!(status, StatusCode::CREATED, "{registered}");
    let key = registered["credential"]["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("nbk_") && key.len() == 47);
    let (status, again) = running.ask("POST", "/api/v1/devices", Some(new.clone())).await;
    assert_eq!((status, again["type"].as_str()), (StatusCode::CONFLICT, Some("urn:problem:device-exists")));

    // The key is shown once: neither the device, nor its credential, nor the database has it.
    let path = "/api/v1/devices/ESP32-3F2A9C01";
    for path in [path, "/api/v1/devices/ESP32-3F2A9C01/credential", "/api/v1/devices"] {
        assert!(!running.get(path).await.1.to_string().contains(&key), "{path}");
    }
    let hash = running.postgres.psql("iotdb", "SELECT encode(credential_hash, 'hex') FROM ingest_devices");
    let expected = running.postgres.psql("iotdb", &format!("SELECT encode(sha256('{key}'), 'hex')"));
    assert_eq!(hash, expected);

    let change = json!({"name": "Door", "tags": {"floor": null, "wing": "east"}, "location": {"room": null}, "state": "maintenance"});
    let (status, changed) = running.ask("PATCH", path, Some(change)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(changed["tags"], json!({"wing": "east"}));
    assert_eq!(changed["location"], json!({"name": "lab", "latitude": 48.1}));
    assert_eq!((changed["version"].as_i64(), changed["state"].as_str()), (Some(2), Some("maintenance")));

    running.postgres.psql(
        "iotdb",
        "SELECT ingest_seen(ARRAY['ESP32-3F2A9C01', 'unknown'], ARRAY[now(), now()], ARRAY['1.1', NULL])",
    );
    let (_, seen) = running.get(path).await;
    assert_eq!((seen["online"].as_bool(), seen["firmware"].as_str()), (Some(true), Some("1.1")));

    assert_eq!(running.ask("DELETE", path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.ask("DELETE", path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.get(path).await.1["state"], "decommissioned");
    assert_eq!(running.get("/api/v1/devices").await.1["items"], json!([]));
    assert_eq!(running.get("/api/v1/devices?state=decommissioned").await.1["items"][0]["id"], "ESP32-3F2A9C01");
    for (method, path) in [("PATCH", path.to_owned()), ("POST", format!("{path}/credential/rotate"))] {
        let body = (method == "PATCH").then(|| json!({"name": "x"}));
        assert_eq!(running.ask(method, &path, body).await.0, StatusCode::CONFLICT);
    }
    let (status, taken) = running.ask("POST", "/api/v1/devices", Some(new)).await;
    assert_eq!((status, taken["type"].as_str()), (StatusCode::CONFLICT, Some("urn:problem:device-gone")));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_while_devices_come_and_go() {
    let running = Running::start().await;
    let insert = "INSERT INTO devices (id, type) SELECT 'dev-' || lpad((n * 10)::text, 6, '0'), 'ESP32-S3' FROM generate_series(1, 300) n";
    running.postgres.psql("iotdb", insert);
    let before: BTreeSet<String> = (1..=300).map(|n| format!("dev-{:06}", n * 10)).collect();
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let (status, page) = running.get(&format!("/api/v1/devices?limit=37{cursor}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let ids = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        pages += 1;
        // One before what was seen, one after; and one that was seen goes.
        for id in [format!("dev-{:06}", pages), format!("dev-{:06}", 2_000 + pages)] {
            running.postgres.psql(
                "iotdb",
                &format!("INSERT INTO devices (id, type) VALUES ('{id}', 'ESP32-S3') ON CONFLICT DO NOTHING"),
            );
        }
        running
            .postgres
            .psql("iotdb", &format!("UPDATE devices SET state = 'decommissioned' WHERE id = '{}'", seen[0]));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let unique: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len(), "a device was seen twice");
    assert!(unique.is_superset(&before), "a device was missed");
    let (status, problem) = running.get(&format!("/api/v1/devices?zone=x{cursor}")).await;
    assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("cursor")));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_what_they_say() {
    let running = Running::start().await;
    assert_eq!(
        running.ask("PUT", "/api/v1/groups/roof", Some(json!({"description": "up"}))).await.0,
        StatusCode::CREATED
    );
    for (id, more) in [
        (
            "dev-1",
            json!({"tags": {"floor": "2", "wing": "east"}, "location": {"name": "lab", "zone": "a"}, "groups": ["roof"]}),
        ),
        ("dev-2", json!({"tags": {"floor": "2"}, "name": "100% Hall", "firmware": "1.2"})),
        ("dev-3", json!({"description": "spare"})),
    ] {
        let mut new = json!({"id": id, "type": "ESP32-S3"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = running.ask("POST", "/api/v1/devices", Some(new)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
    running.postgres.psql("iotdb", "SELECT ingest_seen(ARRAY['dev-3'], ARRAY[now()])");
    for (query, expected) in [
        ("tag=floor:2", "dev-1 dev-2"),
        ("tag=floor:2,wing:east", "dev-1"),
        ("group=roof", "dev-1"),
        ("location=lab&zone=a", "dev-1"),
        ("firmware=1.2", "dev-2"),
        ("q=100%25", "dev-2"),
        ("q=DEV-", "dev-1 dev-2 dev-3"),
        ("q=%5F", ""),
        ("online=true", "dev-3"),
        ("state=suspended", ""),
        ("type=ESP32-S3&limit=1", "dev-1"),
    ] {
        let (status, page) = running.get(&format!("/api/v1/devices?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}: {page}");
        let ids: Vec<&str> = page["items"].as_array().unwrap().iter().filter_map(|item| item["id"].as_str()).collect();
        assert_eq!(ids.join(" "), expected, "{query}");
    }
    assert_eq!(running.ask("PUT", "/api/v1/groups/roof/devices/dev-3", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.get("/api/v1/groups/roof").await.1["devices"], 2);
    assert_eq!(running.ask("DELETE", "/api/v1/groups/roof/devices/dev-1", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.ask("DELETE", "/api/v1/groups/roof/devices/dev-1", None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(running.ask("DELETE", "/api/v1/groups/roof", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.get("/api/v1/devices/dev-3").await.1["groups"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn types_have_versions_and_keep_while_they_are_used() {
    let running = Running::start().await;
    let path = "/api/v1/device-types/thermo";
    let schema = json!({"sensors": {"air": {"fields": {"celsius": {"type": "number", "minimum": -40, "maximum": 85, "unit": "°C"}}}}});
    assert_eq!(running.ask("PUT", path, Some(schema.clone())).await.0, StatusCode::CREATED);
    assert_eq!(running.ask("PUT", path, Some(schema.clone())).await.0, StatusCode::OK);
    let stale = Request::put(path).header("authorization", format!("Bearer {TOKEN}")).header("if-match", "\"1\"");
    let stale = stale.header("content-type", "application/json").body(Body::from(schema.to_string())).unwrap();
    assert_eq!(running.raw(stale).await.status(), StatusCode::PRECONDITION_FAILED);
    let (status, wrong) = running.ask("PUT", path, Some(json!({"sensors": {"data": {"fields": {}}}}))).await;
    assert_eq!(
        (status, wrong["errors"].as_array().map(Vec::len)),
        (StatusCode::UNPROCESSABLE_ENTITY, Some(2)),
        "{wrong}"
    );
    let (status, _) = running.ask("POST", "/api/v1/devices", Some(json!({"id": "dev-1", "type": "thermo"}))).await;
    assert_eq!(status, StatusCode::CREATED);
    let view =
        "SELECT device_type, type_version, sensors -> 'air' -> 'fields' -> 'celsius' ->> 'unit' FROM ingest_devices";
    assert_eq!(running.postgres.psql("iotdb", view), "thermo|2|°C");
    // InfluxDB keeps the kind that a column has: readings of another one would all be refused there.
    let text = json!({"sensors": {"air": {"fields": {"celsius": {"type": "text"}}}}});
    for path in [path, "/api/v1/device-types/other"] {
        let (status, wrong) = running.ask("PUT", path, Some(text.clone())).await;
        let pointer = wrong["errors"][0]["pointer"].as_str();
        assert_eq!(
            (status, pointer),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("/sensors/air/fields/celsius")),
            "{wrong}"
        );
    }
    let apart = json!({"sensors": {"air": {"fields": {"celsius": {"type": "text", "stored_as": "words"}}}}});
    assert_eq!(running.ask("PUT", "/api/v1/device-types/other", Some(apart)).await.0, StatusCode::CREATED);
    assert_eq!(running.ask("PUT", path, Some(schema.clone())).await.0, StatusCode::OK);
    assert_eq!(running.ask("DELETE", path, None).await.0, StatusCode::CONFLICT);
    assert_eq!(running.ask("DELETE", "/api/v1/device-types/ESP32-S3", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(running.ask("DELETE", "/api/v1/device-types/ESP32-S3", None).await.0, StatusCode::NOT_FOUND);
}

/// A request with a body as it stands there, and for one version alone.
fn change(method: &str, path: &str, body: &str, version: Option<&str>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    let request = request.header("content-type", "application/json");
    let request = version.into_iter().fold(request, |request, version| request.header("if-match", version));
    request.body(Body::from(body.to_owned())).expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_that_was_read_is_changed_or_deleted() {
    let running = Running::start().await;
    let device = "/api/v1/devices/dev-1";
    let kind = "/api/v1/device-types/thermo";
    let schema = r#"{"sensors":{"air":{"fields":{"celsius":{"type":"number"}}}}}"#;
    assert_eq!(running.raw(change("PUT", kind, schema, None)).await.status(), StatusCode::CREATED);
    running.register("dev-1").await;
    let name = r#"{"name":"Hall"}"#;
    assert_eq!(running.raw(change("PATCH", device, name, Some("\"1\""))).await.status(), StatusCode::OK);
    let rotate = format!("{device}/credential/rotate");
    let key = format!("{device}/credential");
    let requests = [
        ("PATCH", device, name, StatusCode::OK),
        ("POST", &rotate, "", StatusCode::CREATED),
        ("DELETE", &key, "", StatusCode::NO_CONTENT),
        ("DELETE", device, "", StatusCode::NO_CONTENT),
        ("PUT", kind, schema, StatusCode::OK),
        ("DELETE", kind, "", StatusCode::NO_CONTENT),
    ];
    for (method, path, body, done) in requests {
        for (version, status) in [("\"99\"", StatusCode::PRECONDITION_FAILED), ("nonsense", StatusCode::BAD_REQUEST)] {
            let refused = running.raw(change(method, path, body, Some(version))).await;
            assert_eq!(refused.status(), status, "{method} {path} {version}");
        }
        let of = if path == kind { kind } else { device };
        let version = running.get(of).await.1["version"].to_string();
        let answer = running.raw(change(method, path, body, Some(&format!("\"{version}\"")))).await;
        assert_eq!(answer.status(), done, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_as_one_kind_is_never_stored_as_another() {
    let running = Running::start().await;
    let put = async |name: &str, kind: &str| {
        let schema = json!({"sensors": {"air": {"fields": {kind: {"type": kind, "stored_as": "value"}}}}});
        running.ask("PUT", &format!("/api/v1/device-types/{name}"), Some(schema)).await.0
    };
    let other = json!({"sensors": {"door": {"fields": {"open": {"type": "boolean"}}}}});
    // Nothing was stored by a type that no device had.
    assert_eq!(put("thermo", "text").await, StatusCode::CREATED);
    assert_eq!(put("thermo", "number").await, StatusCode::OK);
    let new = json!({"id": "dev-1", "type": "thermo"});
    assert_eq!(running.ask("POST", "/api/v1/devices", Some(new)).await.0, StatusCode::CREATED);
    // Neither after the type was changed meanwhile, nor after its only device went over to another and it is gone itself.
    let path = "/api/v1/device-types/thermo";
    assert_eq!(running.ask("PUT", path, Some(other)).await.0, StatusCode::OK);
    assert_eq!(put("thermo", "text").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put("thermo", "number").await, StatusCode::OK);
    let over = json!({"type": "ESP32-S3"});
    assert_eq!(running.ask("PATCH", "/api/v1/devices/dev-1", Some(over)).await.0, StatusCode::OK);
    assert_eq!(running.ask("DELETE", path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(put("new", "text").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put("new", "number").await, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_has_so_many_tags_however_they_came() {
    let running = Running::start().await;
    running.register("dev-1").await;
    let tags =
        |from: usize| (from..from + 40).map(|n| (format!("t{n}"), json!("x"))).collect::<serde_json::Map<_, _>>();
    let patch = |tags: serde_json::Map<String, Value>| {
        let running = &running;
        async move { running.ask("PATCH", "/api/v1/devices/dev-1", Some(json!({ "tags": tags }))).await }
    };
    assert_eq!(patch(tags(0)).await.0, StatusCode::OK);
    let (status, problem) = patch(tags(40)).await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/tags")), "{problem}");
    assert_eq!(running.get("/api/v1/devices/dev-1").await.1["tags"].as_object().map(serde_json::Map::len), Some(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_get_in() {
    let running = Running::start().await;
    let authorizations =
        [None, Some("Bearer"), Some("Bearer wrong-but-long-enough-token"), Some("Basic YTpi"), Some("Bearer \u{e9}")];
    for authorization in authorizations {
        for path in ["/api/v1/devices", "/api/v1/devices/dev-1", "/api/v1/groups"] {
            let mut request = Request::get(path);
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization.as_bytes());
            }
            let response = running.raw(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{authorization:?} {path}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_reasons() {
    let running = Running::start().await;
    for (body, status, pointers) in [
        (json!({"id": "a/b", "type": "ESP32-S3"}), 422, vec!["/id"]),
        (
            json!({"id": "a#b", "type": "x y", "name": "\u{0}", "location": {"latitude": 91}}),
            422,
            vec!["/id", "/type", "/name", "/location/latitude"],
        ),
        (json!({"type": "nothing"}), 422, vec!["/type"]),
        (json!({"type": "ESP32-S3", "groups": ["none"]}), 422, vec!["/groups"]),
        (json!({"type": "ESP32-S3", "tags": {"a b": "c"}}), 422, vec!["/tags/a b"]),
        (json!({"type": "ESP32-S3", "colour": "red"}), 422, vec!["/colour"]),
        (json!({"type": "ESP32-S3", "location": {"room": 5}}), 422, vec!["/location/room"]),
        (json!({"type": "ESP32-S3", "groups": ["a", 5]}), 422, vec!["/groups/1"]),
        (json!([1]), 422, vec![""]),
    ] {
        let (found, problem) = running.ask("POST", "/api/v1/devices", Some(body.clone())).await;
        assert_eq!(found.as_u16(), status, "{body}: {problem}");
        let named: Vec<&str> =
            problem["errors"].as_array().into_iter().flatten().filter_map(|e| e["pointer"].as_str()).collect();
        assert_eq!(named, pointers, "{body}");
    }
    let (status, problem) = running.ask("PATCH", "/api/v1/devices/dev-1", Some(json!({"state": null}))).await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/state")), "{problem}");
    let mut packed = change("POST", "/api/v1/devices", "{}", None);
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(running.raw(packed).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let twice = r#"{"type": "ESP32-S3", "tags": {"a": "1", "a": "2"}}"#;
    let twice = running.raw(change("POST", "/api/v1/devices", twice, None)).await;
    assert_eq!(twice.status(), StatusCode::UNPROCESSABLE_ENTITY);
    for (path, status) in [
        ("/api/v1/devices?colour=red", 400),
        ("/api/v1/devices?limit=0", 422),
        ("/api/v1/devices?limit=x", 400),
        ("/api/v1/devices?q=%00", 422),
        ("/api/v1/devices/%00", 404),
        ("/api/v1/devices/none", 404),
        ("/api/v1/groups/%ff", 404),
    ] {
        assert_eq!(running.get(path).await.0.as_u16(), status, "{path}");
    }
    assert_eq!(running.postgres.psql("iotdb", "SELECT count(*) FROM devices"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_may_be_away_for_a_while() {
    let mut running = Running::start().await;
    running.register("dev-1").await;
    running.postgres.kill();
    assert_eq!(running.get("/api/v1/devices").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(running.get("/health").await.0, StatusCode::OK);
    crate::running::eventually("not ready", std::time::Duration::from_secs(10), || async {
        running.get("/ready").await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    running.postgres.restart();
    crate::running::eventually("back", std::time::Duration::from_secs(20), || async {
        running.get("/api/v1/devices").await.0 == StatusCode::OK
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_whole() {
    let running = Running::start().await;
    let (status, document) = running.get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("default"), "{method} {path}");
            assert!(!path.starts_with("/api/") || operation["security"] == json!([{"admin": []}]), "{method} {path}");
        }
    }
    assert_eq!(operations, 22, "{:?}", document["paths"].as_object().unwrap().keys().collect::<Vec<_>>());
    assert_eq!(missing(&document, &document), Vec::<String>::new());
    // Two types of one name would be one schema.
    let schemas = &document["components"]["schemas"];
    assert!(schemas["State"]["enum"].is_array() && schemas["Dependency"]["properties"]["up"].is_object(), "{schemas}");
}

/// References that lead nowhere.
fn missing(document: &Value, part: &Value) -> Vec<String> {
    match part {
        Value::Object(members) => {
            let dangling = members
                .get("$ref")
                .and_then(Value::as_str)
                .filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none());
            dangling
                .map(str::to_owned)
                .into_iter()
                .chain(members.values().flat_map(|part| missing(document, part)))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(|part| missing(document, part)).collect(),
        _ => Vec::new(),
    }
}
