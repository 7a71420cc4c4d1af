//! One persistent session: connects, works, connects again, until its slot is given up.

use super::client::{Client, Connection, Event, Lost, Options};
use super::work::Work;
use crate::intake::Intake;
use crate::receipts::Receipts;
use futures::{Stream, StreamExt};
use service::{Retry, Shutdown, TopicPrefix, Topics};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes its share of the messages, and sends receipts.
    Serve,
    /// Empties the session of a dead replica, then ends it.
    Drain,
}

/// A drained session is ended after it was silent for so long.
const SILENCE: Duration = Duration::from_secs(1);
/// How often receipts are sent: a device gets at most so many.
const RECEIPTS: Duration = Duration::from_millis(250);

/// One session.
#[derive(Debug, Clone)]
pub struct Session {
    /// How to connect.
    pub options: Options,
    /// What is subscribed to.
    pub filter: String,
    /// What it is for.
    pub role: Role,
    /// The judgement and the stream.
    pub intake: Intake,
    /// What to send.
    pub receipts: Receipts,
    /// When to end, keeping the session at the broker.
    pub stop: Shutdown,
}

enum Ended {
    Stopped,
    Drained,
}

impl Session {
    /// Runs it until it is stopped (`false`) or drained (`true`).
    pub async fn run(self) -> bool {
        let mut waits = Retry::between(Duration::from_millis(100), Duration::from_secs(2)).waits();
        loop {
            let begun = Instant::now();
            match self.connection().await {
                Ok(Ended::Stopped) => return false,
                Ok(Ended::Drained) => return true,
                Err(error) => {
                    self.receipts.lost_connection();
                    if begun.elapsed() > Duration::from_secs(10) {
                        waits = Retry::between(Duration::from_millis(100), Duration::from_secs(2)).waits();
                    }
                    metrics::gauge!("ingestion_mqtt_connected").set(0.0);
                    metrics::counter!("ingestion_mqtt_connections_lost_total").increment(1);
                    let wait = waits.next().unwrap_or(Duration::from_secs(2));
                    tracing::warn!(client = self.options.client_id, %error, wait_seconds = wait.as_secs_f64(), "connection lost");
                    tokio::select! { () = self.stop.wait() => return false, () = tokio::time::sleep(wait) => {} }
                }
            }
        }
    }

    async fn connection(&self) -> Result<Ended, Lost> {
        let connection = Connection::new(&self.options)?;
        let client = connection.client();
        let mut events = std::pin::pin!(connection.events());
        let open = Arc::new(AtomicUsize::new(0));
        let work =
            Work { intake: self.intake.clone(), prefix: self.options.broker.prefix.clone(), open: Arc::clone(&open) };
        // Brokers may have their own idea of how many messages wait for answers (Mosquitto 2.0.11 sends more than our Receive
        // Maximum when a session comes back), but never more than there are packet ids.
        let (messages, arrived) = mpsc::channel(usize::from(u16::MAX));
        let worker = Abort(tokio::spawn(work.run(arrived, client.clone())));
        let mut tick = tokio::time::interval(RECEIPTS);
        let mut watch = Drain { since: Instant::now(), unsubscribed: false };
        let mut leaving = false;
        loop {
            let event = tokio::select! {
                event = events.next() => event.unwrap_or_else(|| Err(Lost::overrun())),
                () = self.stop.wait(), if !leaving => {
                    leaving = true;
                    client.disconnect(true).await;
                    continue;
                }
                _ = tick.tick(), if !leaving => {
                    if self.role == Role::Serve {
                        send_receipts(&self.receipts, &client, &self.options.broker.prefix);
                    } else if watch.done(&open) {
                        client.disconnect(false).await;
                        flush(events).await;
                        return Ok(Ended::Drained);
                    }
                    continue;
                }
            };
            match event {
                Err(_) if leaving => {
                    drop(worker);
                    return Ok(Ended::Stopped);
                }
                Err(error) => return Err(error),
                Ok(Event::Connected(kept)) => {
                    tracing::info!(client = self.options.client_id, role = ?self.role, session_kept = kept, "connected");
                    metrics::gauge!("ingestion_mqtt_connected").set(1.0);
                    watch.since = Instant::now();
                    match self.role {
                        Role::Serve => client.subscribe(&self.filter).await?,
                        Role::Drain => client.unsubscribe(&self.filter).await?,
                    }
                }
                Ok(Event::Message(message)) => {
                    watch.since = Instant::now();
                    let waiting = open.load(Ordering::Relaxed);
                    if !message.needs_answer() && waiting > 2 * usize::from(self.options.in_flight) {
                        // QoS 0 comes unasked for and promises nothing, but what is lost is counted.
                        metrics::counter!("ingestion_qos0_dropped_total").increment(1);
                        continue;
                    }
                    open.fetch_add(1, Ordering::Relaxed);
                    messages.try_send(message).map_err(|_| Lost::overrun())?;
                }
                Ok(Event::Unsubscribed) => watch.unsubscribed = true,
                Ok(Event::SubscriptionRefused) => {
                    tracing::error!(filter = self.filter, "the broker refuses the subscription")
                }
                Ok(Event::Other) => {}
            }
        }
    }
}

struct Drain {
    since: Instant,
    unsubscribed: bool,
}

impl Drain {
    fn done(&self, open: &AtomicUsize) -> bool {
        self.unsubscribed && open.load(Ordering::Relaxed) == 0 && self.since.elapsed() > SILENCE
    }
}

/// What is queued goes out, the farewell last.
async fn flush(mut events: impl Stream<Item = Result<Event, Lost>> + Unpin) {
    let _ =
        tokio::time::timeout(Duration::from_secs(2), async { while let Some(Ok(_)) = events.next().await {} }).await;
}

fn send_receipts(receipts: &Receipts, client: &Client, prefix: &TopicPrefix) {
    for (device, receipt) in receipts.take() {
        let Ok(id) = device.parse() else { continue };
        let topic = Topics::receipts(prefix.device(&id));
        let Ok(payload) = serde_json::to_vec(&receipt) else { continue };
        if client.try_publish(topic, payload) {
            metrics::counter!("ingestion_receipts_sent_total").increment(1);
            receipts.sent(device, receipt);
        } else {
            receipts.put_back(device, receipt);
        }
    }
}

/// A task that ends with its owner.
struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}
