//! Carries playbooks out: plays in order, each task on all hosts at once before the next one (Ansible's `linear` strategy).

mod attempt;
mod batches;
mod connection;
mod context;
mod execution;
pub(crate) mod extra_vars;
mod facts;
mod fault;
mod flow;
mod handlers;
mod include;
mod include_vars;
mod lookup;
mod machines;
mod meta;
mod options;
mod outcome;
mod parameters;
mod paths;
mod play;
mod report;
mod runner;
mod step;
mod tags;
mod templates;
mod variables;
mod veil;
mod way_to;

#[cfg(test)]
mod tests;

pub use connection::Way;
pub use options::{Connection, FORKS, Options};
pub use outcome::Outcome;
pub use runner::run;
pub use variables::REFERENCE_VERSION;
pub use way_to::way_to;

pub(crate) use runner::Run;
