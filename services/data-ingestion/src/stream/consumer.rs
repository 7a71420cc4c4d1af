//! A consumer of the stream: reads new entries, and claims those of consumers that show no more life.

use super::redis::{Error, GROUP, STREAM, Stream};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamClaimReply, StreamId, StreamPendingCountReply, StreamReadReply};
use std::time::Duration;

/// An entry of the stream.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its block.
    pub block: Vec<u8>,
}

/// Reads the stream under a name. Waiting reads hold up a connection, so it has its own.
pub struct Consumer {
    stream: Stream,
    name: String,
    connection: Option<MultiplexedConnection>,
    /// Entries may be pending under our name of which we know nothing; nobody else claims those. They are after this one.
    recover: Option<String>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consumer({})", self.name)
    }
}

/// How many entries of a dead consumer are claimed at once.
const CLAIM: usize = 64;

/// Before all entries.
const BEGINNING: &str = "0";

impl Consumer {
    /// A consumer of this name; it must be nobody else's.
    pub fn new(stream: Stream, name: String) -> Self {
        Self { stream, name, connection: None, recover: Some(BEGINNING.to_owned()) }
    }

    /// Whether reads still give what was pending under our name.
    pub fn is_recovering(&self) -> bool {
        self.recover.is_some()
    }

    async fn connected(&mut self) -> Result<MultiplexedConnection, Error> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(15)));
        let mut connection = self.stream.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut group = self.stream.scripts.group.prepare_invoke();
        let _: u8 = group.key(STREAM).arg(GROUP).invoke_async(&mut connection).await?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// Up to `count` new entries; waits for the first one.
    ///
    /// # Errors
    /// Redis is away; the next call connects anew.
    pub async fn read(&mut self, count: usize, wait: Option<Duration>) -> Result<Vec<Entry>, Error> {
        let result = self.try_read(count, wait).await;
        if result.is_err() {
            self.connection = None;
            self.recover = Some(BEGINNING.to_owned());
        }
        result
    }

    async fn try_read(&mut self, count: usize, wait: Option<Duration>) -> Result<Vec<Entry>, Error> {
        // An answer that was lost with its connection left its entries pending under our name: nobody else claims those.
        let recover = self.recover.clone();
        let mut connection = self.connected().await?;
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg(GROUP).arg(&self.name).arg("COUNT").arg(count);
        if let (Some(wait), None) = (wait, &recover) {
            command.arg("BLOCK").arg(wait.as_millis().max(1) as u64);
        }
        command.arg("STREAMS").arg(STREAM).arg(recover.as_deref().unwrap_or(">"));
        let reply: Option<StreamReadReply> = command.query_async(&mut connection).await?;
        let keys = reply.map(|reply| reply.keys).unwrap_or_default();
        let entries: Vec<Entry> = keys.into_iter().flat_map(|key| key.ids).map(entry).collect();
        self.recover = recover.and(entries.last().map(|entry| entry.id.clone()));
        Ok(entries)
    }

    /// Says that this consumer lives; must come more often than the timeout.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn beat(stream: &Stream, name: &str) -> Result<(), Error> {
        let life = stream.settings().consumer_timeout.as_millis() as u64;
        let mut call = stream.scripts.beat.prepare_invoke();
        let _: u8 = call.key(sign(name)).arg(life).invoke_async(&mut stream.connection()).await?;
        Ok(())
    }

    /// Entries of consumers that show no life, now ours. A consumer with nothing pending is removed.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn claim(&mut self) -> Result<Vec<Entry>, Error> {
        let claimed = self.try_claim().await;
        if claimed.is_err() {
            // What became ours before it failed, or when only the answer was lost, is read again.
            self.recover = Some(BEGINNING.to_owned());
        }
        claimed
    }

    async fn try_claim(&self) -> Result<Vec<Entry>, Error> {
        let mut redis = self.stream.connection();
        let info: redis::RedisResult<redis::streams::StreamInfoConsumersReply> =
            redis::cmd("XINFO").arg("CONSUMERS").arg(STREAM).arg(GROUP).query_async(&mut redis).await;
        let consumers = match info {
            Ok(info) => info.consumers,
            // No stream or no group yet: nobody has anything.
            Err(error) if error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::ResponseError) => {
                return Ok(Vec::new());
            }
            Err(error) if error.code() == Some("NOGROUP") => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut claimed = Vec::new();
        for consumer in consumers.into_iter().filter(|consumer| consumer.name != self.name) {
            let alive: u8 = redis::cmd("EXISTS").arg(sign(&consumer.name)).query_async(&mut redis).await?;
            // A consumer that has just begun has an entry before its first sign of life.
            let silent = Duration::from_millis(consumer.idle as u64) >= self.stream.settings().consumer_timeout;
            if alive == 1 || !silent {
                continue;
            }
            let entries = self.claim_from(&consumer.name, &mut redis).await?;
            if entries.is_empty() && consumer.pending == 0 {
                self.retire(&consumer.name).await?;
            }
            claimed.extend(entries);
        }
        Ok(claimed)
    }

    /// Removes a consumer, unless it lives or has something pending by now.
    async fn retire(&self, dead: &str) -> Result<bool, Error> {
        let mut call = self.stream.scripts.retire.prepare_invoke();
        call.key(STREAM).key(sign(dead)).arg(GROUP).arg(dead);
        let removed: u8 = call.invoke_async(&mut self.stream.connection()).await?;
        Ok(removed == 1)
    }

    async fn claim_from(&self, dead: &str, redis: &mut redis::aio::ConnectionManager) -> Result<Vec<Entry>, Error> {
        let pending: StreamPendingCountReply = redis::cmd("XPENDING")
            .arg(STREAM)
            .arg(GROUP)
            .arg("-")
            .arg("+")
            .arg(CLAIM)
            .arg(dead)
            .query_async(redis)
            .await?;
        if pending.ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("XCLAIM");
        // Whoever claimed it a moment ago keeps it: then it is not idle any more.
        let idle = self.stream.settings().consumer_timeout.as_millis() as u64;
        command.arg(STREAM).arg(GROUP).arg(&self.name).arg(idle);
        for id in &pending.ids {
            command.arg(&id.id);
        }
        let reply: StreamClaimReply = command.query_async(redis).await?;
        let entries: Vec<Entry> = reply.ids.into_iter().map(entry).collect();
        tracing::info!(from = dead, entries = entries.len(), "claimed what a silent consumer had pending");
        metrics::counter!("ingestion_entries_claimed_total").increment(entries.len() as u64);
        Ok(entries)
    }
}

