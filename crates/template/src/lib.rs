//! Jinja as Ansible 2.19 uses it: native types, errors on what is undefined, Ansible's filters, tests and lookups. What a
//! person wrote ([`yaml::Node`]) may hold templates; data (results of modules, facts) never does.

mod options;

pub use options::FileOptions;
