//! What a module returns.

use serde_json::{Map, Value};

/// A module's return values under Ansible's names. `changed` is always there.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult(pub Map<String, Value>);

impl TaskResult {
    /// With `changed` and nothing else yet.
    pub fn new(changed: bool) -> Self {
        let mut values = Map::new();
        values.insert("changed".to_owned(), Value::Bool(changed));
        Self(values)
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The same with a standard stream's text and, as Ansible adds them, its lines (`stdout` and `stdout_lines`).
    #[must_use]
    pub fn with_output(self, name: &str, text: &str) -> Self {
        let lines: Vec<Value> = text.lines().map(Value::from).collect();
        self.with(name, text).with(&format!("{name}_lines"), lines)
    }

    /// A skip, as `creates` and check mode give it.
    pub fn skipped(message: &str) -> Self {
        Self::new(false).with("skipped", true).with("msg", message)
    }
}

/// A task that failed: its message and whatever else it can tell (`rc`, `stderr`, …).
#[derive(Debug)]
pub enum Failure {
    /// The module ran and says no. The values hold `msg`.
    Task(Box<TaskResult>),
    /// The machine was lost on the way.
    Unreachable(remote::Error),
}

impl Failure {
    /// A failure that has only a message.
    pub fn message(message: impl Into<String>) -> Self {
        Self::with(TaskResult::new(false), message)
    }

    /// A failure with return values besides its message.
    pub fn with(result: TaskResult, message: impl Into<String>) -> Self {
        Self::Task(Box::new(result.with("failed", true).with("msg", message.into())))
    }
}

impl From<remote::Error> for Failure {
    fn from(error: remote::Error) -> Self {
        Self::Unreachable(error)
    }
}
