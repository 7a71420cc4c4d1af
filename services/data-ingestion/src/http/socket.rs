//! Readings over a WebSocket: each text frame is a reading or an array of them; frames come back with what became of them,
//! and with receipts. The next frame is read when the last one is in the stream: a fast device waits in its own buffer.
//! A device whose key is revoked is cut off when that is heard of, not when it sends next.

use super::answers::Outcome;
use super::{Http, auth};
use crate::devices::Device;
use crate::intake::Format;
use crate::payload::{Reason, Refusal};
use crate::reading::Block;
use crate::stream::{Append, Receipt};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures::stream::FusedStream;
use http::{Extensions, HeaderMap, StatusCode};
use serde::Serialize;
use service::{Problem, Retry, Seat};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

/// A peer that says nothing, not even a pong, for so long is gone.
const SILENCE: Duration = Duration::from_secs(90);
/// How long a peer has to hear why it is cut off, as over plain HTTP.
const LINGER: Duration = Duration::from_secs(1);

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Connected { device_id: &'a str },
    Accepted { accepted: usize, results: Vec<Outcome> },
    Receipt(Receipt),
    Error { reason: &'static str, detail: String },
}

/// Readings in, receipts out, over a WebSocket.
///
/// It is closed with 1009 after a message that is too long, 1007 after text that is not UTF-8, 1002 after what is no frame, and 1008
/// when the device may not send any more.
#[utoipa::path(get, path = "/api/v1/stream", tag = "readings",
    params(("X-Device-Id" = Option<String>, Header, description = "The device, with a Bearer key.")),
    security(("device" = []), ("device_key" = [])),
    responses((status = 101, description = "A WebSocket."), (status = 400, description = "It asks for no WebSocket."), (status = 401, description = "No device's id and key."),
        (status = 429, description = "The device has too many WebSockets.")))]
pub async fn stream(
    State(http): State<Http>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let caller = auth::Caller::of(&headers).ok_or_else(auth::wrong)?;
    let changes = http.intake.devices.changes();
    let device = caller.device(&http).await?;
    let upgrade = upgrade.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let place = http.places.take(&caller.id).ok_or_else(|| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS).detail("the device has too many WebSockets: WEBSOCKETS_PER_DEVICE")
    })?;
    let limit = http.intake.bounds.payload_bytes;
    let upgrade = upgrade.max_message_size(limit).max_frame_size(limit).max_write_buffer_size(256 * 1024);
    // Thousands of devices that say little: the library's own 128 KiB are for few that say much.
    let upgrade = upgrade.read_buffer_size(4 * 1024).write_buffer_size(0);
    let seat = extensions.get::<Seat>().cloned();
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _held = (seat, place);
        metrics::gauge!("ingestion_websockets").increment(1.0);
        let mut peer = Peer { http, caller, device, changes, socket, boot: None, highest: 0, told: None };
        let _ = peer.talk().await;
        metrics::gauge!("ingestion_websockets").decrement(1.0);
    }))
}

struct Peer {
    http: Http,
    caller: auth::Caller,
    device: Arc<Device>,
    /// What was known of devices when `device` was looked up.
    changes: u64,
    socket: WebSocket,
    /// Whose receipts it waits for, and up to which number.
    boot: Option<Box<str>>,
    highest: u64,
    told: Option<Receipt>,
}

struct Gone;

