//! The service with a real PostgreSQL and a real Mosquitto.

mod accounts;
mod devices;
mod import;
mod mqtt;
mod running;
