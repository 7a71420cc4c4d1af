//! What every service answers, asked over a real socket or at the router.

use axum::body::Body;
use axum::{Json, routing};
use http::{Request, Response, StatusCode};
use service::config::Bytes;
use service::{About, App, Context, Limits, PROBLEM_JSON, Problem, Served, Shutdown, assemble, serve};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

fn about() -> About {
    service::about!("a test", 0)
}

#[derive(serde::Deserialize)]
struct Order {
    #[expect(dead_code, reason = "only its type matters")]
    count: u32,
}

/// `/late` answers once the service is told to end.
fn app(shutdown: Shutdown) -> App {
    let routes = OpenApiRouter::new()
        .route("/quick", routing::get(|| async { "quick" }))
        .route("/order", routing::post(|Json(_): Json<Order>| async { "taken" }))
        .route("/slow", routing::get(std::future::pending::<String>))
        .route(
            "/late",
            routing::get(|| async move {
                shutdown.wait().await;
                "late"
            }),
        )
        .route("/endless", routing::get(|| async { Body::from_stream(futures::stream::repeat_with(piece)) }))
        .route(
            "/panic",
            routing::get(|| async {
                if true {
                    panic!("on purpose")
                }
            }),
        );
    App::new(routes)
}

fn piece() -> Result<Vec<u8>, std::convert::Infallible> {
    Ok(vec![0; 1 << 16])
}

fn limits() -> Limits {
    let (timeout, idle) = (Duration::from_secs(2), Duration::from_secs(60));
    Limits { body: Bytes(64), timeout, concurrency: 2, connections: 8, idle }
}

fn assembled(context: &Context, limits: &Limits) -> axum::Router {
    assemble(app(context.shutdown.clone()), &about(), context, limits)
}

async fn ask(request: Request<Body>) -> Response<Body> {
    assembled(&Context::default(), &limits()).oneshot(request).await.expect("an answer")
}

async fn problem(request: Request<Body>) -> (Problem, Response<()>) {
    let (parts, body) = ask(request).await.into_parts();
    assert_eq!(parts.headers["content-type"], PROBLEM_JSON);
    let bytes = axum::body::to_bytes(body, 1 << 16).await.expect("an answer");
    let problem: Problem = serde_json::from_slice(&bytes).expect("an answer");
    assert_eq!(problem.status, parts.status.as_u16());
    (problem, Response::from_parts(parts, ()))
}

fn post(body: &str, kind: &str) -> Request<Body> {
    Request::post("/order").header("content-type", kind).body(Body::from(body.to_owned())).expect("an answer")
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("an answer")
}

