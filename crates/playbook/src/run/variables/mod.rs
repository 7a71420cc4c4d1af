//! What templates see: variables in Ansible's order of precedence, looked up one by one in layers, never merged.

mod host;
mod hostvars;
mod play;
mod scope;
mod world;

pub(crate) use host::Host;
pub(crate) use play::{File, PlayVariables};
pub(crate) use scope::{Locals, Scope, Wanted};
pub use world::REFERENCE_VERSION;
pub(crate) use world::World;
