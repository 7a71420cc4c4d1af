//! What a request may cost.

use crate::config::{Bytes, Environment, Invalid};
use std::time::Duration;

/// What a request may cost, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `HTTP_BODY_LIMIT`: the longest body; routes that stream set their own.
    pub body: Bytes,
    /// `HTTP_TIMEOUT`: the longest time to the answer's head.
    pub timeout: Duration,
    /// `HTTP_CONCURRENCY`: how many requests are worked on at once.
    pub concurrency: usize,
    /// `HTTP_CONNECTIONS`: how many connections may be open.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: Bytes(1 << 20), timeout: Duration::from_secs(30), concurrency: 512, connections: 4096 }
    }
}

impl Limits {
    /// Reads the variables.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        environment.section("HTTP");
        let body = environment.variable("HTTP_BODY_LIMIT", "longest body of a request").default("1MiB");
        let timeout = environment.variable("HTTP_TIMEOUT", "longest time until a request is answered").default("30s");
        let concurrency = environment
            .variable("HTTP_CONCURRENCY", "how many requests are worked on at once; more are answered with 503")
            .within(1, 1_000_000)
            .default(512);
        let connections = environment
            .variable("HTTP_CONNECTIONS", "how many connections may be open; more are closed at once")
            .within(1, 1_000_000)
            .default(4096);
        Ok(Self { body: body?, timeout: timeout?, concurrency: concurrency?, connections: connections? })
    }
}
