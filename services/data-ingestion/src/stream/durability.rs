//! What Redis promises about what it has answered to.

use redis::Value;
use redis::aio::ConnectionManager;
use std::collections::HashMap;

/// When Redis brings its log to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Before it answers: an acknowledged message survives the machine.
    Always,
    /// Every second: an acknowledged message survives Redis, not always the machine.
    EverySecond,
}

/// What the promise is made of.
const SETTINGS: [&str; 4] = ["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"];

impl Durability {
    /// Asks Redis whether it keeps at least this. `None`: it does; otherwise what is wrong.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn missing(self, redis: &mut ConnectionManager) -> redis::RedisResult<Option<String>> {
        let mut found = HashMap::new();
        for name in SETTINGS {
            match setting(redis, name).await {
                Ok(value) => found.extend(value.map(|value| (name, value))),
                // Whoever does not say what is promised promises nothing.
                Err(error) if is_refusal(&error) => {
                    return Ok(Some(format!("Redis does not say what it promises: allow us `CONFIG GET` ({error})")));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.judge(|name| found.get(name).map(String::as_str)))
    }

    fn judge<'a>(self, setting: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        if setting("appendonly") != Some("yes") {
            return Some("Redis keeps no append-only file: set `appendonly yes`".to_owned());
        }
        if setting("maxmemory-policy").is_some_and(|policy| policy != "noeviction") {
            return Some("Redis drops keys when its memory is full: set `maxmemory-policy noeviction`".to_owned());
        }
        if setting("no-appendfsync-on-rewrite") == Some("yes") {
            return Some(
                "Redis does not sync its file while it writes it anew: set `no-appendfsync-on-rewrite no`".to_owned(),
            );
        }
        let sync = setting("appendfsync").unwrap_or_default();
        let enough = sync == "always" || (sync == "everysec" && self == Durability::EverySecond);
        let wanted = if self == Durability::Always { "always" } else { "everysec" };
        (!enough).then(|| {
            format!("Redis runs with `appendfsync {sync}`, less than `{wanted}`: change it, or REDIS_DURABILITY")
        })
    }
}

/// By its access rules, or as the command was renamed. Too many clients are another matter, which passes.
fn is_refusal(error: &redis::RedisError) -> bool {
    match error.code() {
        Some("NOPERM") => true,
        Some("ERR") => !error.to_string().contains("max number of clients"),
        _ => false,
    }
}

async fn setting(redis: &mut ConnectionManager, name: &str) -> redis::RedisResult<Option<String>> {
    let answer: Value = redis::cmd("CONFIG").arg("GET").arg(name).query_async(redis).await?;
    let pairs: Vec<String> = redis::from_redis_value(answer)?;
    Ok(pairs.into_iter().nth(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GOOD: [(&str, &str); 4] = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("no-appendfsync-on-rewrite", "no"),
        ("maxmemory-policy", "noeviction"),
    ];

    #[rstest]
    #[case(Durability::Always, ("appendonly", "yes"), None)]
    #[case(Durability::EverySecond, ("appendfsync", "everysec"), None)]
    #[case(Durability::Always, ("appendfsync", "everysec"), Some("`appendfsync everysec`, less than `always`"))]
    #[case(Durability::EverySecond, ("appendfsync", "no"), Some("less than `everysec`"))]
    #[case(Durability::Always, ("appendonly", "no"), Some("set `appendonly yes`"))]
    #[case(Durability::Always, ("maxmemory-policy", "allkeys-lru"), Some("noeviction"))]
    #[case(Durability::Always, ("no-appendfsync-on-rewrite", "yes"), Some("set `no-appendfsync-on-rewrite no`"))]
    #[case(Durability::EverySecond, ("no-appendfsync-on-rewrite", "yes"), Some("set `no-appendfsync-on-rewrite no`"))]
    fn promises(#[case] durability: Durability, #[case] other: (&str, &str), #[case] missing: Option<&str>) {
        let found = durability.judge(|name| {
            let (_, value) = [other].into_iter().chain(GOOD).find(|(known, _)| *known == name)?;
            Some(value)
        });
        match (found, missing) {
            (None, None) => {}
            (Some(found), Some(missing)) => assert!(found.contains(missing), "{found}"),
            (found, _) => panic!("{found:?}"),
        }
    }
}
