//! support: shared parts of the tests.

mod project;
mod services;
mod sshd;
mod user;
mod wait;

pub use project::{Ended, Project, cluster, reference, root, tools};
pub use services::{Service, services};
pub use sshd::Sshd;
pub use user::{Sudo, TestUser, is_root};
pub use wait::{Check, wait_until};
