//! The values of templates, with Python's semantics.

mod json;
mod kind;
mod map;
mod ops;
mod order;
mod repr;

pub use kind::{Marker, Value};
pub use map::{Key, Map, Name};
pub(crate) use ops::{Operator, binary, contains, negate};
pub(crate) use order::{compare, equal, range_len};
pub(crate) use repr::float_text;
