//! Messages of devices of which nobody can say now whether they may send, as PostgreSQL is away: they wait here, unacknowledged,
//! so that those of others pass. They are as bounded as all that the broker waits for.

use super::client::Message;
use crate::devices::Device;
use crate::intake::Intake;
use crate::payload::Refusal;
use service::Retry;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// As many devices are asked for at once: HTTP asks the same database.
const AT_ONCE: usize = 4;

/// Somebody can say it again.
#[derive(Debug)]
pub struct Known {
    /// The device's id.
    pub id: Box<str>,
    /// The device, if it may send.
    pub device: Result<Arc<Device>, Refusal>,
}

/// What waits. Each device is asked for until somebody knows.
pub struct Aside {
    intake: Intake,
    most: usize,
    count: usize,
    messages: HashMap<Box<str>, Vec<Message>>,
    lookups: JoinSet<Known>,
    turns: Arc<Semaphore>,
}

impl Aside {
    /// Room for so many messages, one at least.
    pub fn new(intake: Intake, most: usize) -> Self {
        Self {
            intake,
            most: most.max(1),
            count: 0,
            messages: HashMap::new(),
            lookups: JoinSet::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// How many more messages have room.
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.count)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether messages of this device wait.
    pub fn has(&self, id: &str) -> bool {
        self.messages.contains_key(id)
    }

    /// Puts one aside.
    pub fn add(&mut self, id: Box<str>, message: Message) {
        if !self.has(&id) {
            self.lookups.spawn(look_up(self.intake.clone(), id.clone(), Arc::clone(&self.turns)));
        }
        self.messages.entry(id).or_default().push(message);
        self.changed(1);
    }

    /// The next device of which somebody can say it, with its messages. Waiting for it may be broken off.
    pub async fn next(&mut self) -> (Known, Vec<Message>) {
        let Some(Ok(known)) = self.lookups.join_next().await else { return std::future::pending().await };
        let messages = self.messages.remove(&known.id).unwrap_or_default();
        self.changed(-(messages.len() as isize));
        (known, messages)
    }

    fn changed(&mut self, by: isize) {
        self.count = self.count.saturating_add_signed(by);
        metrics::gauge!("ingestion_messages_aside").increment(by as f64);
    }
}

impl Drop for Aside {
    /// The broker sends them again.
    fn drop(&mut self) {
        self.changed(-(self.count as isize));
    }
}

async fn look_up(intake: Intake, id: Box<str>, turns: Arc<Semaphore>) -> Known {
    let mut waits = Retry::between(Duration::from_millis(100), Duration::from_secs(1)).waits();
    loop {
        let answer = {
            let _turn = turns.acquire().await;
            intake.device(&id).await
        };
        match answer {
            Ok(device) => return Known { id, device },
            Err(unavailable) => super::work::wait(&mut waits, &unavailable.to_string()).await,
        }
    }
}
