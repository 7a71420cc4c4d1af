//! WebSocket frames that are too long, no text or no frames at all: whoever sent them is told why before it is cut off.

use crate::running::{PAYLOAD, Running, Socket};
use futures::StreamExt;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

const MASKED: u8 = 0x80;
/// Text, and the only frame of its message.
const WHOLE_TEXT: u8 = 0x81;
/// Text that goes on in another frame, and its last frame.
const FIRST_PART: u8 = 0x01;
const LAST_PART: u8 = 0x80;

/// A frame under a mask of zeros, which leaves the payload as it is.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, MASKED | 127];
    frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Sends these bytes as they are; with which code and words the other side ends the connection.
async fn ended(mut socket: Socket, bytes: &[u8]) -> (u16, String) {
    socket.get_mut().write_all(bytes).await.expect("the bytes are sent");
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.expect("a frame within 30 s");
        match frame {
            Some(Ok(Message::Close(Some(close)))) => return (close.code.into(), close.reason.to_string()),
            Some(Ok(_)) => {}
            other => panic!("ended without a word: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_frame_is_refused_with_a_close_code_and_counted() {
    let running = Running::start(&[]).await;
    let blanks = |length: usize| vec![b' '; length];
    let parts = [frame(FIRST_PART, &blanks(PAYLOAD)), frame(LAST_PART, b" ")].concat();
    for (what, bytes, code, reason) in [
        ("a long frame", frame(WHOLE_TEXT, &blanks(PAYLOAD + 1)), 1009, "too_large"),
        ("a frame of many times the limit", frame(WHOLE_TEXT, &blanks(20 * PAYLOAD)), 1009, "too_large"),
        ("a long message in parts", parts, 1009, "too_large"),
        ("no UTF-8", frame(WHOLE_TEXT, b"{\"seq\":\xff}"), 1007, "not_utf8"),
        ("no mask", vec![WHOLE_TEXT, 2, b'{', b'}'], 1002, "malformed"),
        ("a reserved bit", frame(WHOLE_TEXT | 0x40, b"{}"), 1002, "malformed"),
        ("an unknown opcode", frame(0x83, b"{}"), 1002, "malformed"),
        ("a part of nothing", frame(LAST_PART, b"{}"), 1002, "malformed"),
    ] {
        let before = running.refused(reason).await;
        let (found, words) = ended(running.socket().await.expect("a WebSocket"), &bytes).await;
        assert_eq!(found, code, "{what}: {words}");
        assert!((1..=123).contains(&words.len()), "{what}: {words}");
        assert_eq!(running.refused(reason).await, before + 1.0, "{what}");
    }
    running.until("all are gone", || async { running.metric("ingestion_websockets").await == 0.0 }).await;
    running.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_answered_and_a_broken_connection_is_no_bad_frame() {
    let running = Running::start(&[]).await;
    let mut socket = running.socket().await.expect("a WebSocket");
    socket.close(None).await.expect("a close frame");
    let frames: Vec<_> = socket.collect().await;
    assert!(matches!(frames.last(), Some(Ok(Message::Close(None)))), "{frames:?}");
    drop(running.socket().await.expect("a WebSocket"));
    running.until("both are gone", || async { running.metric("ingestion_websockets").await == 0.0 }).await;
    assert_eq!(running.refused("malformed").await, 0.0);
}
