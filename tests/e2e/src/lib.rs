//! What the end-to-end tests share: a project with its sandbox up, and a harness for scenarios that share one.

mod scenarios;
mod world;

pub use scenarios::{Scenario, run};
pub use world::{World, ends_with, says};
