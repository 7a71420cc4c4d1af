//! iot-support: real servers for the tests of the IoT services. Each runs on a free port of loopback in a directory of its
//! own, can be killed and started again, and ends with the test.

mod authority;
mod influx;
mod installed;
mod metric;
mod mosquitto;
mod port;
mod postgres;
mod process;
mod redis;
mod reference;
mod schemathesis;
mod until;

pub use authority::Authority;
pub use influx::{DATABASE, Influx};
pub use installed::installed;
pub use metric::metric;
pub use mosquitto::{Mosquitto, PASSWORD as ADMIN_PASSWORD, USER as ADMIN_USER};
pub use port::free_port;
pub use postgres::Postgres;
pub use process::Process;
pub use redis::Redis;
pub use reference::current;
pub use schemathesis::{get, post, schemathesis};
pub use until::until;