impl Peer {
    async fn talk(&mut self) -> Result<(), Gone> {
        let id = self.caller.id.clone();
        self.send(&Frame::Connected { device_id: &id }).await?;
        let mut look = tokio::time::interval(self.http.receipts_every);
        let mut ping = tokio::time::interval(SILENCE / 3);
        let mut heard = tokio::time::Instant::now();
        let shutdown = self.http.shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.wait() => return Err(Gone),
                _ = look.tick() => {
                    self.still_allowed().await?;
                    self.tell().await?;
                }
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(Gone);
                    }
                    self.raw(Message::Ping(Default::default())).await?;
                }
                message = self.socket.recv() => {
                    heard = tokio::time::Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.readings(text.as_bytes()).await?,
                        Some(Ok(Message::Binary(bytes))) => self.readings(&bytes).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_))) => {
                            self.part().await;
                            return Err(Gone);
                        }
                        Some(Err(error)) => return Err(self.refuse(error).await),
                        None => return Err(Gone),
                    }
                }
            }
        }
    }

    /// Looks the device up again when any device changed; one that may not send any more is told so, and cut off.
    async fn still_allowed(&mut self) -> Result<(), Gone> {
        let changes = self.http.intake.devices.changes();
        if changes == self.changes {
            return Ok(());
        }
        match self.caller.device(&self.http).await {
            Ok(device) => {
                (self.device, self.changes) = (device, changes);
                Ok(())
            }
            Err(problem) if problem.status == StatusCode::UNAUTHORIZED.as_u16() => {
                Err(self.close(close_code::POLICY, "the key is not valid any more").await)
            }
            // Nobody can say now: what it was is believed, and asked again at the next look.
            Err(_) => Ok(()),
        }
    }

    async fn readings(&mut self, payload: &[u8]) -> Result<(), Gone> {
        self.still_allowed().await?;
        metrics::counter!("ingestion_messages_total", "transport" => "websocket").increment(1);
        let mut block = Block::default();
        let judged = self.http.intake.judge(&self.caller.id, &self.device, payload, Format::Json, &mut block);
        // Also when all of it is refused: its number is settled.
        let mut waits = Retry::between(Duration::from_millis(50), Duration::from_secs(1)).waits();
        while !matches!(self.http.intake.append(&block, &[]).await, Ok(Append::Stored)) {
            let wait = waits.next().unwrap_or(Duration::from_secs(1));
            tokio::select! {
                () = self.http.shutdown.wait() => return Err(Gone),
                () = tokio::time::sleep(wait) => {}
            }
            self.still_allowed().await?;
        }
        let judged = match judged {
            Ok(judged) => judged,
            Err(refusal) => {
                crate::intake::count(&refusal);
                return self.send(&Frame::Error { reason: refusal.reason.word(), detail: refusal.text }).await;
            }
        };
        for (boot, seq) in judged.iter().filter_map(|judged| judged.number.as_ref()) {
            if self.boot.as_deref() != Some(boot) {
                (self.boot, self.highest, self.told) = (Some(boot.clone()), 0, None);
            }
            self.highest = self.highest.max(*seq);
        }
        let results: Vec<Outcome> = judged.into_iter().map(Outcome::from).collect();
        let accepted = results.iter().filter(|outcome| outcome.reason.is_none()).count();
        self.send(&Frame::Accepted { accepted, results }).await
    }

    /// The receipt, when it says something new. Once all is stored, Redis is not asked any more.
    async fn tell(&mut self) -> Result<(), Gone> {
        let Some(boot) = self.boot.clone() else { return Ok(()) };
        if self.told.as_ref().is_some_and(|told| told.stored >= self.highest) {
            return Ok(());
        }
        let Ok(receipt) = self.http.intake.stream.receipt(&self.caller.id, &boot).await else { return Ok(()) };
        if self.told.as_ref() == Some(&receipt) {
            return Ok(());
        }
        self.told = Some(receipt.clone());
        self.send(&Frame::Receipt(receipt)).await
    }

    /// A frame that cannot be read: what comes behind it cannot either.
    async fn refuse(&mut self, error: axum::Error) -> Gone {
        let Some((code, refusal)) = fault(error, self.http.intake.bounds.payload_bytes) else { return Gone };
        crate::intake::count(&refusal);
        self.close(code, &refusal.text).await
    }

    /// Ends it with a reason.
    async fn close(&mut self, code: u16, reason: &str) -> Gone {
        let frame = CloseFrame { code, reason: reason.into() };
        if self.raw(Message::Close(Some(frame))).await.is_ok() {
            self.part().await;
        }
        Gone
    }

    /// Leaves the peer a moment for the last frames. Closed at once, with something unread, the kernel would send a reset, and that
    /// throws away what the peer has not read yet (RFC 6455 section 7.1.1).
    async fn part(&mut self) {
        let shutdown = self.http.shutdown.clone();
        tokio::select! {
            () = shutdown.wait() => {}
            _ = tokio::time::timeout(LINGER, self.both_closed()) => {}
        }
    }

    /// Until each has answered the other's close frame. Behind a frame that is none the library reads nothing more: then for ever.
    async fn both_closed(&mut self) {
        if self.socket.is_terminated() {
            std::future::pending::<()>().await;
        }
        while self.socket.recv().await.is_some() {}
    }

    async fn send(&mut self, frame: &Frame<'_>) -> Result<(), Gone> {
        let text = serde_json::to_string(frame).map_err(|_| Gone)?;
        self.raw(Message::Text(text.into())).await
    }

    /// A peer that does not read is cut off, not waited for.
    async fn raw(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(Duration::from_secs(10), self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

/// What is wrong with a frame, and the code to close with (RFC 6455 section 7.4.1). Nothing, when the connection broke off.
fn fault(error: axum::Error, limit: usize) -> Option<(u16, Refusal)> {
    let (code, reason, text) = match *error.into_inner().downcast::<tungstenite::Error>().ok()? {
        tungstenite::Error::Capacity(_) => {
            (close_code::SIZE, Reason::TooLarge, format!("the message is longer than {limit} bytes"))
        }
        tungstenite::Error::Utf8(_) => (close_code::INVALID, Reason::NotUtf8, "the text is not UTF-8".to_owned()),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        tungstenite::Error::Protocol(error) => (close_code::PROTOCOL, Reason::Malformed, error.to_string()),
        _ => return None,
    };
    Some((code, Refusal::new(reason, text)))
}
