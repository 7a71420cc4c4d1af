//! The way in over MQTT: a persistent session per slot, shared subscriptions, acknowledgement only after the stream has it.

mod aside;
mod client;
mod gather;
mod open;
mod session;
mod slots;
mod work;

pub use slots::{Settings, run};
