//! The service with a real PostgreSQL and a real Mosquitto.

#![expect(clippy::disallowed_methods, reason = "devices and operators are other programs here")]

mod accounts;
mod database;
mod devices;
mod import;
mod mqtt;
mod replicas;
mod running;
mod scale;
