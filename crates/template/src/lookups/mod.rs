//! The lookups, run on the controller: `lookup('file', 'motd')`, `query('fileglob', '*.yml')`.

mod call;
mod files;
mod loops;
mod password;
pub(crate) mod paths;
mod registry;
mod values;

pub(crate) use call::{lookup, query, run};
pub(crate) use files::BY_LOOP;
pub(crate) use registry::{exists, unknown};
