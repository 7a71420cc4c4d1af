//! From messages to the stream, in order, and only then the answers to the broker.

use super::client::{Client, Message};
use crate::devices::Unavailable;
use crate::intake::{Format, Intake, count};
use crate::payload::{Reason, Refusal};
use crate::reading::Block;
use crate::stream::{Append, DeadLetter};
use service::{Retry, TopicPrefix};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// Most messages, and about how many bytes, in one block.
const BLOCK_MESSAGES: usize = 256;
const BLOCK_BYTES: usize = 64 * 1024;

/// What the work of one connection needs.
#[derive(Debug, Clone)]
pub struct Work {
    /// The judgement and the stream.
    pub intake: Intake,
    /// What topics begin with.
    pub prefix: TopicPrefix,
    /// Messages that have arrived and are not yet in the stream.
    pub open: Arc<AtomicUsize>,
}

impl Work {
    /// Works until the connection ends.
    pub async fn run(self, mut messages: Receiver<Message>, client: Client) {
        let mut batch = Vec::with_capacity(BLOCK_MESSAGES);
        loop {
            if batch.is_empty() && messages.recv_many(&mut batch, BLOCK_MESSAGES).await == 0 {
                return;
            }
            let taken = self.store(&batch).await;
            for message in batch.drain(..taken) {
                if message.needs_answer() && client.acknowledge(&message).await.is_err() {
                    return;
                }
                self.open.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// Stores as many of the messages as one block takes; how many that were. Tries until it succeeds: that is the
    /// back-pressure, as the broker sends no more than it may without answers.
    async fn store(&self, messages: &[Message]) -> usize {
        let mut waits = Retry::between(Duration::from_millis(50), Duration::from_secs(1)).waits();
        let (block, letters, taken) = loop {
            match self.judge(messages).await {
                Ok(judged) => break judged,
                Err(unavailable) => wait(&mut waits, &unavailable.to_string()).await,
            }
        };
        loop {
            match self.intake.append(&block, &letters).await {
                Ok(Append::Stored) => return taken,
                Ok(Append::Full) => wait(&mut waits, "the stream is full").await,
                Err(error) => wait(&mut waits, &error.to_string()).await,
            }
        }
    }

    async fn judge(&self, messages: &[Message]) -> Result<(Block, Vec<DeadLetter>, usize), Unavailable> {
        let (mut block, mut letters, mut taken) = (Block::default(), Vec::new(), 0);
        // Near the bound small blocks still get in, beside those of HTTP.
        let most = BLOCK_BYTES.min(self.intake.stream.settings().bytes.as_usize() / 8);
        for message in messages {
            if taken > 0 && block.bytes().len() >= most {
                break;
            }
            self.one(message, &mut block, &mut letters).await?;
            taken += 1;
        }
        Ok((block, letters, taken))
    }

    async fn one(
        &self,
        message: &Message,
        block: &mut Block,
        letters: &mut Vec<DeadLetter>,
    ) -> Result<(), Unavailable> {
        metrics::counter!("ingestion_messages_total", "transport" => "mqtt").increment(1);
        let topic = message.topic().unwrap_or_default();
        let Some((id, last)) = self.prefix.parse_up(topic) else {
            let refusal = Refusal::new(Reason::BadTopic, "the topic is none of a device");
            letters.push(letter(&refusal, topic, None, message));
            return Ok(());
        };
        let device = match self.intake.device(id).await? {
            Ok(device) => device,
            Err(refusal) => {
                letters.push(letter(&refusal, topic, Some(id), message));
                return Ok(());
            }
        };
        match self.intake.judge(id, &device, message.payload(), Format::of_topic(last), block) {
            Err(refusal) => letters.push(letter(&refusal, topic, Some(id), message)),
            Ok(judged) => {
                // One letter for the whole message: it is what can be tried again.
                let refusals: Vec<Refusal> = judged.into_iter().filter_map(|judged| judged.verdict.err()).collect();
                if let Some(first) = refusals.first() {
                    let detail = if refusals.len() == 1 {
                        first.text.clone()
                    } else {
                        format!("{} (and {} more)", first.text, refusals.len() - 1)
                    };
                    letters.push(DeadLetter::new(first.reason.word(), &detail, topic, Some(id), message.payload()));
                }
            }
        }
        Ok(())
    }
}

async fn wait(waits: &mut impl Iterator<Item = Duration>, trouble: &str) {
    let wait = waits.next().unwrap_or(Duration::from_secs(1));
    metrics::counter!("ingestion_waits_total").increment(1);
    tracing::warn!(trouble, wait_seconds = wait.as_secs_f64(), "messages wait unacknowledged");
    tokio::time::sleep(wait).await;
}

fn letter(refusal: &Refusal, topic: &str, device: Option<&str>, message: &Message) -> DeadLetter {
    count(refusal);
    DeadLetter::new(refusal.reason.word(), &refusal.text, topic, device, message.payload())
}
