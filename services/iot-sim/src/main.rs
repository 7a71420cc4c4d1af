//! iot-sim: simulated devices, their ledger, and its comparison with InfluxDB.

fn main() -> std::process::ExitCode {
    iot_sim::main()
}
