//! Why a text could not be read.

use diagnostic::{Diagnose, Exit, Mistake, Mistakes, Position};

/// Why a text could not be read as YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is wrong in one or more places.
    #[error("{0}")]
    Invalid(Mistakes),
}

impl Error {
    /// All mistakes, to be merged with those of other files.
    pub fn into_mistakes(self) -> Mistakes {
        match self {
            Self::Invalid(mistakes) => mistakes,
        }
    }

    fn only(&self) -> Option<&Mistake> {
        let Self::Invalid(mistakes) = self;
        let mut all = mistakes.iter();
        all.next().filter(|_| all.next().is_none())
    }
}

impl Diagnose for Error {
    fn position(&self) -> Option<Position> {
        self.only()?.position()
    }

    fn label(&self) -> Option<String> {
        self.only()?.label()
    }

    fn hint(&self) -> Option<String> {
        self.only()?.hint()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn parts(&self) -> Vec<&dyn Diagnose> {
        match self {
            Self::Invalid(mistakes) => mistakes.parts(),
        }
    }
}
