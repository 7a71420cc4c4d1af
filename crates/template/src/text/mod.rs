//! Python's text functions: case, lines, `%` and `str.format`.

mod case;
mod format;
mod percent;
mod spec;

pub(crate) use case::{capitalize, center_margins, lines, title};
pub(crate) use format::format;
pub(crate) use percent::percent;
