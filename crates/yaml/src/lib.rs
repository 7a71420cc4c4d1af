//! YAML as Ansible reads it: YAML 1.1 scalars, `!vault` and `!unsafe`, and the place of every node. Playbooks, inventories
//! and variable files all come through here; a [`Node`] is what a person wrote, and so may hold templates.

mod node;

pub use node::{Mapping, Node, Value};
