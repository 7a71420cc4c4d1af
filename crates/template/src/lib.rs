//! Jinja as Ansible 2.19 uses it: native types, errors on what is undefined, Ansible's filters, tests and lookups. What a
//! person wrote ([`yaml::Node`]) may hold templates; data (results of modules, facts) never does.
//!
//! minijinja reads the text; what its values and operators would do differently from Python (tuples, `repr`, markers
//! for undefined values, lists that change) is evaluated here, over its syntax tree.

mod check;
mod compile;
mod condition;
mod engine;
mod error;
mod eval;
mod filters;
mod functions;
mod lookups;
mod options;
mod overrides;
mod place;
mod regex;
mod scope;
mod tests;
mod text;
mod traces;
mod value;

pub use check::{check, check_condition, check_file, condition_variables, variables};
pub use engine::{Decrypt, Engine};
pub use error::{Error, PASSWORD_HINT};
pub use options::FileOptions;
pub use place::Place;
pub use scope::{Layered, Scope, Variable, Variables};
pub use traces::{SHORTEST_PART, Traces};
pub use value::{Key, Map, Marker, Value};
