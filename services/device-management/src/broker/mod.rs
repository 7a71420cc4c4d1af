//! The devices' accounts at the MQTT broker, by Mosquitto's dynamic-security plugin
//! (<https://mosquitto.org/documentation/dynamic-security/>).

mod account;
mod apply;
mod client;
mod command;
mod pace;
mod reconcile;
mod seal;
mod worker;

pub use client::BrokerError;
pub use seal::Seal;

pub(crate) use account::Wanted;
pub(crate) use apply::Outcome;
pub(crate) use client::Broker;
pub(crate) use worker::{Ingestion, Worker};
