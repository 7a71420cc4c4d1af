//! Ansible playbooks: read with positions ([`load`]), checked before anything runs ([`check`]), carried out ([`run`]).

pub mod event;
pub mod modules;
