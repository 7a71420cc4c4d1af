//! A real MQTT client, as a device has one.

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A client that is connected.
pub struct Client {
    client: AsyncClient,
    events: mpsc::UnboundedReceiver<Heard>,
    task: tokio::task::JoinHandle<()>,
}

/// What the broker said.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Message(String),
    Subscribed(bool),
    Published(bool),
    CutOff,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Connects; the error is the broker's.
    pub async fn connect(port: u16, user: &str, password: &str, client_id: &str) -> Result<Self, String> {
        let mut options = MqttOptions::new(client_id, ("127.0.0.1", port));
        options.set_credentials(user, password.to_owned());
        options.set_keep_alive(5);
        let (client, mut eventloop) = AsyncClient::builder(options).capacity(16).build();
        let (sender, events) = mpsc::unbounded_channel();
        let (connected, up) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut connected = Some(connected);
            loop {
                let heard = match eventloop.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        if let Some(connected) = connected.take() {
                            let _ = connected.send(Ok(()));
                        }
                        continue;
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        Heard::Message(format!("{}={}", text(&publish.topic), text(&publish.payload)))
                    }
                    Ok(Event::Incoming(Packet::SubAck(ack))) => {
                        Heard::Subscribed(format!("{:?}", ack.return_codes).contains("Success"))
                    }
                    Ok(Event::Incoming(Packet::PubAck(ack))) => {
                        Heard::Published(!format!("{:?}", ack.reason).contains("NotAuthorized"))
                    }
                    Ok(_) => continue,
                    Err(error) => {
                        if let Some(connected) = connected.take() {
                            let _ = connected.send(Err(error.to_string()));
                        }
                        let _ = sender.send(Heard::CutOff);
                        return;
                    }
                };
                let _ = sender.send(heard);
            }
        });
        up.await.map_err(|error| error.to_string())??;
        Ok(Self { client, events, task })
    }

    /// Whether the broker granted it.
    pub async fn subscribe(&mut self, filter: &str) -> bool {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.expect("a filter");
        loop {
            match self.next().await {
                Heard::Subscribed(granted) => return granted,
                Heard::CutOff => return false,
                _ => {}
            }
        }
    }

    /// Whether the broker took it.
    pub async fn publish(&mut self, topic: &str, payload: &str) -> bool {
        self.publish_with(topic, payload, PublishOptions::new(QoS::AtLeastOnce)).await
    }

    /// The same with something that stays.
    pub async fn publish_retained(&mut self, topic: &str, payload: &str) -> bool {
        self.publish_with(topic, payload, PublishOptions::new(QoS::AtLeastOnce).retained()).await
    }

    async fn publish_with(&mut self, topic: &str, payload: &str, options: PublishOptions) -> bool {
        self.client.publish(topic, payload.to_owned(), options).await.expect("a topic");
        loop {
            match self.next().await {
                Heard::Published(taken) => return taken,
                Heard::CutOff => return false,
                _ => {}
            }
        }
    }

    pub async fn next(&mut self) -> Heard {
        tokio::time::timeout(Duration::from_secs(10), self.events.recv())
            .await
            .expect("the broker speaks")
            .unwrap_or(Heard::CutOff)
    }

    /// What was heard so far and not looked at.
    pub fn heard(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
