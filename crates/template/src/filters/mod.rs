//! The filters, one file per family, with the names of Ansible's and Jinja's documentation.

mod comment;
mod dicts;
mod encode;
mod json;
mod lists;
mod numbers;
mod paths;
mod regex;
mod registry;
mod select;
mod sets;
mod text;
mod time;
mod types;
mod url;
mod vault;
mod yaml;
mod yaml_dump;
mod yaml_scalar;

pub(crate) use registry::short;
pub(crate) use registry::{Filter, find, unknown};
pub(crate) use time::{now, time_method};
pub(crate) use types::to_bool;
pub(crate) use url::split as split_url;
