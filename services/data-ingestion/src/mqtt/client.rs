//! The MQTT client. Everything that knows the library stands in this file. It is `rumqttc-next`, pinned: one maintainer.

use super::gather::Gathering;
use super::open::Open;
use futures::future::{BoxFuture, ready};
use futures::stream::{self, Stream};
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v5::{DisconnectProperties, DisconnectReasonCode, Packet, Publish};
use rumqttc::{
    AckMode, AsyncClient, EventLoop, IncomingPacketSizeLimit, MqttOptions, PersistedAckMode, PersistedSession,
    PublishOptions, SessionStore, SessionStoreKey, Transport,
};
use service::mqtt::Tls;
use std::sync::Arc;
use std::time::Duration;

/// What the broker sent.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all events are messages")]
pub enum Event {
    /// It let us in; whether it kept our session.
    Connected(bool),
    /// A message.
    Message(Message),
    /// Our wish to subscribe no more is done.
    Unsubscribed,
    /// It refused a subscription.
    SubscriptionRefused,
    /// Anything else.
    Other,
}

/// A message that must be acknowledged.
#[derive(Debug)]
pub struct Message {
    publish: Publish,
}

impl Message {
    /// The topic, if it is UTF-8.
    pub fn topic(&self) -> Option<&str> {
        std::str::from_utf8(&self.publish.topic).ok()
    }
    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.publish.payload
    }
    /// How much of our memory it takes, about.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.publish.topic.len() + self.publish.payload.len()
    }
    /// Whether the broker waits for an answer.
    pub fn needs_answer(&self) -> bool {
        self.publish.qos != QoS::AtMostOnce
    }
}

/// Something went wrong with the connection; a new one must be made.
#[derive(Debug, thiserror::Error)]
#[error("mqtt: {0}")]
pub struct Lost(String);

/// A connection. It is used once: an acknowledgement of a broken connection must never be sent on the next one, where the
/// same packet id may stand for another message.
pub struct Connection {
    events: EventLoop,
    client: Client,
}

/// Sends on a connection. Clones share it.
#[derive(Debug, Clone)]
pub struct Client(AsyncClient);

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where, with which account.
    pub broker: service::mqtt::Settings,
    /// The session's name.
    pub client_id: String,
    /// How many messages may wait for our answer.
    pub in_flight: u16,
    /// How long reading pauses when little came.
    pub linger: Duration,
    /// The longest packet.
    pub packet_bytes: u32,
}

impl Connection {
    /// Prepares a connection, which reads only while there is room among what is open; the first event makes it.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(options: &Options, open: Arc<Open>) -> Result<Self, Lost> {
        let (broker, linger) = (&options.broker, options.linger);
        let mut mqtt = MqttOptions::new(options.client_id.clone(), (broker.host.clone(), broker.port));
        mqtt.set_keep_alive(10)
            .set_clean_start(false)
            .set_session_expiry_interval(Some(u32::MAX))
            .set_ack_mode(AckMode::Manual)
            // Our side of the session is the stream: what the broker sends again is written again, over itself.
            .set_session_store(Blank)
            .set_receive_maximum(Some(options.in_flight))
            .set_max_packet_size(Some(options.packet_bytes))
            .set_incoming_packet_size_limit(IncomingPacketSizeLimit::Bytes(options.packet_bytes))
            .set_connect_timeout(Duration::from_secs(3))
            .set_outgoing_inflight_upper_limit(OUTGOING)
            .set_socket_connector(move |host, mut options| {
                let open = Arc::clone(&open);
                // What is gathered must not wait a second time.
                options.set_tcp_nodelay(true);
                async move { Ok(Gathering::new(rumqttc::default_socket_connect(host, options).await?, open, linger)) }
            });
        if let Some((user, password)) = &broker.login {
            mqtt.set_credentials(user.clone(), password.reveal().clone().into_bytes());
        }
        if let Some(tls) = &broker.tls {
            mqtt.set_transport(transport(tls)?);
        }
        let (client, events) = AsyncClient::builder(mqtt).capacity(usize::from(options.in_flight) + 256).build();
        Ok(Self { events, client: Client(client) })
    }

    /// What sends on it.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// All events. Must be asked all the time, or the broker takes us for dead; asking may be broken off.
    pub fn events(self) -> impl Stream<Item = Result<Event, Lost>> {
        stream::unfold(self, |mut connection| async {
            let event = connection.next().await;
            Some((event, connection))
        })
    }

    async fn next(&mut self) -> Result<Event, Lost> {
        let mut event = self.events.poll().await;
        // What it has sent for us is no news.
        while let Ok(rumqttc::Event::Outgoing(_)) = event {
            event = self.events.poll().await;
        }
        Ok(match event.map_err(|error| Lost(service::mqtt::explained(&error.to_string())))? {
            rumqttc::Event::Incoming(Packet::ConnAck(answer)) => {
                // It has said that there is no memory of the session. From now on the library would only write that memory
                // down again with each acknowledgement.
                self.events.options.clear_session_store();
                Event::Connected(answer.session_present)
            }
            rumqttc::Event::Incoming(Packet::Publish(publish)) => Event::Message(Message { publish }),
            rumqttc::Event::Incoming(Packet::UnsubAck(_)) => Event::Unsubscribed,
            rumqttc::Event::Incoming(Packet::SubAck(answer)) => {
                let granted = |code: &rumqttc::mqttbytes::v5::SubscribeReasonCode| {
                    matches!(code, rumqttc::mqttbytes::v5::SubscribeReasonCode::Success(_))
                };
                if answer.return_codes.iter().all(granted) { Event::Other } else { Event::SubscriptionRefused }
            }
            _ => Event::Other,
        })
    }
}

