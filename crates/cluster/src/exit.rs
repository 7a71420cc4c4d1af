//! How a command ends.

use diagnostic::{Diagnose, Exit};
use std::process::ExitCode;

/// Any error of any crate, ready to be rendered.
pub(crate) type Error = Box<dyn Diagnose>;

/// What a command returns.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A process's exit code: ours, or ansible-playbook's for `cluster playbook run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(u8);

impl Code {
    /// All went well.
    pub(crate) const DONE: Self = Self(0);

    /// A code that is not of [`Exit`].
    pub(crate) fn raw(code: u8) -> Self {
        Self(code)
    }
}

impl From<Exit> for Code {
    fn from(exit: Exit) -> Self {
        Self(exit.code())
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.0)
    }
}

/// An error that a command itself finds: its text, its hint, how the process ends.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    exit: Exit,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// With the way the process ends.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit, source: None }
    }

    /// Wrong usage or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// With the next step.
    #[must_use]
    pub(crate) fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With its cause.
    #[must_use]
    pub(crate) fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }
}

impl Diagnose for Failure {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Box::new(failure)
    }
}

/// Turns a crate's error into [`Error`], for `?`-like use: `load().map_err(boxed)?`.
pub(crate) fn boxed(error: impl Diagnose) -> Error {
    Box::new(error)
}
