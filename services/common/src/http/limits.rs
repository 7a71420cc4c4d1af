//! What a request may cost.

use crate::config::{Bytes, Environment, Invalid};
use std::time::Duration;

/// Files that are no connections of clients: those to servers, listeners, places to stand, the runtime's own.
const OTHER_FILES: usize = 192;

/// What a request may cost, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `HTTP_BODY_LIMIT`: the longest body; routes that stream set their own.
    pub body: Bytes,
    /// `HTTP_TIMEOUT`: the longest time to the answer's head.
    pub timeout: Duration,
    /// `HTTP_CONCURRENCY`: how many requests are worked on at once.
    pub concurrency: usize,
    /// `HTTP_CONNECTIONS`: how many connections may be open, WebSockets among them.
    pub connections: usize,
    /// `HTTP_IDLE_TIMEOUT`: how long a connection may be idle, or take to send the head of a request.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { body: Bytes(1 << 20), timeout: seconds(30), concurrency: 512, connections: 4096, idle: seconds(75) }
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
            .variable("HTTP_CONNECTIONS", "how many connections may be open; more are answered with 503 and closed")
            .within(1, 1_000_000)
            .default(4096);
        // Longer than the minute of most load balancers, so that they close first.
        let idle = environment
            .variable("HTTP_IDLE_TIMEOUT", "how long a connection may be idle, or take to send the head of a request")
            .default("75s");
        let (concurrency, connections) = (concurrency?, connections?);
        Ok(Self { body: body?, timeout: timeout?, concurrency, connections, idle: idle? })
    }

    /// No more connections than the process may have files, of which other parts need some; it takes all that it may have.
    pub(crate) fn within_files(self) -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let files = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
        let Some(most) = getrlimit(Resource::Nofile).current else { return self };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let connections = self.connections.min(most.saturating_sub(OTHER_FILES).max(16));
        if connections < self.connections {
            tracing::warn!(
                connections,
                files = most,
                "the limit of open files allows fewer connections than configured"
            );
        }
        Self { connections, ..self }
    }
}
