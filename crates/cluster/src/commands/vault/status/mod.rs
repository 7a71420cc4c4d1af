//! `cluster vault status`

mod encrypted;
mod run;
mod survey;
mod users;

pub(super) use run::{Args, run};
