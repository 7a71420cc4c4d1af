//! `cluster deploy`: one file per step, in the order in which [`run`] takes them.

mod args;
mod destination;
mod helm;
mod locate;
mod many;
mod one;
mod play;
mod recover;
mod requirements;
mod rollout;
mod run;
mod schedule;
mod secrets;
mod set;
mod source;
mod summary;
mod values;
mod verify;

pub(crate) use args::Args;
pub(crate) use run::run;
