//! Why a playbook can't be read or a run not go on.

use diagnostic::{Diagnose, Exit, Mistake, Mistakes, Position};

/// Why a playbook can't be read or a run not go on. What goes wrong on a host is no error but an event and a part of the
/// [`crate::Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The playbook has mistakes, or holds what this engine does not support.
    #[error("{0}")]
    Playbook(Mistakes),
    /// The inventory can't be read, or a host pattern not be understood.
    #[error("{0}")]
    Inventory(#[from] inventory::Error),
    /// Something of a play that concerns all hosts can't be rendered or carried out.
    #[error("{0}")]
    Play(Box<Mistake>),
}

impl Error {
    /// The exit code of `ansible-playbook` for it: 4 for what it can't parse, 1 for everything else (`ExitCode`, 2.19).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Playbook(_) => 4,
            Self::Inventory(_) | Self::Play(_) => 1,
        }
    }
}

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        Self::Play(Box::new(mistake))
    }
}

impl Diagnose for Error {
    fn position(&self) -> Option<Position> {
        match self {
            Self::Playbook(_) => None,
            Self::Inventory(error) => error.position(),
            Self::Play(mistake) => mistake.position(),
        }
    }

    fn label(&self) -> Option<String> {
        match self {
            Self::Playbook(_) => None,
            Self::Inventory(error) => error.label(),
            Self::Play(mistake) => mistake.label(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Playbook(_) => None,
            Self::Inventory(error) => error.hint(),
            Self::Play(mistake) => mistake.hint(),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn parts(&self) -> Vec<&dyn Diagnose> {
        match self {
            Self::Playbook(mistakes) => mistakes.parts(),
            Self::Inventory(error) => error.parts(),
            Self::Play(_) => Vec::new(),
        }
    }
}
