//! The proof that nothing is lost: the whole way from the device to the series, with every server real. Devices are registered
//! with device-management, which gives them their accounts at Mosquitto; data-ingestion knows them by its view in PostgreSQL.

mod compared;
mod encrypted;
mod killed;
mod servers;
mod simulation;
mod window;
