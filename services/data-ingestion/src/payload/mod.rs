//! What devices send: JSON readings and InfluxDB line protocol, read strictly and with bounds.

mod glimpse;
mod json;
mod line_protocol;
mod raw;
mod reason;
mod timestamp;

pub use json::{array_or_one, one_sensor};
pub use line_protocol::lines;
pub use raw::{Bounds, Raw, Scalar, SensorValues};
pub use reason::{Number, Reason, Refusal};
pub(crate) use reason::{pointer, shortened};
pub use timestamp::{Clock, parse_rfc3339, scale};
