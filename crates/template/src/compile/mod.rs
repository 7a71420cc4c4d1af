//! From text to a program.

mod escape;
mod ir;
mod lower;
mod parse;

pub(crate) use ir::{Argument, Arguments, Expr, For, Kind, Macro, Program, Stmt, Target};
pub(crate) use parse::{Mode, Syntax, compile};
