//! Simulated devices, with keys of device-management, and the comparison of their ledger with InfluxDB.

use crate::servers::{Servers, TOKEN, pass};
use serde_json::Value;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Runs iot-sim on threads of its own: tests kill servers on theirs.
fn iot_sim(arguments: &[String]) -> (bool, Value) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (good, text) = runtime.block_on(iot_sim::run(&words)).expect("iot-sim");
    (good, serde_json::from_str(&text).expect("JSON"))
}

fn words(fixed: &[&str], more: &str) -> Vec<String> {
    fixed.iter().copied().chain(more.split_whitespace()).map(str::to_owned).collect()
}

impl Servers {
    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    /// Registers devices and waits until the broker knows them.
    pub fn provision(&mut self, devices: u32) -> Value {
        let (address, keys, devices) = (self.management(), self.path("keys"), devices.to_string());
        let fixed = ["provision", "--management", &address, "--token", TOKEN, "--devices", &devices, "--keys", &keys];
        let (_, provisioned) = iot_sim(&words(&fixed, ""));
        assert_eq!(provisioned["devices"].to_string(), devices, "{provisioned}");
        // From now on nobody's account changes.
        self.broker.remember_store();
        provisioned
    }

    /// Lets the devices send, beside the test.
    pub fn simulate(&self, devices: u32, more: &str) -> Simulation {
        let (keys, ledger, devices) = (self.path("keys"), self.path("ledger"), devices.to_string());
        let broker = format!("127.0.0.1:{}", self.broker.port());
        let http = format!("{},{}", self.replica(0), self.replica(1));
        let authority = self.authority.as_ref().map(|authority| authority.certificate().display().to_string());
        let mut fixed = vec![
            "run",
            "--keys",
            &keys,
            "--ledger",
            &ledger,
            "--mqtt",
            &broker,
            "--http",
            &http,
            "--devices",
            &devices,
        ];
        if let Some(authority) = &authority {
            fixed.extend(["--tls-ca", authority]);
        }
        let arguments = words(&fixed, more);
        Simulation(std::thread::spawn(move || iot_sim(&arguments).1))
    }

    /// Compares once.
    pub fn compare(&self) -> Value {
        let (ledger, influx) = (self.path("ledger"), self.influx.url());
        iot_sim(&words(&["verify", "--ledger", &ledger, "--influx", &influx], "")).1
    }

    /// Everything in the ledger must be in InfluxDB, once, and nothing else: now, or within `patience`.
    pub fn must_be_equal(&self, readings: u64, patience: Duration) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.compare();
            if found["equal"] == true && found["ledger"] == readings && found["found"] == readings {
                return found;
            }
            assert!(begun.elapsed() < patience, "the ledger is not what InfluxDB holds: {found}\n{}", self.logs());
            pass(Duration::from_millis(500));
        }
    }
}

/// Devices that send.
pub struct Simulation(JoinHandle<Value>);

impl Simulation {
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// What became of it, when it ends.
    pub fn summary(self) -> Value {
        self.0.join().expect("the simulation")
    }

    /// The same; all readings must have been accepted.
    pub fn complete(self, servers: &Servers) -> Value {
        let summary = self.summary();
        let all = summary["complete"] == true && summary["accepted"] == summary["messages"] && summary["refused"] == 0;
        assert!(all, "{summary}\n{}", servers.logs());
        summary
    }
}

/// A figure that people want to see: with `--nocapture`.
#[expect(clippy::print_stderr, reason = "the figures of a measurement")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// A number from the environment, for the long run.
pub fn setting(name: &str, short: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, not a number")),
        Err(_) => short,
    }
}
