//! Ansible playbooks: read with positions ([`Playbook::load`]), checked before anything runs ([`check`]), carried out
//! ([`run`]). The reference is ansible-core 2.19.

mod check;
mod error;
pub mod event;
mod load;
pub mod modules;
mod run;

#[cfg(test)]
mod testing;

pub use check::{Report, check};
pub use error::Error;
pub use load::*;
pub use run::extra_vars::{extra_vars, extra_vars_with};
pub use run::{Connection, FORKS, Options, Outcome, REFERENCE_VERSION, Way, run, way_to};
