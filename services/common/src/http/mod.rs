//! HTTP: what every service answers besides its own routes, and how it is served.

mod around;
mod assemble;
mod limits;
mod lingering;
mod seat;
mod serve;

pub use assemble::{App, assemble, document};
pub use limits::Limits;
pub use seat::Seat;
pub use serve::{Served, listen, serve};
