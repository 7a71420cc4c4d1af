//! Why something could not be encrypted, decrypted or written.

use diagnostic::{Diagnose, Exit, Position, closest};
use std::path::PathBuf;

/// A place in the data: line and column, from 1, and how many characters are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// How many characters.
    pub length: usize,
}

impl Place {
    pub(crate) fn new(line: u32, column: usize, length: usize) -> Self {
        Self { line, column: u32::try_from(column).unwrap_or(u32::MAX), length }
    }
}

/// Why something could not be encrypted, decrypted or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data has no header of Ansible Vault.
    #[error("not encrypted with Ansible Vault")]
    NotEncrypted {
        /// What stands before the header, if that is all that is wrong.
        after: Option<&'static str>,
    },
    /// The data has a header, but is not what is written after one.
    #[error("damaged vault data: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
        /// Where, if it is one place.
        place: Option<Place>,
    },
    /// A version of the format that does not exist.
    #[error("vault format `{found}` is unknown")]
    Version {
        /// What the header says.
        found: String,
        /// Where.
        place: Place,
    },
    /// A cipher that does not exist.
    #[error("vault cipher `{found}` is unknown")]
    Cipher {
        /// What the header says.
        found: String,
        /// Where.
        place: Place,
    },
    /// None of the passwords decrypts the data, or it was changed.
    #[error("{}", wrong_password(tried, label.as_deref(), *only_matching))]
    WrongPassword {
        /// The labels of the passwords that were tried, in order; none when it was a single one without a label.
        tried: Vec<String>,
        /// The label in the header.
        label: Option<String>,
        /// Whether only passwords with that label are tried.
        only_matching: bool,
    },
    /// There is nothing to decrypt or encrypt with.
    #[error("there is no vault password")]
    NoPassword,
    /// A password of no bytes.
    #[error("the vault password is empty")]
    EmptyPassword,
    /// The password and its repetition differ.
    #[error("the two passwords differ")]
    Mismatch,
    /// The question for a password was not answered.
    #[error("{0}")]
    Unanswered(Box<dyn Diagnose>),
    /// What was to be encrypted is.
    #[error("encrypted already")]
    AlreadyEncrypted,
    /// What was decrypted is wanted as text, but is none.
    #[error("the decrypted content is not UTF-8 text")]
    NotText,
    /// A label that can't stand in a header.
    #[error("`{label}` can't be a vault id: {why}")]
    Label {
        /// The label.
        label: String,
        /// Why not.
        why: &'static str,
    },
    /// The label to encrypt for is none of those that are known.
    #[error("there is no password for the vault id `{wanted}`")]
    UnknownLabel {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
    /// There are several passwords, and it was not said which to encrypt with.
    #[error("which of the vault ids {} to encrypt with is not said", listed(labels))]
    Ambiguous {
        /// Their labels.
        labels: Vec<String>,
    },
    /// A source of a password without a file or program.
    #[error("`{text}` names no source for a vault password")]
    NoSource {
        /// As written.
        text: String,
    },
    /// The file or program for a password is not there, or can't be read.
    #[error("vault password file `{}` can't be read", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is a directory.
    #[error("vault password file `{}` is a directory", path.display())]
    PasswordDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// There is no password in it, or it is encrypted and can't be decrypted.
    #[error("vault password file `{}`: {error}", path.display())]
    InPasswordFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with what it holds.
        error: Box<Error>,
    },
    /// The program for a password can't be started.
    #[error("vault password program `{}` can't be started", path.display())]
    ProgramStart {
        /// The program.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The program for a password failed.
    #[error("vault password program `{}` {}{}", path.display(), ended, said(stderr))]
    Program {
        /// The program.
        path: PathBuf,
        /// How it ended: `ended with 1`.
        ended: String,
        /// What it printed to standard error, where that was not shown as it came.
        stderr: String,
    },
    /// A file can't be written.
    #[error("can't {doing} `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What could not be done.
        doing: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Any of the others, about a file.
    #[error("`{path}`: {error}")]
    InFile {
        /// The file, as the user names it.
        path: String,
        /// What is wrong.
        error: Box<Error>,
    },
}

impl Error {
    /// Says which file it is about; the first to say so counts.
    #[must_use]
    pub fn in_file(self, path: impl Into<String>) -> Self {
        match self {
            Self::InFile { .. } => self,
            error => Self::InFile { path: path.into(), error: Box::new(error) },
        }
    }

