//! The device-management service.

fn main() -> std::process::ExitCode {
    service::run(device_management::ABOUT, device_management::start)
}
