//! The only place that prints. Commands hand over events, data and errors; the format decides what becomes of them.

mod diagnostic;
mod event;
mod json;
mod progress;
mod sink;
mod table;
mod text;

pub(crate) use event::{DeployEvent, Event, Outcome, PodsOnNode, Summary, Tally};
pub(crate) use sink::{Output, ended, styled};
pub(crate) use table::table;
