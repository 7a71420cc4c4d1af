//! What can go wrong with the catalogue.

use camino::Utf8PathBuf;
use diagnostic::{Diagnose, Exit, Mistakes};

/// Why the catalogue can't be used. Nothing has been touched when one of these comes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder has no services.
    #[error("no services: `{folder}` does not exist")]
    NoCatalog {
        /// Where they were looked for.
        folder: Utf8PathBuf,
    },
    /// A file or folder can't be read.
    #[error("can't read `{path}`")]
    Unreadable {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A name that no service has.
    #[error("unknown service `{name}`")]
    UnknownService {
        /// The name.
        name: String,
        /// The nearest that exists.
        nearest: Option<String>,
    },
    /// Everything wrong in the files.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

impl Diagnose for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCatalog { .. } => {
                Some("run `cluster` in a checkout of the repository, which has build/playbooks".to_owned())
            }
            Self::UnknownService { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownService { nearest: None, .. } => {
                Some("run `cluster catalog list` to see all services".to_owned())
            }
            Self::Unreadable { .. } | Self::Mistakes(_) => None,
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn parts(&self) -> Vec<&dyn Diagnose> {
        match self {
            Self::Mistakes(mistakes) => mistakes.parts(),
            _ => Vec::new(),
        }
    }
}
