//! Redis: the stream between the ways in and InfluxDB, receipts, dead letters and slots.

mod consumer;
mod dead_letters;
mod durability;
mod receipts;
mod redis;
mod settings;
#[cfg(test)]
mod tests;

pub use consumer::{Consumer, Entry};
pub use dead_letters::{DeadLetter, Kept};
pub use durability::Durability;
pub use receipts::{Receipt, Settled};
pub use redis::{Append, Error, Place, Stream};
pub use settings::Settings;
