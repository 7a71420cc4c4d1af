//! Thousands of connections that do nothing.

use crate::running::{Running, authorization, next, reading};
use futures::SinkExt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

const IDLE: usize = 5000;

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_idle_connections_are_bounded_and_cost_little() {
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
    if files.maximum.is_some_and(|most| most < 2 * IDLE as u64) {
        println!("skipped: this machine allows {:?} open files, too few for {IDLE} connections", files.maximum);
        return;
    }
    let limit = 3000;
    let most = limit.to_string();
    let running = Running::start(&[("HTTP_CONNECTIONS", &most), ("WEBSOCKETS_PER_DEVICE", &most)]).await;
    let mut socket = running.socket().await.expect("a WebSocket");
    let upgrade = format!(
        "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: {}\r\n\r\n",
        authorization()
    );
    let (mut open, mut told, mut cut) = (Vec::new(), 0, 0);
    for number in 0..IDLE {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", running.port)).await else {
            cut += 1;
            continue;
        };
        // Half of them WebSockets; the others ask once and stay.
        let request = if number % 2 == 0 { upgrade.as_str() } else { "GET /health HTTP/1.1\r\nHost: x\r\n\r\n" };
        let mut head = [0; 12];
        match stream.write_all(request.as_bytes()).await.and(stream.read_exact(&mut head).await.map(|_| ())) {
            Ok(()) if &head == b"HTTP/1.1 503" => told += 1,
            Ok(()) => open.push(stream),
            Err(_) => cut += 1,
        }
    }
    // Whoever watches gets through, and sees it.
    let connections = running.metric("http_connections").await;
    let websockets = running.metric("ingestion_websockets").await;
    let refused = running.metric("http_connections_refused_total").await;
    assert!((f64::from(limit)..=f64::from(limit) + 64.0).contains(&connections), "{connections} connections");
    assert!(websockets > f64::from(limit) * 0.4, "{websockets} WebSockets");
    assert!(told > 500 && refused >= f64::from(told), "{told} were told, {cut} cut off, {refused} counted");
    // Whoever was in before goes on as if nothing were.
    socket.send(Message::Text(reading().into())).await.expect("a frame");
    while !next(&mut socket).await.contains("accepted") {}
    let peak = running.peak_memory();
    println!(
        "{IDLE} connections: {connections} open, {websockets} of them WebSockets, {told} told why not, {cut} cut off, {} MiB",
        peak >> 20
    );
    assert!(peak < 128 << 20, "{} MiB for {connections} connections", peak >> 20);
    drop(open);
    drop(socket);
    running.until("all are gone", || async { running.metric("http_connections").await < 4.0 }).await;
    running.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_does_not_take_the_seats_of_all_others() {
    let running = Running::start(&[("WEBSOCKETS_PER_DEVICE", "3")]).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(running.socket().await.expect("a WebSocket"));
    }
    let Err(Error::Http(refused)) = running.socket().await else { panic!("it has a fourth one") };
    assert_eq!(refused.status(), 429);
    open.pop();
    running.until("a place is free again", || async { running.socket().await.is_ok() }).await;
    running.is_well().await;
}
