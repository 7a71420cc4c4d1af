//! Why a task failed on a host: what its result says, and what the report of it can show besides.

use crate::modules::{Failure, TaskResult};
use diagnostic::{Diagnose, Mistake};
use serde_json::{Map, Value};

/// A failure, with place and hint where they are known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) result: Map<String, Value>,
    pub(crate) mistake: Option<Mistake>,
}

/// How ansible-core 2.19 begins the message of a task that the engine itself let fail.
pub(crate) const TASK_FAILED: &str = "Task failed: ";

impl Fault {
    /// A failed task with a message alone.
    pub(crate) fn message(message: impl Into<String>) -> Self {
        Self::from(Failure::message(message))
    }

    /// A failure that a place in a file explains.
    pub(crate) fn at(mistake: Mistake) -> Self {
        Self { mistake: Some(mistake.clone()), ..Self::message(mistake.message) }
    }

    /// A template that can't be rendered. `doing` says in what (`Error while evaluating conditional`); the words of the result
    /// are ansible-core's, since playbooks may look at them.
    pub(crate) fn template(doing: &str, error: &template::Error) -> Self {
        let told = Mistake::of(error);
        let message = if doing.is_empty() { told.message.clone() } else { format!("{doing}: {}", told.message) };
        let message = format!("{TASK_FAILED}{message}");
        Self { mistake: Some(told), ..Self::message(message) }
    }

    /// A machine that could not be reached, or that could not run what it was given.
    pub(crate) fn machine(error: &remote::Error) -> Self {
        let told = Mistake { position: error.position(), ..Mistake::of(error) };
        let result = if error.is_unreachable() {
            TaskResult::new(false).with("unreachable", true).with("msg", told.message.clone()).0
        } else {
            TaskResult::new(false).with("failed", true).with("msg", told.message.clone()).0
        };
        Self { result, mistake: Some(told) }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Task(result) => Self { result: result.0, mistake: None },
            Failure::Unreachable(error) => Self::machine(&error),
        }
    }
}
