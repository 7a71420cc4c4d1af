//! iot-sim
fn main() {}
