//! `cluster new`: what is asked and checked first, then the files as values, and only then the writing. [`run`] reads like that.

mod args;
mod ask;
mod check;
mod facts;
mod fields;
mod files;
mod render;
mod run;
mod scalar;
mod wanted;
mod write;

pub(crate) use args::Args;
pub(crate) use run::run;
