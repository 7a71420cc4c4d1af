//! A shell on a machine: this one, or another over the system's OpenSSH; as the login user or, by sudo or su, another.
//! One shell stays open per user, and one command is one round trip. Files travel over the same connection.

mod command;
mod error;

pub use command::{Become, BecomeMethod, Command, Output, Ssh, Transport};
pub use error::Error;
