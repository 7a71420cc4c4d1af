//! Everything that is wrong with a playbook before anything runs, in one go.

mod items;
mod levels;
mod notify;
mod parameters;
mod report;
mod templates;

#[cfg(test)]
mod tests;

pub use report::{Report, check};

pub(crate) use items::items;
