//! The tests (`x is …`), one file per family, with the names of Ansible's and Jinja's documentation.

mod basic;
mod collections;
mod files;
mod registry;
mod results;
mod text;
mod version;

pub(crate) use registry::{Test, find, unknown};
