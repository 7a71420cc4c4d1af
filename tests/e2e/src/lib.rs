//! What the end-to-end tests share: a project with its sandbox up, and a harness for scenarios that share one.

pub mod random_values;
mod scenarios;
mod world;

pub use scenarios::{Scenario, run};
pub use world::{World, ends_with, says};
