//! The trait by which errors tell more than their text.

use crate::{Exit, Position};
use std::error::Error;
use std::fmt;

/// An error that knows where it comes from and what to do about it. The output layer renders it once, walking
/// [`Error::source`] for the causes; text is a lower-case fragment without a full stop.
pub trait Diagnose: Error + Send + Sync + 'static {
    /// Where in a file the cause stands.
    fn position(&self) -> Option<Position> {
        None
    }

    /// What to write under the marked place, when the message itself would be too long there.
    fn label(&self) -> Option<String> {
        None
    }

    /// The next step: a command or an edit that works. No hint beats a vague one.
    fn hint(&self) -> Option<String> {
        None
    }

    /// How the process ends because of this error.
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// When this error stands for several, all of them, each to be rendered by itself.
    fn parts(&self) -> Vec<&dyn Diagnose> {
        Vec::new()
    }
}

/// One thing wrong in something that the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, a lower-case fragment with literals in backticks.
    pub message: String,
    /// Where.
    pub position: Option<Position>,
    /// What stands under the marked place.
    pub label: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake at a place.
    pub fn at(position: Position, message: impl Into<String>) -> Self {
        Self { message: message.into(), position: Some(position), label: None, hint: None }
    }

    /// A mistake that has no place in a file.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None, label: None, hint: None }
    }

    /// What an error says, as a mistake.
    pub fn of(error: &dyn Diagnose) -> Self {
        Self { message: error.to_string(), position: error.position(), label: error.label(), hint: error.hint() }
    }

    /// The same, with text under the marked place.
    #[must_use]
    pub fn labelled(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// The same, with a next step.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Mistake {}

impl Diagnose for Mistake {
    fn position(&self) -> Option<Position> {
        self.position.clone()
    }

    fn label(&self) -> Option<String> {
        self.label.clone()
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Everything wrong in a set of files, so that it can be reported in one go, in the order of the files' text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What an error says, in its parts if it has any.
    pub fn of(error: &dyn Diagnose) -> Self {
        match error.parts() {
            parts if parts.is_empty() => Mistake::of(error).into(),
            parts => Self(parts.into_iter().map(Mistake::of).collect()),
        }
    }

    /// Adds one.
    pub fn push(&mut self, mistake: Mistake) {
        self.0.push(mistake);
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Mistake>) {
        self.0.extend(other);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mistakes sorted by position, those without one first.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    /// `Err` with all mistakes, sorted by position and without repetitions, if there are any.
    pub fn into_result(mut self) -> Result<(), Self> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|a, b| a.position.cmp(&b.position).then_with(|| a.message.cmp(&b.message)));
        self.0.dedup();
        Err(self)
    }
}

impl IntoIterator for Mistakes {
    type Item = Mistake;
    type IntoIter = std::vec::IntoIter<Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => fmt::Display::fmt(one, f),
            many => write!(f, "{} mistakes", many.len()),
        }
    }
}

impl Error for Mistakes {}

impl Diagnose for Mistakes {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn parts(&self) -> Vec<&dyn Diagnose> {
        self.0.iter().map(|mistake| mistake as &dyn Diagnose).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_come_sorted_and_once() {
        let mut mistakes = Mistakes::new();
        mistakes.push(Mistake::at(Position::new("b.yml", 2, 1), "second"));
        mistakes.push(Mistake::at(Position::new("a.yml", 9, 1), "first"));
        mistakes.push(Mistake::at(Position::new("b.yml", 2, 1), "second"));
        let error = mistakes.into_result().unwrap_err();
        let found: Vec<_> = error.iter().map(|m| m.message.as_str()).collect();
        assert_eq!(found, ["first", "second"]);
        assert_eq!(error.to_string(), "2 mistakes");
    }

    #[test]
    fn no_mistake_is_no_error() {
        assert_eq!(Mistakes::new().into_result(), Ok(()));
    }
}
