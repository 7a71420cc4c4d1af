//! One persistent session: connects, works, connects again, until its slot is given up.

use super::client::{Client, Connection, Event, Lost, Options};
use super::open::Open;
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
/// Mosquitto 2.0.11 does not save shared subscriptions (tried: not even when it ends in order): after a restart it acknowledges
/// what devices send, and drops it, until we have subscribed again. So we are back at once. A broker that is away for long, or
/// does not want us, is asked less often.
const SOON: Duration = Duration::from_millis(80);
const LATER: Duration = Duration::from_secs(2);
const LONG_AWAY: Duration = Duration::from_secs(60);
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
        let drained = self.connections().await;
        self.shows(false);
        drained
    }

    /// Whether the session that serves is connected; one that is emptied says nothing about that.
    fn shows(&self, connected: bool) {
        if self.role == Role::Serve {
            metrics::gauge!("ingestion_mqtt_connected").set(if connected { 1.0 } else { 0.0 });
        }
    }

    async fn connections(&self) -> bool {
        let soon = || Retry::between(Duration::from_millis(20), SOON).waits();
        let (mut waits, mut lost, mut told) = (soon(), Instant::now(), None::<Instant>);
        loop {
            let begun = Instant::now();
            match self.connection().await {
                Ok(Ended::Stopped) => return false,
                Ok(Ended::Drained) => return true,
                Err(error) => {
                    self.receipts.lost_connection();
                    if begun.elapsed() > Duration::from_secs(1) {
                        (waits, lost, told) = (soon(), Instant::now(), None);
                    }
                    self.shows(false);
                    metrics::counter!("ingestion_mqtt_connections_lost_total").increment(1);
                    let wait = waits.next().unwrap_or(SOON);
                    let wait = if lost.elapsed() > LONG_AWAY { wait.max(LATER) } else { wait };
                    if told.is_none_or(|told| told.elapsed() > LATER) {
                        told = Some(Instant::now());
                        tracing::warn!(client = self.options.client_id, %error, wait_seconds = wait.as_secs_f64(), "connection lost");
                    }
                    tokio::select! { () = self.stop.wait() => return false, () = tokio::time::sleep(wait) => {} }
                }
            }
        }
    }

    async fn connection(&self) -> Result<Ended, Lost> {
        // Twice what should wait for answers at most, and as much again that promises nothing.
        let open = Arc::new(Open::new(4 * usize::from(self.options.in_flight)));
        let connection = Connection::new(&self.options, Arc::clone(&open))?;
        let client = connection.client();
        let mut events = std::pin::pin!(connection.events());
        let work = Work {
            intake: self.intake.clone(),
            prefix: self.options.broker.prefix.clone(),
            open: Arc::clone(&open),
            // The other half is for devices that are known.
            aside: usize::from(self.options.in_flight / 2),
        };
        // Brokers may have their own idea of how many messages wait for answers (Mosquitto 2.0.11 sends more than our Receive
        // Maximum when a session comes back), but never more than there are packet ids.
        let (messages, arrived) = mpsc::channel(usize::from(u16::MAX));
        let worker = Abort(tokio::spawn(work.run(arrived, client.clone())));
        let mut tick = tokio::time::interval(RECEIPTS);
        let mut watch = Drain::begin();
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
                    } else if watch.is_silent(&open.messages) {
                        if watch.is_empty() {
                            client.disconnect(false).await;
                            flush(events).await;
                            return Ok(Ended::Drained);
                        }
                        if watch.may_ask() {
                            client.unsubscribe(&self.filter).await?;
                            watch.asked();
                        }
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
                    self.shows(true);
                    watch = Drain::begin();
                    match self.role {
                        Role::Serve => client.subscribe(&self.filter).await?,
                        Role::Drain => {
                            client.unsubscribe(&self.filter).await?;
                            watch.asked();
                        }
                    }
                }
                Ok(Event::Message(message)) => {
                    watch.heard();
                    if self.role == Role::Drain {
                        metrics::counter!("ingestion_messages_taken_over_total").increment(1);
                    }
                    let waiting = open.messages.load(Ordering::Relaxed);
                    if !message.needs_answer() && waiting > 2 * usize::from(self.options.in_flight) {
                        // QoS 0 comes unasked for and promises nothing, but what is lost is counted.
                        metrics::counter!("ingestion_qos0_dropped_total").increment(1);
                        continue;
                    }
                    open.add(message.bytes());
                    messages.try_send(message).map_err(|_| Lost::overrun())?;
                }
                Ok(Event::Unsubscribed) => watch.answers += 1,
                Ok(Event::SubscriptionRefused) => {
                    tracing::error!(filter = self.filter, "the broker refuses the subscription")
                }
                Ok(Event::Other) => {}
            }
        }
    }
}

/// When a dead replica's session is empty. Silence alone proves nothing, the broker may just be slow: so after the last message
/// is acknowledged it is asked to unsubscribe once more. It works on what we send in order, and each acknowledgement lets it send
/// what still waits: when its answer comes and no message did, none waits.
struct Drain {
    since: Instant,
    asks: usize,
    answers: usize,
    /// How many were asked when the last message came.
    asks_at_message: usize,
}

impl Drain {
    fn begin() -> Self {
        Self { since: Instant::now(), asks: 0, answers: 0, asks_at_message: 0 }
    }

    fn heard(&mut self) {
        self.since = Instant::now();
        self.asks_at_message = self.asks;
    }

    fn asked(&mut self) {
        self.asks += 1;
    }

    /// All that came is in the stream and acknowledged, and nothing has come for a while.
    fn is_silent(&self, open: &AtomicUsize) -> bool {
        self.answers > 0 && open.load(Ordering::Acquire) == 0 && self.since.elapsed() > SILENCE
    }

    /// Whether everything is answered, and it is worth another question.
    fn may_ask(&self) -> bool {
        self.answers >= self.asks
    }

    /// The second answer at the earliest: the first one only ends the subscription.
    fn is_empty(&self) -> bool {
        self.asks > 1 && self.asks > self.asks_at_message && self.answers >= self.asks
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_empty_when_the_broker_answers_and_no_message_came() {
        let (open, mut drain) = (AtomicUsize::new(0), Drain::begin());
        let long_ago = || Instant::now() - 2 * SILENCE;
        drain.asked();
        drain.since = long_ago();
        assert!(!drain.is_silent(&open), "it has not even unsubscribed");
        drain.answers += 1;
        assert!(drain.is_silent(&open) && !drain.is_empty() && drain.may_ask());
        drain.asked();
        assert!(!drain.is_empty() && !drain.may_ask());
        // A message overtakes the answer: then the question was too early.
        drain.heard();
        drain.answers += 1;
        assert!(!drain.is_silent(&open) && !drain.is_empty());
        drain.since = long_ago();
        assert!(drain.is_silent(&open) && drain.may_ask());
        drain.asked();
        drain.answers += 1;
        assert!(drain.is_empty());
        open.store(1, Ordering::Relaxed);
        assert!(!drain.is_silent(&open), "one is not acknowledged yet");
    }
}