impl Client {
    /// Subscribes at QoS 1: identities make repeats harmless, so QoS 2 would only cost two packets more.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn subscribe(&self, filter: &str) -> Result<(), Lost> {
        self.0.subscribe(filter, QoS::AtLeastOnce).await.map_err(|error| Lost(error.to_string()))
    }

    /// Subscribes no more.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn unsubscribe(&self, filter: &str) -> Result<(), Lost> {
        self.0.unsubscribe(filter).await.map_err(|error| Lost(error.to_string()))
    }

    /// Tells the broker that we have a message.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn acknowledge(&self, message: &Message) -> Result<(), Lost> {
        self.0.ack(&message.publish).await.map_err(|error| Lost(error.to_string()))
    }

    /// Publishes, retained, QoS 1; `false` when there is no room now.
    pub fn try_publish(&self, topic: String, payload: Vec<u8>) -> bool {
        self.0.try_publish(topic, payload, PublishOptions::at_least_once().retained()).is_ok()
    }

    /// Ends the connection; `session`: keep it, or end it too.
    pub async fn disconnect(&self, keep_session: bool) {
        let properties = DisconnectProperties {
            session_expiry_interval: (!keep_session).then_some(0),
            reason_string: None,
            user_properties: Vec::new(),
            server_reference: None,
        };
        let reason = DisconnectReasonCode::NormalDisconnection;
        let _ = self.0.disconnect_with_properties_timeout(reason, properties, Duration::from_secs(2)).await;
    }
}

/// How many of our own messages may wait for the broker's answer.
const OUTGOING: u16 = 256;

/// A memory of sessions in which nothing ever waits. Without one the library takes a session that the broker kept for a
/// stranger's, in which it neither subscribes nor publishes.
#[derive(Debug)]
struct Blank;

type Answer<'a, T> = BoxFuture<'a, Result<T, Box<dyn std::error::Error + Send + Sync>>>;

impl SessionStore for Blank {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: 1,
            client_id: key.client_id().to_owned(),
            clean_start: false,
            session_expiry_interval: Some(u32::MAX),
            outgoing_inflight_upper_limit: Some(OUTGOING),
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(ready(Ok(Some(session))))
    }
    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Answer<'a, ()> {
        Box::pin(ready(Ok(())))
    }
    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(ready(Ok(())))
    }
}

fn transport(tls: &Tls) -> Result<Transport, Lost> {
    let read =
        |path: &std::path::Path| std::fs::read(path).map_err(|error| Lost(format!("{}: {error}", path.display())));
    let identity = match &tls.identity {
        Some((certificate, key)) => Some((read(certificate)?, read(key)?)),
        None => None,
    };
    match &tls.authority {
        Some(authority) => Ok(Transport::tls(read(authority)?, identity, None)),
        None => Transport::try_tls_with_default_config().map_err(|error| Lost(error.to_string())),
    }
}

impl Lost {
    /// The broker sent more than it may.
    pub fn overrun() -> Self {
        Self("more messages without answers than allowed".to_owned())
    }
}
