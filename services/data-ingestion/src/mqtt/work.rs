//! From messages to the stream, in order, and only then the answers to the broker.

use super::aside::{Aside, Known};
use super::client::{Client, Lost, Message};
use super::open::Open;
use crate::devices::Device;
use crate::intake::{Format, Intake, count};
use crate::payload::{Reason, Refusal};
use crate::reading::Block;
use crate::stream::{Append, DeadLetter};
use service::{Retry, TopicPrefix};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// Most messages, and about how many bytes, in one block.
const BLOCK_MESSAGES: usize = 256;
const BLOCK_BYTES: usize = 64 * 1024;
/// Messages wait so long together for an answer about one device; then those of others go on without it.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the work of one connection needs.
#[derive(Debug, Clone)]
pub struct Work {
    /// The judgement and the stream.
    pub intake: Intake,
    /// What topics begin with.
    pub prefix: TopicPrefix,
    /// Messages that have arrived and are not yet in the stream.
    pub open: Arc<Open>,
    /// How many may wait for word about their devices while others pass.
    pub aside: usize,
}

/// Messages that were looked at.
#[derive(Default)]
struct Judged {
    block: Block,
    letters: Vec<DeadLetter>,
    /// Per message: the device of which nobody can say now whether it may send.
    undecided: Vec<Option<Box<str>>>,
    /// How many of them that are.
    waiting: usize,
}

impl Work {
    /// Works until the connection ends.
    pub async fn run(self, mut messages: Receiver<Message>, client: Client) {
        let mut batch = Vec::with_capacity(BLOCK_MESSAGES);
        let mut aside = Aside::new(self.intake.clone(), self.aside);
        loop {
            let has_room = aside.room() > 0;
            let known = tokio::select! {
                known = aside.next(), if !aside.is_empty() => Some(known),
                received = messages.recv_many(&mut batch, BLOCK_MESSAGES), if batch.is_empty() && has_room => {
                    if received == 0 {
                        return;
                    }
                    None
                }
                () = std::future::ready(()), if !batch.is_empty() && has_room => None,
            };
            let done = match known {
                None => self.work_off(&mut batch, None, &mut aside, &client).await,
                Some((known, mut waiting)) => loop {
                    match self.work_off(&mut waiting, Some(&known), &mut aside, &client).await {
                        Ok(()) if !waiting.is_empty() => {}
                        done => break done,
                    }
                },
            };
            if done.is_err() {
                return;
            }
        }
    }

    /// Stores as many of the messages as one block takes, and answers for them.
    async fn work_off(
        &self,
        batch: &mut Vec<Message>,
        known: Option<&Known>,
        aside: &mut Aside,
        client: &Client,
    ) -> Result<(), Lost> {
        let judged = self.judge(batch, known, aside).await;
        self.store(&judged).await;
        for (message, undecided) in batch.drain(..judged.undecided.len()).zip(judged.undecided) {
            if let Some(id) = undecided {
                aside.add(id, message);
                continue;
            }
            if message.needs_answer() {
                client.acknowledge(&message).await?;
            }
            self.open.remove(message.bytes());
        }
        Ok(())
    }

    /// Tries until it succeeds: that is the back-pressure, as the broker sends no more than it may without answers.
    async fn store(&self, judged: &Judged) {
        let mut waits = Retry::between(Duration::from_millis(50), Duration::from_secs(1)).waits();
        loop {
            match self.intake.append(&judged.block, &judged.letters).await {
                Ok(Append::Stored) => return,
                Ok(Append::Full) => wait(&mut waits, "the stream is full").await,
                Err(error) => wait(&mut waits, &error.to_string()).await,
            }
        }
    }

