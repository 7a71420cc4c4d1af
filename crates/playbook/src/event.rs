//! What a run tells while it goes on. The output layer turns these into a terminal, plain lines or JSON.

use diagnostic::{Mistake, Position};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a task ended on a host, in Ansible's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing had to change.
    Ok,
    /// Something was changed.
    Changed,
    /// Its condition was false.
    Skipping,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// It failed and `ignore_errors` let the host go on.
    Ignored,
    /// It failed and a `rescue` takes over.
    Rescued,
}

/// What happened. Every result in an event is redacted already (`no_log`, known secrets).
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A play begins.
    PlayStarted {
        /// The play's name, or its host pattern.
        play: String,
        /// The hosts it runs on.
        hosts: Vec<String>,
    },
    /// A play's pattern matches no host.
    NoHosts {
        /// The play's name, or its host pattern.
        play: String,
    },
    /// A task or handler begins.
    TaskStarted {
        /// `name`, or the module when it has none.
        task: String,
        /// Full name of the module.
        module: String,
        /// Whether it is a handler.
        handler: bool,
        /// Where the task stands.
        #[serde(skip)]
        position: Position,
    },
    /// One item of a loop ended on a host.
    ItemFinished {
        /// Host.
        host: String,
        /// Task.
        task: String,
        /// How the item ended.
        status: Status,
        /// The loop's label for the item.
        item: String,
        /// The module's return values.
        result: serde_json::Map<String, serde_json::Value>,
        /// How long it took.
        duration_seconds: f64,
        /// What explains a failure, with its place and hint, when it was no module's own.
        #[serde(skip)]
        diagnostic: Option<Mistake>,
    },
    /// A task failed, or its `until` does not hold yet, and will be tried again.
    TaskRetried {
        /// Host.
        host: String,
        /// Task.
        task: String,
        /// Which attempt this was, from 1.
        attempt: u32,
        /// How many are left.
        retries_left: u32,
        /// The module's return values.
        result: serde_json::Map<String, serde_json::Value>,
    },
    /// `include_tasks` brings in a file.
    Included {
        /// The file.
        file: String,
        /// For these hosts.
        hosts: Vec<String>,
        /// The label of the loop's item, when the include has a loop.
        item: Option<String>,
    },
    /// A task ended on a host.
    TaskFinished {
        /// Host.
        host: String,
        /// Task.
        task: String,
        /// How it ended.
        status: Status,
        /// The module's return values (`msg`, `rc`, `stdout`, `diff`, …).
        result: serde_json::Map<String, serde_json::Value>,
        /// How long it took.
        duration_seconds: f64,
        /// Where the task stands, for the report of a failure.
        #[serde(skip)]
        position: Position,
        /// What explains a failure, with its place and hint, when it was no module's own.
        #[serde(skip)]
        diagnostic: Option<Mistake>,
    },
    /// Something is odd but does not stop the run.
    Warning {
        /// What.
        message: String,
    },
    /// The run ended.
    Recap {
        /// Counts by host.
        hosts: BTreeMap<String, Counts>,
        /// How long the run took.
        duration_seconds: f64,
    },
}

/// A host's line in the recap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Tasks that ended well, changed ones among them.
    pub ok: u32,
    /// Tasks that changed something.
    pub changed: u32,
    /// 1 when the host was lost.
    pub unreachable: u32,
    /// Tasks that failed.
    pub failed: u32,
    /// Tasks whose condition was false.
    pub skipped: u32,
    /// Failures that a `rescue` caught.
    pub rescued: u32,
    /// Failures that `ignore_errors` let pass.
    pub ignored: u32,
}