/// The key by which a consumer shows life.
fn sign(name: &str) -> String {
    format!("writer:{name}")
}

fn entry(id: StreamId) -> Entry {
    let block = id.get("b").unwrap_or_default();
    Entry { id: id.id, block }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Block;
    use crate::stream::{Append, Settings};
    use iot_support::Redis;
    use service::config::Environment;

    fn stream(redis: &Redis) -> Stream {
        let mut environment = Environment::of(redis.variables());
        let mut settings = Settings::read(&mut environment).unwrap();
        settings.consumer_timeout = Duration::from_millis(1);
        Stream::new(settings).unwrap()
    }

    /// A consumer that has read an entry and will not be heard of any more.
    async fn dead(stream: &Stream, name: &str) -> Vec<Entry> {
        let mut block = Block::default();
        block.push_refused("esp-1", "b", 1, 0, "too_old");
        assert_eq!(stream.append(&block, &[]).await.unwrap(), Append::Stored);
        let mut consumer = Consumer::new(stream.clone(), name.to_owned());
        assert!(consumer.read(1, None).await.unwrap().is_empty(), "nothing was pending");
        let entries = consumer.read(1, Some(Duration::from_secs(5))).await.unwrap();
        assert_eq!(entries.len(), 1);
        entries
    }

    #[tokio::test]
    async fn what_was_claimed_before_claiming_failed_is_read() {
        let redis = Redis::start();
        let stream = stream(&redis);
        let mut survivor = Consumer::new(stream.clone(), "c".to_owned());
        assert!(survivor.read(8, None).await.unwrap().is_empty());
        let entries = dead(&stream, "a").await;
        redis.command(&["XGROUP", "CREATECONSUMER", STREAM, GROUP, "b"]);
        tokio::time::sleep(Duration::from_millis(10)).await;
        // It claims from `a`, then fails to remove `b`.
        redis.command(&["ACL", "SETUSER", "default", "-xgroup|delconsumer"]);
        survivor.claim().await.unwrap_err();
        assert!(redis.command(&["XPENDING", STREAM, GROUP]).contains("\nc\n1"), "it is the survivor's");
        let read = survivor.read(8, None).await.unwrap();
        assert_eq!(read.iter().map(|entry| &entry.id).collect::<Vec<_>>(), [&entries[0].id]);
        // Each is given once: what cannot be settled does not come again and again.
        assert!(survivor.read(8, None).await.unwrap().is_empty() && !survivor.is_recovering());
    }

    #[tokio::test]
    async fn a_consumer_is_removed_only_when_it_is_dead_and_has_nothing() {
        let redis = Redis::start();
        let stream = stream(&redis);
        let survivor = Consumer::new(stream.clone(), "c".to_owned());
        dead(&stream, "a").await;
        // Somebody thought that it has nothing pending, a moment ago.
        assert!(!survivor.retire("a").await.unwrap());
        assert!(redis.command(&["XPENDING", STREAM, GROUP]).contains("\na\n1"));
        redis.command(&["XGROUP", "CREATECONSUMER", STREAM, GROUP, "b"]);
        redis.command(&["SET", "writer:b", "1"]);
        assert!(!survivor.retire("b").await.unwrap(), "it lives");
        redis.command(&["DEL", "writer:b"]);
        assert!(survivor.retire("b").await.unwrap());
        assert!(!redis.command(&["XINFO", "CONSUMERS", STREAM, GROUP]).contains("\nb\n"));
    }
}
