//! Why an inventory could not be read or did not hold what was asked for.

use camino::Utf8PathBuf;
use diagnostic::{Diagnose, Exit, Mistake, Mistakes, Position};

/// Why an inventory could not be read or did not hold what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An inventory source is neither a file nor a directory nor a list with a comma.
    #[error("inventory `{path}` not found")]
    NotFound {
        /// As the user named it.
        path: Utf8PathBuf,
    },
    /// The name of the inventory is empty, as an unset variable of a shell leaves it.
    #[error("the inventory's name is empty")]
    Unnamed,
    /// A directory holds nothing that is read.
    #[error("the inventory `{path}` holds no inventory file")]
    NoFiles {
        /// The directory.
        path: Utf8PathBuf,
    },
    /// A file or directory is there, but can't be read.
    #[error("can't read `{path}`")]
    Read {
        /// The file or directory.
        path: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Files say something wrong; all that was found.
    #[error("{0}")]
    Invalid(Mistakes),
    /// A kind of inventory that is not read here.
    #[error("{what} `{path}` is not supported")]
    Unsupported {
        /// The file.
        path: Utf8PathBuf,
        /// What it is: `the executable inventory`.
        what: &'static str,
        /// What to do instead.
        hint: String,
    },
    /// A file is encrypted, and there is no password for it.
    #[error("variable file `{path}` is encrypted, and there is no vault password")]
    NoPassword {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A file is encrypted and can't be decrypted.
    #[error("variable file `{path}` can't be decrypted: {why}")]
    Decrypt {
        /// The file.
        path: Utf8PathBuf,
        /// What whoever decrypts says.
        why: String,
    },
    /// A host pattern can't be evaluated.
    #[error("host pattern `{pattern}`: {reason}")]
    Pattern {
        /// The pattern as written.
        pattern: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// Something is asked for that is not in the inventory.
    #[error("no {kind} `{name}` in the inventory")]
    Unknown {
        /// What it was taken for: `host`, `group`, or either.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What to do: the nearest name, or all names.
        hint: String,
    },
    /// Pattern and limit together leave no host.
    #[error("no host is left by `{pattern}`{}", limit.as_deref().map(|limit| format!(" with --limit `{limit}`")).unwrap_or_default())]
    NoHosts {
        /// The pattern.
        pattern: String,
        /// The limit, if one was given.
        limit: Option<String>,
    },
}

impl Error {
    fn only(&self) -> Option<&Mistake> {
        let Self::Invalid(mistakes) = self else { return None };
        let mut all = mistakes.iter();
        all.next().filter(|_| all.next().is_none())
    }
}

impl From<yaml::Error> for Error {
    fn from(error: yaml::Error) -> Self {
        Self::Invalid(error.into_mistakes())
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
        match self {
            Self::NotFound { path } => {
                Some(format!("give an existing file, or a list of hosts with a comma: `{path},`"))
            }
            Self::Unnamed => Some("name a file, or leave `-i` out for the inventory of `cluster.toml`".to_owned()),
            Self::NoFiles { path } => {
                Some(format!("put one there, such as `{path}/hosts.ini`, or name another with `-i`"))
            }
            Self::Unsupported { hint, .. } | Self::Unknown { hint, .. } => Some(hint.clone()),
            Self::NoPassword { .. } => Some("pass `--vault-password-file FILE` or `--ask-vault-pass`".to_owned()),
            Self::Pattern { hint, .. } => hint.clone(),
            Self::NoHosts { .. } => Some("run `cluster inventory graph` to see groups and hosts".to_owned()),
            Self::Read { .. } | Self::Decrypt { .. } => None,
            Self::Invalid(_) => self.only()?.hint(),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn parts(&self) -> Vec<&dyn Diagnose> {
        match self {
            Self::Invalid(mistakes) => mistakes.parts(),
            _ => Vec::new(),
        }
    }
}