    async fn judge(&self, messages: &[Message], known: Option<&Known>, aside: &Aside) -> Judged {
        let mut judged = Judged::default();
        // Near the bound small blocks still get in, beside those of HTTP.
        let most = BLOCK_BYTES.min(self.intake.stream.settings().bytes.as_usize() / 8);
        for message in messages {
            let is_long = !judged.undecided.is_empty() && judged.block.bytes().len() >= most;
            if is_long || (known.is_none() && judged.waiting >= aside.room()) {
                break;
            }
            let undecided = self.one(message, known, aside, &mut judged).await;
            judged.waiting += usize::from(undecided.is_some());
            judged.undecided.push(undecided);
        }
        let decided = judged.undecided.len() - judged.waiting;
        metrics::counter!("ingestion_messages_total", "transport" => "mqtt").increment(decided as u64);
        judged
    }

    /// Whose it is, when nobody can say now whether it may send.
    async fn one(
        &self,
        message: &Message,
        known: Option<&Known>,
        aside: &Aside,
        judged: &mut Judged,
    ) -> Option<Box<str>> {
        let topic = message.topic().unwrap_or_default();
        let Some((id, last)) = self.prefix.parse_up(topic) else {
            let refusal = Refusal::new(Reason::BadTopic, "the topic is none of a device");
            judged.letters.push(letter(&refusal, topic, None, message));
            return None;
        };
        let sender = match known {
            Some(known) => Some(known.device.clone()),
            None => self.sender(id, judged, aside).await,
        };
        let Some(sender) = sender else { return Some(id.into()) };
        let device = match sender {
            Ok(device) => device,
            Err(refusal) => {
                judged.letters.push(letter(&refusal, topic, Some(id), message));
                return None;
            }
        };
        let Judged { block, letters, .. } = judged;
        match self.intake.judge(id, &device, message.payload(), Format::of_topic(last), block) {
            Err(refusal) => letters.push(letter(&refusal, topic, Some(id), message)),
            Ok(judged) => {
                // One letter for the whole message: it is what can be tried again.
                let readings = judged.len();
                let refusals =
                    judged.into_iter().enumerate().filter_map(|(at, judged)| Some((at, judged.verdict.err()?)));
                let (only, refusals): (Vec<usize>, Vec<Refusal>) = refusals.unzip();
                if let Some(first) = refusals.first() {
                    let detail = if refusals.len() == 1 {
                        first.text.clone()
                    } else {
                        format!("{} (and {} more)", first.text, refusals.len() - 1)
                    };
                    let letter = DeadLetter::new(first.reason.word(), &detail, topic, Some(id), message.payload());
                    let only = if only.len() < readings { only } else { Vec::new() };
                    letters.push(DeadLetter { only, ..letter });
                }
            }
        }
        None
    }

    /// Who sends, if somebody can say now.
    async fn sender(&self, id: &str, judged: &Judged, aside: &Aside) -> Option<Result<Arc<Device>, Refusal>> {
        // A device does not overtake itself.
        let left = |waiting: &Option<Box<str>>| waiting.as_deref() == Some(id);
        if aside.has(id) || (judged.waiting > 0 && judged.undecided.iter().any(left)) {
            return None;
        }
        if let Some(device) = self.intake.recall(id) {
            return Some(device);
        }
        // Where one waits already, each would have to.
        if !aside.is_empty() || judged.waiting > 0 {
            return None;
        }
        tokio::time::timeout(PATIENCE, self.intake.device(id)).await.ok()?.ok()
    }
}

pub(super) async fn wait(waits: &mut impl Iterator<Item = Duration>, trouble: &str) {
    let wait = waits.next().unwrap_or(Duration::from_secs(1));
    metrics::counter!("ingestion_waits_total").increment(1);
    tracing::warn!(trouble, wait_seconds = wait.as_secs_f64(), "messages wait unacknowledged");
    tokio::time::sleep(wait).await;
}

fn letter(refusal: &Refusal, topic: &str, device: Option<&str>, message: &Message) -> DeadLetter {
    count(refusal);
    DeadLetter::new(refusal.reason.word(), &refusal.text, topic, device, message.payload())
}
