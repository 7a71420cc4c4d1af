//! data-ingestion.

fn main() -> std::process::ExitCode {
    service::run(service::about!("readings from devices to InfluxDB, losing nothing", 8081), data_ingestion::start)
}
