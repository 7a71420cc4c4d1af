//! Configuration from the environment: typed, documented where it is read, with all mistakes reported at once.

mod environment;
mod mistake;
mod print;
mod setting;
mod variable;

pub use environment::{Configuration, Environment, Invalid};
pub use mistake::Mistake;
pub use setting::{Bytes, Setting};
pub use variable::Variable;