    /// The question for a password was not answered: there is no terminal, or no more input.
    pub fn unanswered(error: impl Diagnose) -> Self {
        Self::Unanswered(Box::new(error))
    }

    pub(crate) fn malformed(what: impl Into<String>, place: Place) -> Self {
        Self::Malformed { what: what.into(), place: Some(place) }
    }

    pub(crate) fn damaged(what: String) -> Self {
        Self::Malformed { what, place: None }
    }

    fn place(&self) -> Option<Place> {
        match self {
            Self::Malformed { place, .. } => *place,
            Self::Version { place, .. } | Self::Cipher { place, .. } => Some(*place),
            _ => None,
        }
    }
}

fn listed(labels: &[String]) -> String {
    labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}

fn wrong_password(tried: &[String], label: Option<&str>, only_matching: bool) -> String {
    match (tried, label) {
        ([], label) if only_matching => {
            format!("there is no password for the vault id `{}`", label.unwrap_or(crate::DEFAULT_LABEL))
        }
        ([], _) => "the vault password is wrong, or the data was changed".to_owned(),
        ([one], _) => format!("the password of the vault id `{one}` is wrong, or the data was changed"),
        (many, _) => format!("no password of the vault ids {} fits, or the data was changed", listed(many)),
    }
}

fn said(stderr: &str) -> String {
    let stderr = stderr.trim();
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

impl Diagnose for Error {
    fn position(&self) -> Option<Position> {
        let Self::InFile { path, error } = self else { return None };
        let place = error.place()?;
        Some(Position::new(path.as_str(), place.line, place.column).with_length(place.length))
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotEncrypted { after } => format!("remove {} before the header `$ANSIBLE_VAULT…`", (*after)?),
            Self::Malformed { .. } => "bring back an undamaged copy, for example from version control".to_owned(),
            Self::Version { .. } => "the formats are 1.1 and 1.2".to_owned(),
            Self::Cipher { .. } => "the cipher is AES256".to_owned(),
            Self::WrongPassword { tried, label: Some(label), .. } if !tried.is_empty() && !tried.contains(label) => {
                format!("the data was encrypted for the vault id `{label}`: pass `--vault-id {label}@prompt`")
            }
            Self::WrongPassword { only_matching: true, label, .. } => {
                let label = label.as_deref().unwrap_or(crate::DEFAULT_LABEL);
                format!("pass `--vault-id {label}@prompt`, or unset `ANSIBLE_VAULT_ID_MATCH` to try the others")
            }
            Self::WrongPassword { .. } => return None,
            Self::NoPassword => "pass `--vault-password-file FILE` or `--ask-vault-pass`".to_owned(),
            Self::EmptyPassword | Self::Mismatch | Self::NotText => return None,
            Self::Unanswered(error) => return error.hint(),
            Self::AlreadyEncrypted => "to change the password, run `cluster vault rekey`".to_owned(),
            Self::Label { .. } => "take letters, digits, `-` and `_`".to_owned(),
            Self::UnknownLabel { wanted, known } => match closest(wanted, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => format!("pass `--vault-id {wanted}@prompt`"),
                None => format!("there is {}; or pass `--vault-id {wanted}@prompt`", listed(known)),
            },
            Self::Ambiguous { labels } => {
                format!("pass `--encrypt-vault-id {}`", labels.first().map_or("LABEL", String::as_str))
            }
            Self::NoSource { text } => {
                let label = text.trim_end_matches('@');
                format!("write `{label}@prompt` or `{label}@FILE`")
            }
            Self::PasswordFile { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "check the path, or pass `--ask-vault-pass` to type the password".to_owned()
            }
            Self::PasswordFile { .. } => return None,
            Self::PasswordDirectory { .. } => "name a file in it".to_owned(),
            Self::InPasswordFile { error, .. } => match error.as_ref() {
                Self::EmptyPassword => "write the password into its first line".to_owned(),
                Self::NoPassword => {
                    "it is itself encrypted: name the source of its password before it with `--vault-id`".to_owned()
                }
                other => return other.hint(),
            },
            Self::ProgramStart { path, .. } => {
                format!("if it is no program, run `chmod -x {}`", path.display())
            }
            Self::Program { path, .. } => format!("run `{}` to see what it says", path.display()),
            Self::Write { .. } => return None,
            Self::InFile { error, .. } => return error.hint(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Write { .. } => Exit::Failed,
            Self::Unanswered(error) => error.exit(),
            Self::InFile { error, .. } => error.exit(),
            _ => Exit::Usage,
        }
    }
}
