//! What must not be shown of what came out of a vault, by origin: the events of a task hide what the task read of secrets and
//! what it made of them, and what it leaves behind (facts, registered results, items) carries a mark, so that the tasks that
//! read it hide it too. What the run itself works with stays real.

mod diff;
mod kind;
mod mark;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod veil;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use mark::{hush, plain};
pub(crate) use veil::Veil;