#[tokio::test]
async fn every_error_is_a_problem() {
    let cases = [
        (get("/nowhere"), 404),
        (get("/order"), 405),
        (post("{", "application/json"), 400),
        (post(r#"{"count": -1}"#, "application/json"), 422),
        (post("count=1", "text/plain"), 415),
        (post(&format!("{{\"count\": 1{}}}", " ".repeat(100)), "application/json"), 413),
        (get("/panic"), 500),
    ];
    for (request, status) in cases {
        let path = request.uri().path().to_owned();
        let (problem, response) = problem(request).await;
        assert_eq!(problem.status, status, "{path}");
        assert!(problem.trace_id.is_some(), "{path}");
        assert!(!format!("{problem:?}").contains("on purpose"));
        if status == 405 {
            assert_eq!(response.headers()["allow"], "POST");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_is_ended() {
    let (problem, response) = problem(get("/slow")).await;
    assert_eq!((problem.status, response.headers()["connection"].to_str().unwrap()), (408, "close"));
}

#[tokio::test]
async fn the_callers_trace_is_kept() {
    let mut request = get("/nowhere");
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    assert_eq!(problem(request).await.0.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
}

#[tokio::test]
async fn whoever_watches_gets_through_when_it_is_full() {
    let router = assembled(&Context::default(), &limits());
    let busy: Vec<_> = (0..2).map(|_| tokio::spawn(router.clone().oneshot(get("/slow")))).collect();
    tokio::task::yield_now().await;
    let begun = std::time::Instant::now();
    let refused = loop {
        let response = router.clone().oneshot(get("/quick")).await.unwrap();
        if response.status() != StatusCode::OK {
            break response;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "both are not busy");
        tokio::task::yield_now().await;
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(router.clone().oneshot(get(path)).await.unwrap().status(), StatusCode::OK, "{path}");
    }
    for task in busy {
        task.abort();
    }
}

#[tokio::test]
async fn metrics_have_routes_not_paths() {
    let _ = ask(get("/secret/path")).await;
    let _ = ask(get("/order")).await;
    let response = ask(get("/metrics")).await;
    let text = String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    assert!(text.contains("route=\"unmatched\"") && text.contains("route=\"/order\""), "{text}");
    assert!(
        !text.contains("secret") && text.contains("process_resident_memory_bytes") && text.contains("_bucket"),
        "{text}"
    );
}

#[tokio::test]
async fn the_document_names_what_all_services_have() {
    let response = ask(get("/openapi.json")).await;
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert!(
        document["paths"]["/ready"]["get"]["responses"]["default"]["content"][PROBLEM_JSON].is_object(),
        "{document}"
    );
    assert!(
        document["components"]["schemas"]["Problem"].is_object()
            && document["components"]["schemas"]["Detail"].is_object()
    );
}

#[tokio::test]
async fn open_requests_end_before_the_service() {
    let context = Context::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = assembled(&context, &limits());
    let shared = context.clone();
    let server = tokio::spawn(async move { serve(listener, router, &shared, &limits(), Duration::from_secs(5)).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    context.shutdown.begin();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("late"), "{answer}");
    assert_eq!(server.await.unwrap(), Served::Drained);
    assert!(TcpStream::connect(address).await.is_err());
}

/// A service on a port of its own.
async fn listening(limits: Limits) -> (std::net::SocketAddr, Context) {
    let context = Context::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback");
    let address = listener.local_addr().expect("loopback");
    let router = assembled(&context, &limits);
    let shared = context.clone();
    tokio::spawn(async move { serve(listener, router, &shared, &limits, Duration::from_secs(1)).await });
    (address, context)
}

/// Everything that comes until the connection ends.
async fn say(stream: &mut TcpStream, words: &str) -> String {
    stream.write_all(words.as_bytes()).await.expect("loopback");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("loopback");
    answer
}

#[tokio::test]
async fn too_many_connections_are_told_so_and_whoever_watches_gets_through() {
    let (address, context) = listening(Limits { connections: 2, ..limits() }).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        idle.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    let answer = say(&mut third, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("connection: close") && answer.contains("too many connections"), "{answer}");
    let mut watcher = TcpStream::connect(address).await.unwrap();
    let answer = say(&mut watcher, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("http_connections_refused_total"), "{answer}");
    drop(idle.pop());
    a_seat_becomes_free(address).await;
    context.shutdown.begin();
}

/// Asks again and again until there is one.
async fn a_seat_becomes_free(address: std::net::SocketAddr) {
    let begun = std::time::Instant::now();
    loop {
        let mut next = TcpStream::connect(address).await.expect("loopback");
        let answer = say(&mut next, "GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{answer}");
    }
}

#[tokio::test]
async fn whoever_reads_nothing_of_an_answer_is_cut_off() {
    let (address, context) = listening(Limits { connections: 1, idle: Duration::from_millis(500), ..limits() }).await;
    let mut deaf = TcpStream::connect(address).await.unwrap();
    deaf.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    deaf.read_exact(&mut [0; 12]).await.unwrap();
    let mut next = TcpStream::connect(address).await.unwrap();
    assert!(say(&mut next, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n").await.starts_with("HTTP/1.1 503"));
    a_seat_becomes_free(address).await;
    context.shutdown.begin();
}

#[tokio::test]
async fn whoever_is_still_sending_hears_why_it_was_refused() {
    let (address, context) = listening(limits()).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.readable().await.unwrap();
        // The answer is there, and perhaps the other side is gone.
        for _ in 0..4 {
            stream.write_all(&[b' '; 1 << 16]).await.unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    context.shutdown.begin();
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let (address, context) = listening(Limits { idle: Duration::from_millis(300), ..limits() }).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    let begun = std::time::Instant::now();
    for byte in b"GET /health HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat_n(&b'x', 1000)) {
        if slow.write_all(&[*byte]).await.is_err() {
            break;
        }
        // The pause is the attack itself, no waiting for something.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    context.shutdown.begin();
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off() {
    let context = Context::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { timeout: Duration::from_secs(60), ..limits() };
    let router = assembled(&context, &limits);
    let shared = context.clone();
    let server =
        tokio::spawn(async move { serve(listener, router, &shared, &limits, Duration::from_millis(200)).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET").await.unwrap();
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    other.read_exact(&mut [0; 12]).await.unwrap();
    context.shutdown.begin();
    assert_eq!(server.await.unwrap(), Served::CutOff);
}

#[tokio::test]
async fn a_task_that_fails_ends_the_service() {
    let context = Context::default();
    context.spawn("writer", async { Err::<(), _>("the disk is full") });
    tokio::time::timeout(Duration::from_secs(5), context.shutdown.wait()).await.unwrap();
    context.drained().await;
    assert!(context.has_failed());
}
