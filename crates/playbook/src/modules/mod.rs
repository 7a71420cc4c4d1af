//! Ansible's modules, one file each. A module is registered by its line in [`ALL`].

mod assert;
mod attributes;
mod command;
mod convert;
mod copy;
mod debug;
mod fail;
mod file;
mod git;
mod invocation;
mod module;
mod ping;
mod placing;
mod result;
mod script;
mod set_fact;
mod shell;
mod sources;
mod stat;
mod template;
#[cfg(test)]
mod testing;
mod uri;
mod wait_for;
mod words;

pub use invocation::{Context, Invocation};
pub use module::{Kind, Module, Parameter};
pub use result::{Failure, TaskResult};

/// Every module that the native engine knows.
pub const ALL: &[&Module] = &[
    &assert::MODULE,
    &command::MODULE,
    &copy::MODULE,
    &debug::MODULE,
    &fail::MODULE,
    &file::MODULE,
    &git::MODULE,
    &ping::MODULE,
    &set_fact::MODULE,
    &shell::MODULE,
    &stat::MODULE,
    &template::MODULE,
    &uri::MODULE,
    &wait_for::MODULE,
];

/// The module of that name, short (`copy`), full (`ansible.builtin.copy`) or legacy (`ansible.legacy.copy`).
pub fn find(name: &str) -> Option<&'static Module> {
    let short = ["ansible.builtin.", "ansible.legacy."].iter().find_map(|prefix| name.strip_prefix(prefix));
    let short = short.unwrap_or(name);
    ALL.iter().copied().find(|module| module.name == short)
}
