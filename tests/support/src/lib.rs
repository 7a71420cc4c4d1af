//! support: shared parts of the tests.

mod sshd;
mod user;
mod wait;

pub use sshd::Sshd;
pub use user::{Sudo, TestUser, is_root};
pub use wait::{Check, wait_until};
