//! Inventory sources: each reads one file, or one list on the command line, into the graph.

pub(crate) mod ini;
pub(crate) mod list;
pub(crate) mod yaml;

mod origin;
mod reader;

pub(crate) use origin::Origin;
pub(crate) use reader::Reader;
