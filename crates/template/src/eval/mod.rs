//! Renders programs.

mod access;
mod arguments;
mod call;
mod callable;
mod exec;
mod expr;
mod finalize;
mod include;
mod loops;
mod methods;
mod names;
mod session;
mod string_methods;
mod thunk;
mod view;

pub(crate) use access::{attribute, item};
pub(crate) use arguments::{Args, Bound, int, text};
pub(crate) use callable::{Callable, range};
pub(crate) use exec::{Exec, Layer};
pub(crate) use finalize::{finalize, force, require_deep};
pub(crate) use loops::iterate;
pub(crate) use methods::pairs;
pub(crate) use session::Session;
pub(crate) use string_methods::split;
pub(crate) use thunk::Thunk;
pub(crate) use view::View;
