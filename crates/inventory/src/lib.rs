//! Which machines there are: inventories in INI and YAML as ansible-core 2.19 reads them, host patterns, and each host's
//! variables with Ansible's precedence. Values stay as authored ([`yaml::Node`]): whoever runs a playbook templates them.
//!
//! ```
//! # fn main() -> Result<(), inventory::Error> {
//! let inventory = inventory::Inventory::load(&["amd-build,pi-1,pi-2"])?;
//! let selection = inventory.select("all:!amd-build", Some("pi-*"))?;
//! assert_eq!(selection.hosts, ["pi-1", "pi-2"]);
//! assert_eq!(inventory.variables("pi-1", None)?["inventory_hostname"].as_str(), Some("pi-1"));
//! # Ok(())
//! # }
//! ```
//!
//! Differences from Ansible: what it only warns about, an inventory that can't be parsed or isn't there, is an error here;
//! executable, TOML and plugin inventories are refused.

mod address;
mod error;
mod export;
mod graph;
mod inventory;
mod literal;
mod load;
mod name;
mod pattern;
mod select;
mod source;
mod variables;
mod vars_files;
mod words;

pub use error::Error;
pub use graph::Variables;
pub use inventory::Inventory;
pub use name::HostName;
pub use select::Selection;
pub use vars_files::Decrypt;

use camino::{Utf8Path, Utf8PathBuf};

/// An absolute path without `.` and `..`, links not followed, as Ansible's `unfrackpath` makes them.
pub(crate) fn absolute(path: &Utf8Path) -> Utf8PathBuf {
    let from_root = camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    let mut clean = Utf8PathBuf::new();
    for component in from_root.components() {
        match component {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
