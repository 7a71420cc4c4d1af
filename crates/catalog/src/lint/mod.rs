//! The rules that every service keeps, one file each in `rules`: pure functions over a service's files and what Helm makes of its
//! chart. Nothing here starts a program; `cluster catalog lint` does, and tells what comes out.

mod configuration;
mod files;
mod finding;
mod findings;
mod images;
mod object;
mod object_names;
mod rule;
mod rules;
mod subject;

pub use configuration::Configuration;
pub use files::Files;
pub use finding::{Finding, NotRun, Report};
pub use images::{Image, ImageFacts, Images};
pub use object::{Object, parse_manifests};
pub use object_names::{OBJECT_NAMES, object_names};
pub use rule::{Rule, find_rule, lint, lint_by};
pub use rules::RULES;
pub use subject::{Manifests, Rendered, Subject};
