//! What to do next, as the last line of an error.

use anyhow::{Error, Result, anyhow};
use std::fmt::Display;

/// Adds a hint to an error.
pub trait Hint<T> {
    /// The error in one line with its causes, and the hint in the next: contexts belong before it.
    fn hint(self, hint: impl Display) -> Result<T>;
}

impl<T, E: Into<Error>> Hint<T> for Result<T, E> {
    fn hint(self, hint: impl Display) -> Result<T> {
        self.map_err(|error| anyhow!("{:#}\nhint: {hint}", error.into()))
    }
}
