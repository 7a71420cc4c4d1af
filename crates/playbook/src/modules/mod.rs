//! Ansible's modules, one file each. A module is registered by its line in [`ALL`].

mod invocation;
mod module;
mod result;

pub use invocation::{Context, Invocation};
pub use module::{Kind, Module, Parameter};
pub use result::{Failure, TaskResult};

/// Every module that the native engine knows.
pub const ALL: &[&Module] = &[];

/// The module of that name, short (`copy`), full (`ansible.builtin.copy`) or legacy (`ansible.legacy.copy`).
pub fn find(name: &str) -> Option<&'static Module> {
    let short = ["ansible.builtin.", "ansible.legacy."].iter().find_map(|prefix| name.strip_prefix(prefix));
    let short = short.unwrap_or(name);
    ALL.iter().copied().find(|module| module.name == short)
}
