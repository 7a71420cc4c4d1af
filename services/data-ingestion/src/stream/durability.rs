//! What Redis promises about what it has answered to.

use redis::Value;
use redis::aio::ConnectionManager;

/// When Redis brings its log to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Before it answers: an acknowledged message survives the machine.
    Always,
    /// Every second: an acknowledged message survives Redis, not always the machine.
    EverySecond,
}

impl Durability {
    /// Asks Redis whether it keeps at least this. `None`: it does; otherwise what is wrong.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn missing(self, redis: &mut ConnectionManager) -> redis::RedisResult<Option<String>> {
        let appends = setting(redis, "appendonly").await?;
        let sync = setting(redis, "appendfsync").await?;
        let policy = setting(redis, "maxmemory-policy").await?;
        if appends.as_deref() != Some("yes") {
            return Ok(Some("Redis keeps no append-only file: set `appendonly yes`".to_owned()));
        }
        if policy.as_deref().is_some_and(|policy| policy != "noeviction") {
            return Ok(Some("Redis drops keys when its memory is full: set `maxmemory-policy noeviction`".to_owned()));
        }
        let enough = match sync.as_deref() {
            Some("always") => true,
            Some("everysec") => self == Durability::EverySecond,
            _ => false,
        };
        let wanted = if self == Durability::Always { "always" } else { "everysec" };
        Ok((!enough).then(|| {
            format!(
                "Redis runs with `appendfsync {}`, less than `{wanted}`: change it, or REDIS_DURABILITY",
                sync.unwrap_or_default()
            )
        }))
    }
}

async fn setting(redis: &mut ConnectionManager, name: &str) -> redis::RedisResult<Option<String>> {
    let answer: Value = redis::cmd("CONFIG").arg("GET").arg(name).query_async(redis).await?;
    let pairs: Vec<String> = redis::from_redis_value(answer)?;
    Ok(pairs.into_iter().nth(1))
}
