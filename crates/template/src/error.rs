//! What can go wrong in a template.

use crate::place::Place;
use diagnostic::{Diagnose, Exit, Position};
use std::sync::Arc;

/// What to do about an encrypted value or file that can't be read.
pub const PASSWORD_HINT: &str = "give its password with `--vault-password-file` or `--ask-vault-pass`";

/// A template that can't be read or rendered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The text is no template.
    #[error("syntax error in template: {message}")]
    Syntax {
        /// What the parser found.
        message: String,
        /// Where.
        place: Option<Arc<Place>>,
    },
    /// Something that does not exist was used.
    #[error("{message}")]
    Undefined {
        /// Ansible's words: `'foo' is undefined`.
        message: String,
        /// The variable or member that was not found.
        name: Option<Arc<str>>,
        /// The nearest existing name.
        nearest: Option<Arc<str>>,
        /// Where it was used.
        place: Option<Arc<Place>>,
    },
    /// A variable that needs itself.
    #[error("recursive loop in variables: {chain}")]
    Loop {
        /// `a -> b -> a`
        chain: String,
        /// Where the loop closes.
        place: Option<Arc<Place>>,
    },
    /// No filter, test, lookup or function has that name.
    #[error("unknown {kind} `{name}`")]
    Unknown {
        /// `filter`, `test`, `lookup` or `function`.
        kind: &'static str,
        /// What was written.
        name: String,
        /// The nearest name that exists.
        nearest: Option<&'static str>,
        /// Where.
        place: Option<Arc<Place>>,
    },
    /// A filter, test or lookup could not do its work.
    #[error("the {kind} `{name}` failed: {message}")]
    Plugin {
        /// `filter`, `test`, `lookup` or `function`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why.
        message: String,
        /// Where.
        place: Option<Arc<Place>>,
    },
    /// A condition that gives something else than a boolean.
    #[error("{message}")]
    Condition {
        /// What it gave.
        message: String,
        /// What to write instead.
        hint: Option<String>,
        /// Where.
        place: Option<Arc<Place>>,
    },
    /// An encrypted value that can't be read.
    #[error("{} {}", subject.as_deref().unwrap_or("the value"), refusal(why.as_deref()))]
    Encrypted {
        /// What is encrypted: ``variable `name` ``.
        subject: Option<String>,
        /// Why it can't be decrypted; nothing when there is no password.
        why: Option<String>,
        /// Where it is written.
        place: Option<Arc<Place>>,
    },
    /// An operation that the values do not allow.
    #[error("{message}")]
    Operation {
        /// Python's words.
        message: String,
        /// Where.
        place: Option<Arc<Place>>,
    },
}

impl Error {
    /// An operation that the values do not allow.
    pub(crate) fn operation(message: impl Into<String>) -> Self {
        Self::Operation { message: message.into(), place: None }
    }

    /// Something encrypted that can't be read.
    pub(crate) fn encrypted(why: Option<String>) -> Self {
        Self::Encrypted { subject: None, why, place: None }
    }

    /// The same error, about this, when what is encrypted is not known yet.
    #[must_use]
    pub(crate) fn about(mut self, what: impl FnOnce() -> String) -> Self {
        if let Self::Encrypted { subject: subject @ None, .. } = &mut self {
            *subject = Some(what());
        }
        self
    }

    /// Text that is no template.
    pub(crate) fn syntax(message: impl Into<String>) -> Self {
        Self::Syntax { message: message.into(), place: None }
    }

    /// Something that is not there.
    pub(crate) fn undefined(message: impl Into<String>, name: Option<&str>) -> Self {
        Self::Undefined { message: message.into(), name: name.map(Arc::from), nearest: None, place: None }
    }

    /// Whether something undefined is the cause.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined { .. })
    }

    /// The same error at a place, unless it has one already: the innermost is the telling one.
    #[must_use]
    pub(crate) fn at(mut self, place: impl FnOnce() -> Arc<Place>) -> Self {
        let slot = self.place_mut();
        if slot.is_none() {
            *slot = Some(place());
        }
        self
    }

    /// The same error as that of a filter, test or lookup, when it has no name yet.
    #[must_use]
    pub(crate) fn of(self, kind: &'static str, name: &str) -> Self {
        match self {
            Self::Operation { message, place: None } => {
                Self::Plugin { kind, name: name.to_owned(), message, place: None }
            }
            other => other,
        }
    }

    /// The same error with the nearest variable as a hint, when a variable was not found.
    #[must_use]
    pub(crate) fn with_nearest(mut self, names: impl FnOnce() -> Vec<String>) -> Self {
        if let Self::Undefined { message, name: Some(name), nearest: nearest @ None, .. } = &mut self
            && message.starts_with('\'')
        {
            let names = names();
            *nearest = diagnostic::closest(name, names.iter().map(String::as_str)).map(Arc::from);
        }
        self
    }

    fn place_mut(&mut self) -> &mut Option<Arc<Place>> {
        match self {
            Self::Syntax { place, .. }
            | Self::Undefined { place, .. }
            | Self::Loop { place, .. }
            | Self::Unknown { place, .. }
            | Self::Plugin { place, .. }
            | Self::Condition { place, .. }
            | Self::Encrypted { place, .. }
            | Self::Operation { place, .. } => place,
        }
    }

    fn place(&self) -> Option<&Arc<Place>> {
        match self {
            Self::Syntax { place, .. }
            | Self::Undefined { place, .. }
            | Self::Loop { place, .. }
            | Self::Unknown { place, .. }
            | Self::Plugin { place, .. }
            | Self::Condition { place, .. }
            | Self::Encrypted { place, .. }
            | Self::Operation { place, .. } => place.as_ref(),
        }
    }
}

fn refusal(why: Option<&str>) -> String {
    match why {
        Some(why) => format!("can not be decrypted: {why}"),
        None => "is encrypted, and there is no vault password".to_owned(),
    }
}

/// What mends a syntax error, by the words of minijinja's parser.
fn syntax_hint(message: &str) -> Option<&'static str> {
    let known = [
        ("end of string", "close the quote"),
        ("expected end of block", "close `{% if … %}` with `{% endif %}`, `{% for … %}` with `{% endfor %}`"),
        ("expected `)`", "close the bracket with `)`"),
        ("expected `]`", "close the bracket with `]`"),
        ("expected identifier", "write a name here, of a filter after `|`, of a member after `.`"),
        ("expected expression", "write a value or a name here, or remove what stands before"),
        ("unexpected end of", "complete the expression: something is missing at its end"),
        ("unknown statement", "write the block in words of Jinja, such as `{% if x %}…{% endif %}`"),
        ("unexpected", "remove it, or quote it if it is text"),
    ];
    known.into_iter().find(|(words, _)| message.contains(words)).map(|(_, hint)| hint)
}

impl Diagnose for Error {
    fn position(&self) -> Option<Position> {
        self.place().map(|place| place.position())
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Undefined { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Undefined { message, name: Some(name), .. } if message.starts_with('\'') => {
                Some(format!("define `{name}`, or write `{{{{ {name} | default('…') }}}}`"))
            }
            Self::Unknown { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Condition { hint, .. } => hint.clone(),
            Self::Syntax { message, .. } => syntax_hint(message).map(str::to_owned),
            Self::Encrypted { .. } => Some(PASSWORD_HINT.to_owned()),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Syntax { .. } | Self::Unknown { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
