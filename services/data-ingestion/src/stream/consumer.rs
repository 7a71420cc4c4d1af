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
    /// Whether entries may be pending under our name of which we know nothing.
    recover: bool,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consumer({})", self.name)
    }
}

/// How many entries of a dead consumer are claimed at once.
const CLAIM: usize = 64;

impl Consumer {
    /// A consumer of this name; it must be nobody else's.
    pub fn new(stream: Stream, name: String) -> Self {
        Self { stream, name, connection: None, recover: true }
    }

    /// Whether reads still give what was pending under our name, which is given again until it is settled.
    pub fn is_recovering(&self) -> bool {
        self.recover
    }

    async fn connected(&mut self) -> Result<MultiplexedConnection, Error> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(15)));
        let mut connection = self.stream.client.get_multiplexed_async_connection_with_config(&config).await?;
        let made: redis::RedisResult<redis::Value> = redis::cmd("XGROUP")
            .arg("CREATE")
            .arg(STREAM)
            .arg(GROUP)
            .arg("0")
            .arg("MKSTREAM")
            .query_async(&mut connection)
            .await;
        match made {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error.into()),
            _ => {}
        }
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
            self.recover = true;
        }
        result
    }

    async fn try_read(&mut self, count: usize, wait: Option<Duration>) -> Result<Vec<Entry>, Error> {
        // An answer that was lost with its connection left its entries pending under our name: nobody else claims those.
        let recover = self.recover;
        let mut connection = self.connected().await?;
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg(GROUP).arg(&self.name).arg("COUNT").arg(count);
        if let (Some(wait), false) = (wait, recover) {
            command.arg("BLOCK").arg(wait.as_millis().max(1) as u64);
        }
        command.arg("STREAMS").arg(STREAM).arg(if recover { "0" } else { ">" });
        let reply: Option<StreamReadReply> = command.query_async(&mut connection).await?;
        let keys = reply.map(|reply| reply.keys).unwrap_or_default();
        let entries: Vec<Entry> = keys.into_iter().flat_map(|key| key.ids).map(entry).collect();
        self.recover = recover && !entries.is_empty();
        Ok(entries)
    }

    /// Says that this consumer lives; must come more often than the timeout.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn beat(stream: &Stream, name: &str) -> Result<(), Error> {
        let life = stream.settings().consumer_timeout.as_millis() as u64;
        let _: redis::Value =
            redis::cmd("SET").arg(sign(name)).arg(1).arg("PX").arg(life).query_async(&mut stream.connection()).await?;
        Ok(())
    }

    /// Entries of consumers that show no life, now ours. A consumer with nothing pending is removed.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn claim(&mut self) -> Result<Vec<Entry>, Error> {
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
                let _: u64 = redis::cmd("XGROUP")
                    .arg("DELCONSUMER")
                    .arg(STREAM)
                    .arg(GROUP)
                    .arg(&consumer.name)
                    .query_async(&mut redis)
                    .await?;
            }
            claimed.extend(entries);
        }
        Ok(claimed)
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
