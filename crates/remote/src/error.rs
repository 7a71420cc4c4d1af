//! What can go wrong between here and a machine.

use diagnostic::{Diagnose, Exit};

/// Why a machine could not be reached or a command not be run. A command that ran and failed is no error but an
/// [`crate::Output`] with its status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network or the daemon did not answer.
    #[error("host `{host}` is unreachable: {reason}")]
    Unreachable {
        /// The inventory's name of the machine.
        host: String,
        /// ssh's own words.
        reason: String,
    },
}

impl Diagnose for Error {
    fn exit(&self) -> Exit {
        Exit::Unreachable
    }
}
