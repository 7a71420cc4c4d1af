//! What can go wrong in a template.

use crate::place::Place;
use diagnostic::{Diagnose, Exit, Position};
use std::sync::Arc;

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
            | Self::Operation { place, .. } => place.as_ref(),
        }
    }
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
