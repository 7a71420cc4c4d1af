//! What was refused after somebody had taken it: kept with its reason, to be looked at and tried again.

use super::redis::{DEAD_LETTERS, Error, Stream};
use crate::payload::Reason;
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
    /// Where it came in: the MQTT topic, `http`, `websocket`, or `influxdb` for a point that could not be stored there.
    pub source: String,
    /// Which device sent it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What was sent, at most 4 KiB of it; bytes that are not UTF-8 are replaced.
    pub payload: String,
    /// Whether `payload` is all of it: only then it can be tried again.
    pub whole: bool,
    /// Which of its readings were refused, counted from 0; absent when none of them was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<usize>,
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
            only: Vec::new(),
        }
    }

    /// Whether the number of what was refused was settled by that, if it has one. Of a device that nobody knew, or that
    /// might not send, nothing was read: it may still repeat it by itself.
    pub fn is_settled(&self) -> bool {
        let not_read = [Reason::UnknownDevice, Reason::InactiveDevice, Reason::BadTopic];
        not_read.iter().all(|reason| reason.word() != self.reason)
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
}

fn kept(entry: &redis::streams::StreamId) -> Option<Kept> {
    let text: String = entry.get("l")?;
    Some(Kept { id: entry.id.clone(), letter: serde_json::from_str(&text).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Block;
    use crate::stream::Settings;
    use service::config::Environment;

    #[tokio::test]
    async fn the_oldest_go_when_they_are_too_many_bytes() {
        let redis = iot_support::Redis::start();
        let more = [("DEAD_LETTERS_BYTES".to_owned(), "16KiB".to_owned())];
        let mut environment = Environment::of(redis.variables().into_iter().chain(more));
        let stream = Stream::new(Settings::read(&mut environment).unwrap()).unwrap();
        for number in 0..20 {
            let payload = [b'x'; DeadLetter::PAYLOAD_BYTES];
            let letter = DeadLetter::new("malformed", &format!("number {number:02}"), "here", None, &payload);
            stream.append(&Block::default(), &[letter]).await.unwrap();
        }
        let kept = stream.dead_letters(None, 100).await.unwrap();
        let numbers: Vec<&str> = kept.iter().map(|kept| kept.letter.detail.as_str()).collect();
        assert_eq!(numbers, ["number 17", "number 18", "number 19"]);
        let bytes = || redis.command(&["GET", "dead-letters:bytes"]).parse::<usize>().unwrap();
        let length = |kept: &Kept| serde_json::to_string(&kept.letter).unwrap().len();
        assert_eq!(bytes(), kept.iter().map(length).sum::<usize>());
        assert!(stream.forget_dead_letter(&kept[0].id).await.unwrap());
        assert!(!stream.forget_dead_letter(&kept[0].id).await.unwrap(), "it is gone");
        assert_eq!(bytes(), kept[1..].iter().map(length).sum::<usize>());
    }
}
