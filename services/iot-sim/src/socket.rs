//! Devices over WebSocket.

use crate::cli::Run;
use crate::device::{Device, Receipt};
use crate::pace::Pace;
use crate::run::Shared;
use data_encoding::BASE64;
use futures::{SinkExt, StreamExt};
use rand::RngExt;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const TICK: Duration = Duration::from_millis(20);

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame {
    Receipt(Receipt),
    #[serde(other)]
    Other,
}

/// One device a connection, until it is done.
pub async fn gateway(number: usize, devices: Vec<Device>, options: Arc<Run>, shared: Arc<Shared>, parts: usize) {
    let mut pace = Pace::new(options.rate, parts);
    for mut device in devices {
        let mut turn = number;
        while !device.is_done() {
            let address = &options.http[turn % options.http.len()];
            connection(address, &mut device, &options, &shared, &mut pace).await;
            turn += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn connection(address: &str, device: &mut Device, options: &Run, shared: &Shared, pace: &mut Pace) -> Option<()> {
    let address = format!("{}/api/v1/stream", address.replacen("http", "ws", 1));
    let mut request = address.into_client_request().ok()?;
    let credential = BASE64.encode(format!("{}:{}", device.id, device.key).as_bytes());
    request.headers_mut().insert("Authorization", format!("Basic {credential}").parse().ok()?);
    let (socket, _) = connect_async(request).await.ok()?;
    let (mut out, mut frames) = socket.split();
    let mut tick = tokio::time::interval(TICK);
    while !device.is_done() {
        tokio::select! {
            frame = frames.next() => {
                if let Message::Text(text) = frame?.ok()?
                    && let Ok(Frame::Receipt(receipt)) = serde_json::from_str(&text)
                {
                    device.receive(&receipt);
                }
            }
            _ = tick.tick() => {
                let mut sendings = device.repeats(options, 16);
                while sendings.len() < 32 && pace.take() {
                    let fresh = device.fresh(options);
                    if fresh.is_empty() {
                        pace.give_back();
                        break;
                    }
                    sendings.extend(fresh);
                }
                for sending in sendings {
                    out.feed(Message::Text(sending.payload.into())).await.ok()?;
                }
                out.flush().await.ok()?;
                if options.reconnects > 0.0 && rand::rng().random_bool(options.reconnects * TICK.as_secs_f64()) {
                    shared.counts.reconnects.fetch_add(1, Relaxed);
                    return None;
                }
            }
        }
    }
    let _ = out.send(Message::Close(None)).await;
    Some(())
}
