//! What was found.

use diagnostic::Position;
use std::fmt;
use std::ops::Range;

/// A secret in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands. Whoever shows the line there shows the secret: tell the place, not the line.
    pub position: Position,
    /// What kind of secret it is.
    pub kind: Kind,
    /// What it is, in words that do not tell it.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// Kinds of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A private key in PEM, OpenSSH's form or a kubeconfig.
    PrivateKey,
    /// A token whose form tells who gave it out.
    Token,
    /// A password inside a URL.
    Url,
    /// A value under a name that says what it is.
    Value,
    /// Data of a Kubernetes Secret.
    Manifest,
    /// A file whose name says that it is encrypted, and that is not.
    NotEncrypted,
    /// A file with a vault password.
    PasswordFile,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKey => "private_key",
            Self::Token => "token",
            Self::Value => "value",
            Self::Url => "url",
            Self::Manifest => "manifest",
            Self::NotEncrypted => "not_encrypted",
            Self::PasswordFile => "password_file",
        })
    }
}

/// A finding on its way: bytes instead of lines and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) kind: Kind,
    /// The secret itself.
    pub(super) range: Range<usize>,
    pub(super) what: String,
    /// For what name a value can be encrypted by itself.
    pub(super) name: Option<String>,
}

impl Hit {
    pub(super) fn new(kind: Kind, range: Range<usize>, what: impl Into<String>) -> Self {
        Self { kind, range, what: what.into(), name: None }
    }
}
