//! What was refused after somebody had taken it: kept with its reason, to be looked at and tried again.

use super::redis::{DEAD_LETTERS, Error, Stream};
use redis::streams::StreamRangeReply;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// Why, in a word.
    pub reason: String,
    /// Why, in a sentence.
    pub detail: String,
    /// Where it came in: the MQTT topic, `http`, `websocket`, or `influxdb` for a point that it would not take.
    pub source: String,
    /// Which device sent it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What was sent, at most 4 KiB of it; bytes that are not UTF-8 are replaced.
    pub payload: String,
    /// Whether `payload` is all of it: only then it can be tried again.
    pub whole: bool,
}

impl DeadLetter {
    /// How much of a payload is kept.
    pub const PAYLOAD_BYTES: usize = 4096;

    /// A letter about this payload.
    pub fn new(reason: &str, detail: &str, source: &str, device: Option<&str>, payload: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&payload[..payload.len().min(Self::PAYLOAD_BYTES)]).into_owned();
        let whole = payload.len() <= Self::PAYLOAD_BYTES && std::str::from_utf8(payload).is_ok();
        let source: String = source.chars().take(256).collect();
        Self {
            reason: reason.to_owned(),
            detail: detail.to_owned(),
            source,
            device: device.map(str::to_owned),
            payload: text,
            whole,
        }
    }
}

/// A letter that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// Its id, which begins with the time in milliseconds.
    pub id: String,
    /// The letter.
    #[serde(flatten)]
    pub letter: DeadLetter,
}

impl Stream {
    /// The oldest letters after `after`, at most `limit`.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn dead_letters(&self, after: Option<&str>, limit: usize) -> Result<Vec<Kept>, Error> {
        let from = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let mut redis = self.connection();
        let reply: StreamRangeReply = redis::cmd("XRANGE")
            .arg(DEAD_LETTERS)
            .arg(from)
            .arg("+")
            .arg("COUNT")
            .arg(limit)
            .query_async(&mut redis)
            .await?;
        Ok(reply.ids.iter().filter_map(kept).collect())
    }

    /// One letter.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn dead_letter(&self, id: &str) -> Result<Option<Kept>, Error> {
        let mut redis = self.connection();
        let reply: StreamRangeReply =
            redis::cmd("XRANGE").arg(DEAD_LETTERS).arg(id).arg(id).query_async(&mut redis).await?;
        Ok(reply.ids.first().and_then(kept))
    }

    /// Removes a letter; whether it was there.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn forget_dead_letter(&self, id: &str) -> Result<bool, Error> {
        let mut redis = self.connection();
        let removed: u64 = redis::cmd("XDEL").arg(DEAD_LETTERS).arg(id).query_async(&mut redis).await?;
        Ok(removed == 1)
    }
}

fn kept(entry: &redis::streams::StreamId) -> Option<Kept> {
    let text: String = entry.get("l")?;
    Some(Kept { id: entry.id.clone(), letter: serde_json::from_str(&text).ok()? })
}
