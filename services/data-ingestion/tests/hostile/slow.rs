//! Clients that take their time: heads and bodies byte by byte, frames that never end, answers that nobody reads.

use crate::running::{PAYLOAD, Running, authorization, reading};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends all of `words`, then a byte now and then until the other side ends it; what it said.
async fn drip(port: u16, words: String, byte: u8) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    stream.write_all(words.as_bytes()).await.expect("the beginning");
    let (mut read, mut write) = stream.into_split();
    let writer = tokio::spawn(async move {
        while write.write_all(&[byte]).await.is_ok() {
            // The pause is the attack itself, no waiting for something.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(30), read.read_to_end(&mut answer)).await.expect("cut off");
    writer.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_and_bodies_are_cut_off_while_others_go_on() {
    let running = Running::start(&[("HTTP_TIMEOUT", "2s"), ("HTTP_IDLE_TIMEOUT", "2s")]).await;
    let port = running.port;
    let begun = Instant::now();
    let heads: Vec<_> = (0..200)
        .map(|_| tokio::spawn(drip(port, "POST /api/v1/sensor-data HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(), b'x')))
        .collect();
    let body = format!(
        "POST /api/v1/sensor-data HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Length: {PAYLOAD}\r\n\r\n",
        authorization()
    );
    let bodies: Vec<_> = (0..200).map(|_| tokio::spawn(drip(port, body.clone(), b' '))).collect();
    // A stranger's body is not read at all.
    let stranger = format!("POST /api/v1/sensor-data HTTP/1.1\r\nHost: x\r\nContent-Length: {PAYLOAD}\r\n\r\n");
    assert!(drip(port, stranger, b' ').await.starts_with("HTTP/1.1 401"));
    let (status, answer) = running.post("/api/v1/sensor-data", reading().into(), None).await;
    assert_eq!(status, 202, "{answer}");
    for body in bodies {
        let answer = body.await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("no answer within 2s"), "{answer}");
    }
    for head in heads {
        head.await.expect("the end");
    }
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    running
        .until("each head is counted", || async { running.metric("http_connections_timed_out_total").await >= 200.0 })
        .await;
    assert_eq!(running.metric("http_requests_in_flight").await, 1.0, "only the one that asks");
    running.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_never_ends_its_frame_or_never_reads_is_bounded() {
    let running = Running::start(&[]).await;
    let upgrade = format!(
        "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: {}\r\n\r\n",
        authorization()
    );
    let mut open = Vec::new();
    for length in [PAYLOAD as u64, u64::from(u32::MAX), u64::MAX >> 1] {
        let mut stream = TcpStream::connect(("127.0.0.1", running.port)).await.expect("a connection");
        stream.write_all(upgrade.as_bytes()).await.expect("a request");
        // The head of a masked text frame of this length, and a little of it.
        let mut frame = vec![0x81, 0xff];
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&[0; 4 + 100]);
        stream.write_all(&frame).await.expect("a frame");
        open.push(stream);
    }
    // Those that announce too much are ended; the other one may still mean it.
    running.until("two are ended", || async { running.metric("ingestion_websockets").await == 1.0 }).await;
    // One that sends and never reads: what it is told fits somewhere for a while, then it is cut off.
    let mut deaf = TcpStream::connect(("127.0.0.1", running.port)).await.expect("a connection");
    deaf.write_all(upgrade.as_bytes()).await.expect("a request");
    let payload = format!("[{}]", vec!["{}"; 1000].join(","));
    let mut frame = vec![0x81, 0xfe];
    frame.extend_from_slice(&u16::try_from(payload.len()).expect("short").to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload.as_bytes());
    let begun = Instant::now();
    let ended =
        tokio::time::timeout(Duration::from_secs(60), async { while deaf.write_all(&frame).await.is_ok() {} }).await;
    assert!(ended.is_ok(), "still open after {:?}", begun.elapsed());
    running.is_well().await;
    let peak = running.peak_memory();
    assert!(peak < 48 << 20, "{} MiB", peak >> 20);
}
