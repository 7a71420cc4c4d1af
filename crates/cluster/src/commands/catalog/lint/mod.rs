//! `cluster catalog lint`: the rules of the `catalog` crate, and those that other programs or an API server have to try.

mod ansible_lint;
mod ansible_syntax;
mod api_objects;
mod args;
mod catalog_files;
mod helm;
mod helm_lint;
mod native_playbook;
mod outcome;
mod parallel;
mod program;
mod render;
mod report;
mod rule;
mod run;

pub(crate) use args::Args;
pub(crate) use run::run;
