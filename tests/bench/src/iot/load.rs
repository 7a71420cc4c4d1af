//! What devices send: readings of one sensor with three fields, over MQTT with QoS 1, from a hundred devices.

use anyhow::{Result, bail};
use rumqttc::mqttbytes::v5::Packet;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, PublishOptions};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};

/// How many devices share the messages.
pub const DEVICES: u64 = 100;

/// The broker must answer within this.
const SILENCE: Duration = Duration::from_secs(30);

/// A number of messages.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many.
    pub messages: u64,
    /// How many a second; `None` for as fast as the broker takes them.
    pub rate: Option<u64>,
    /// Whether devices number them, and so get receipts.
    pub numbered: bool,
}

impl Load {
    /// Sends them all; returns when the broker has acknowledged each.
    ///
    /// # Errors
    /// The broker is away or silent.
    pub async fn send(self, port: u16) -> Result<()> {
        let mut options = MqttOptions::new("bench-load", ("127.0.0.1", port));
        options
            .set_keep_alive(60)
            .set_clean_start(true)
            .set_max_request_batch(64)
            .set_outgoing_inflight_upper_limit(200);
        let (client, mut events) = AsyncClient::builder(options).capacity(256).build();
        let sender = tokio::spawn(self.publish(client));
        let mut left = self.messages;
        while left > 0 {
            left -= acknowledged(&mut events).await?;
        }
        sender.await?
    }

    async fn publish(self, client: AsyncClient) -> Result<()> {
        let begun = Instant::now();
        for number in 0..self.messages {
            if let Some(rate) = self.rate {
                tokio::time::sleep_until(begun + Duration::from_secs(number) / u32::try_from(rate)?).await;
            }
            let topic = format!("neurobuild/sensors/bench-{}/data", number % DEVICES);
            client.publish(topic, self.payload(number), PublishOptions::at_least_once()).await?;
        }
        Ok(())
    }

    fn payload(self, number: u64) -> String {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let seq = if self.numbered { format!(r#""seq":{},"boot":"b1","#, number / DEVICES + 1) } else { String::new() };
        format!(
            r#"{{"timestamp":{time},{seq}"sensors":{{"ld2410":{{"presence":true,"distance":{},"energy":{}}}}}}}"#,
            number % 600,
            number % 100,
        )
    }
}

async fn acknowledged(events: &mut EventLoop) -> Result<u64> {
    match timeout(SILENCE, events.poll()).await?? {
        Event::Incoming(Packet::PubAck(_)) => Ok(1),
        Event::Incoming(Packet::Disconnect(_)) => bail!("the broker ends the connection of the load"),
        _ => Ok(0),
    }
}
