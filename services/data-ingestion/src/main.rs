//! data-ingestion.

fn main() -> std::process::ExitCode {
    service::run(data_ingestion::ABOUT, data_ingestion::start)
}
