//! What can be wrong with an image before it is one.

use diagnostic::{Diagnose, Exit};
use std::path::PathBuf;

/// Why an image cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("`{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What `cargo metadata` prints cannot be read.
    #[error("standard input is not what `cargo metadata` prints")]
    Metadata(#[source] serde_json::Error),
    /// No package asks for an image.
    #[error("no package has `[package.metadata.image]`")]
    NoService,
    /// An argument of `--binaries`.
    #[error("`{0}` is not `<architecture>=<directory>`")]
    Binaries(String),
    /// A binary is none.
    #[error("`{}` is {found}, not a static binary for {wanted}", path.display())]
    Binary {
        /// Which.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A value that the format does not take.
    #[error("the image's description is wrong")]
    Format(#[from] oci_spec::OciSpecError),
    /// A value that cannot be written as JSON.
    #[error("the image's description cannot be written")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// For `map_err` with a path.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl Diagnose for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Metadata(_) => {
                Some("run `make images`, or `cargo metadata --no-deps --format-version 1 | image …`".into())
            }
            Self::NoService => Some("add `[package.metadata.image]` to the Cargo.toml of a service".into()),
            Self::Binary { .. } => {
                Some("build it with `-C target-feature=+crt-static`, as scripts/images.sh does".into())
            }
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File { .. } | Self::Json(_) | Self::Format(_) => Exit::Failed,
            _ => Exit::Usage,
        }
    }
}
