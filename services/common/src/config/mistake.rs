//! What is wrong with one variable.

use std::fmt;

/// A mistake in the configuration: which variable, what about it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The variable's name.
    pub variable: String,
    /// A lower-case fragment: what is wrong.
    pub text: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: `{}` {}", self.variable, self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  = hint: {hint}"),
            None => Ok(()),
        }
    }
}
