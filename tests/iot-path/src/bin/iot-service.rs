//! The services as processes that a test of this package can start and kill: cargo tells a test only where programs of its
//! own package are. `IOT_SERVICE` says which one; all the rest is as in the service's own `main`.

use service::About;
use std::process::ExitCode;

const INGESTION: About =
    About { name: "data-ingestion", version: env!("CARGO_PKG_VERSION"), about: "in a test", port: 8081 };

fn main() -> ExitCode {
    match std::env::var("IOT_SERVICE").as_deref() {
        Ok("device-management") => service::run(device_management::ABOUT, device_management::start),
        Ok("data-ingestion") => service::run(INGESTION, data_ingestion::start),
        _ => ExitCode::from(2),
    }
}
