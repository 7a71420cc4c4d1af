//! Ansible playbooks: read with positions ([`load`]), checked before anything runs ([`check`]), carried out ([`run`]).

pub mod event;
mod load;
pub mod modules;

#[cfg(test)]
mod testing;

pub use load::*;
