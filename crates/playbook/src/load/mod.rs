//! YAML to a tree of plays, blocks and tasks, each with its place.

mod action;
mod ast;
pub(crate) mod fields;
mod free_form;
pub(crate) mod keywords;
mod play;
mod playbook;
pub(crate) mod problems;
mod reader;
pub(crate) mod sources;
mod task;
mod tasks;

#[cfg(test)]
mod tests;

pub use action::{Action, ActionKind, Argument, Arguments, Meta};
pub use ast::{Block, Item, Level, LevelKind, Loop, LoopControl, Play, Playbook, Task};
pub use keywords::Keywords;
pub use problems::Problems;
pub use sources::Sources;

pub(crate) use action::METAS;
pub(crate) use free_form::parse_pairs as free_form_line;
pub(crate) use reader::{Place, Reader};
