//! support: shared parts of the tests.

mod wait;

pub use wait::{Check, wait_until};
