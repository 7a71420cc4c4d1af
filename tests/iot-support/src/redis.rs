//! A Redis of one's own, append-only, each write on the disk before it is answered.

use crate::{Process, free_port, installed};
use std::process::Command;
use tempfile::TempDir;

/// A Redis.
#[derive(Debug)]
pub struct Redis {
    directory: TempDir,
    port: u16,
    process: Option<Process>,
    settings: Vec<String>,
}

impl Redis {
    /// Starts one with `appendfsync always`.
    ///
    /// # Panics
    /// When Redis is not installed or does not come up.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments of `redis-server`; a later one wins over ours.
    ///
    /// # Panics
    /// As [`Redis::start`].
    pub fn start_with(settings: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("test-redis-").tempdir().expect("a directory for Redis");
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut redis = Self { directory, port: 0, process: None, settings };
        for _ in 0..5 {
            redis.port = free_port();
            redis.process = redis.serve();
            if redis.process.is_some() {
                return redis;
            }
        }
        panic!("Redis does not start: {}", redis.log());
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a service needs to reach it.
    pub fn variables(&self) -> Vec<(String, String)> {
        [("HOST", "127.0.0.1"), ("PORT", &self.port.to_string())]
            .map(|(name, value)| (format!("REDIS_{name}"), value.to_owned()))
            .into()
    }

    /// What `redis-cli` answers to a command.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn command(&self, words: &[&str]) -> String {
        let output = Command::new(installed("redis-cli")).args(["-p", &self.port.to_string()]).args(words).output();
        String::from_utf8_lossy(&output.expect("redis-cli").stdout).trim().to_owned()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same port, with the same data.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        self.process = self.serve();
        assert!(self.process.is_some(), "Redis does not come back: {}", self.log());
    }

    /// Starts it again with more arguments of `redis-server`; they stay.
    ///
    /// # Panics
    /// As [`Redis::restart`].
    pub fn restart_with(&mut self, settings: &[&str]) {
        self.settings.extend(settings.iter().map(|&setting| setting.to_owned()));
        self.restart();
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// What it logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn serve(&self) -> Option<Process> {
        let place = self.directory.path();
        let mut command = Command::new(installed("redis-server"));
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]).arg("--dir").arg(place);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]);
        command.args(&self.settings);
        Process::start(&mut command, &place.join("log"), self.port)
    }
}
