//! Devices over HTTP, in batches.

use crate::cli::Run;
use crate::device::{Device, Receipt, Sending};
use crate::pace::Pace;
use crate::run::Shared;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

#[derive(Deserialize)]
struct Answer {
    receipt: Option<Receipt>,
}

/// One device a connection, until it is done.
pub async fn gateway(number: usize, devices: Vec<Device>, options: Arc<Run>, _shared: Arc<Shared>, parts: usize) {
    let mut pace = Pace::new(options.rate, parts);
    let Ok(client) = Client::builder().timeout(Duration::from_secs(15)).build() else { return };
    for mut device in devices {
        let mut turn = number;
        while !device.is_done() {
            let address = &options.http[turn % options.http.len()];
            if step(&client, address, &mut device, &options, &mut pace).await.is_none() {
                turn += 1;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// `None`: the service was away, or asks to wait.
async fn step(client: &Client, address: &str, device: &mut Device, options: &Run, pace: &mut Pace) -> Option<()> {
    let mut sendings = device.repeats(options, 100);
    while sendings.len() < 100 && pace.take() {
        let fresh = device.fresh(options);
        if fresh.is_empty() {
            pace.give_back();
            break;
        }
        sendings.extend(fresh);
    }
    if sendings.is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        return ask(client, address, device).await;
    }
    let (good, bad): (Vec<Sending>, Vec<Sending>) = sendings.into_iter().partition(|sending| sending.seq.is_some());
    for broken in bad {
        let _ = post(client, address, device, broken.payload).await;
    }
    let payloads: Vec<&str> = good.iter().map(|sending| sending.payload.as_str()).collect();
    match post(client, address, device, format!("[{}]", payloads.join(","))).await {
        Some((StatusCode::ACCEPTED, text)) => {
            if let Ok(Answer { receipt: Some(receipt) }) = serde_json::from_str(&text) {
                device.receive(&receipt);
            }
            Some(())
        }
        _ => {
            good.iter().for_each(|sending| device.not_sent(sending.seq));
            None
        }
    }
}

async fn post(client: &Client, address: &str, device: &Device, body: String) -> Option<(StatusCode, String)> {
    let request = client.post(format!("{address}/api/v1/sensor-data/batch")).basic_auth(&device.id, Some(&device.key));
    let answer = request.header("Content-Type", "application/json").body(body).send().await.ok()?;
    let status = answer.status();
    Some((status, answer.text().await.ok()?))
}

async fn ask(client: &Client, address: &str, device: &mut Device) -> Option<()> {
    let request = client.get(format!("{address}/api/v1/receipts")).basic_auth(&device.id, Some(&device.key));
    let answer = request.send().await.ok()?;
    let receipts: Vec<Receipt> = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    receipts.iter().for_each(|receipt| device.receive(receipt));
    Some(())
}
