//! A Mosquitto of one's own, with accounts and rights by its dynamic-security plugin.

use crate::installed::library;
use crate::{Process, free_port, installed};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The account that may administer the plugin.
pub const USER: &str = "admin";
/// Its password, on loopback for the time of a test.
pub const PASSWORD: &str = "of-the-tests";

/// A broker that lets nobody in without an account.
#[derive(Debug)]
pub struct Mosquitto {
    directory: TempDir,
    port: u16,
    process: Option<Process>,
    kept: Option<Vec<u8>>,
    restored: usize,
}

impl Mosquitto {
    /// Starts one with an empty plugin store but for the account [`USER`].
    ///
    /// # Panics
    /// When Mosquitto is not installed or does not come up.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with more lines of `mosquitto.conf(5)`; `{directory}` in them is the directory of its files.
    ///
    /// # Panics
    /// As [`Mosquitto::start`].
    pub fn start_with(configuration: &str) -> Self {
        let directory =
            tempfile::Builder::new().prefix("test-mosquitto-").tempdir().expect("a directory for Mosquitto");
        let mut broker = Self { directory, port: 0, process: None, kept: None, restored: 0 };
        broker.forget_accounts();
        for _ in 0..5 {
            broker.port = free_port();
            broker.configure(configuration);
            broker.process = broker.serve();
            if broker.process.is_some() {
                return broker;
            }
        }
        panic!("Mosquitto does not start: {}", broker.log());
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a service needs to administer it.
    pub fn variables(&self) -> Vec<(String, String)> {
        [("HOST", "127.0.0.1"), ("PORT", &self.port.to_string()), ("USERNAME", USER), ("PASSWORD", PASSWORD)]
            .map(|(name, value)| (format!("MQTT_{name}"), value.to_owned()))
            .into()
    }

    /// Makes the plugin's store anew: what a lost volume looks like. Call it while the broker is away.
    ///
    /// # Panics
    /// When `mosquitto_ctrl` fails.
    pub fn forget_accounts(&self) {
        let store = self.store();
        let _ = std::fs::remove_file(&store);
        let made = Command::new(installed("mosquitto_ctrl"))
            .args(["dynsec", "init"])
            .arg(&store)
            .args([USER, PASSWORD])
            .output();
        let made = made.expect("mosquitto_ctrl");
        assert!(made.status.success() && store.exists(), "mosquitto_ctrl: {}", String::from_utf8_lossy(&made.stdout));
    }

    /// A command of `mosquitto_ctrl dynsec`, as an operator gives it.
    ///
    /// # Panics
    /// When it fails.
    pub fn control(&self, words: &[&str]) {
        let port = self.port.to_string();
        let mut command = Command::new(installed("mosquitto_ctrl"));
        command.args(["-h", "127.0.0.1", "-p", &port, "-u", USER, "-P", PASSWORD, "dynsec"]).args(words);
        let output = command.output().expect("mosquitto_ctrl");
        // It tells some of its failures only in words.
        let words = [output.stdout, output.stderr].concat();
        let words = String::from_utf8_lossy(&words);
        assert!(output.status.success() && !words.contains("rror"), "{command:?}: {words}");
    }

    /// Lets the account [`USER`] send and hear everything, for tests in which rights are not the matter.
    ///
    /// # Panics
    /// When it does not come back with those rights.
    pub fn allow_all(&mut self) {
        self.kill();
        let store = std::fs::read(self.store()).expect("the plugin's store");
        let mut store: Value = serde_json::from_slice(&store).expect("the plugin's store");
        let rights = ["publishClientSend", "publishClientReceive", "subscribePattern", "unsubscribePattern"];
        let rule = |right: &&str, topic: &str| json!({"acltype": right, "topic": topic, "priority": 5, "allow": true});
        let rules = rights.iter().flat_map(|right| [rule(right, "#"), rule(right, "$share/ingestion/#")]);
        store["roles"][0]["acls"] = rules.collect();
        std::fs::write(self.store(), store.to_string()).expect("the plugin's store");
        self.restart();
    }

    /// Publishes with QoS 1 by `mosquitto_pub`, as [`USER`]; whether the broker took it.
    ///
    /// # Panics
    /// When there is no `mosquitto_pub`.
    pub fn publish(&self, topic: &str, payload: &[u8]) -> bool {
        self.mosquitto_pub(&["-u", USER, "-P", PASSWORD], topic, payload)
    }

    /// The same as a device, which connects under its own name.
    ///
    /// # Panics
    /// When there is no `mosquitto_pub`.
    pub fn publish_as(&self, device: &str, key: &str, topic: &str, payload: &[u8]) -> bool {
        self.mosquitto_pub(&["-i", device, "-u", device, "-P", key], topic, payload)
    }

    fn mosquitto_pub(&self, identity: &[&str], topic: &str, payload: &[u8]) -> bool {
        // Arguments have an end, payloads of some tests are longer.
        let file = tempfile::NamedTempFile::new_in(self.directory.path()).expect("a file");
        std::fs::write(&file, payload).expect("a file");
        let mut command = Command::new(installed("mosquitto_pub"));
        command.args(["-p", &self.port.to_string(), "-q", "1", "-t", topic]).args(identity);
        command.arg("-f").arg(file.path()).output().expect("mosquitto_pub").status.success()
    }

    /// Where the plugin keeps accounts and roles.
    pub fn store(&self) -> PathBuf {
        self.directory.path().join("dynamic-security.json")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
            // Whoever forgets the accounts on purpose does so later.
            self.keep_store();
        }
    }

    /// Mosquitto 2.0.11 writes the plugin's store in place (the name of its temporary file loses its `.new`; newer ones do not):
    /// killed in that moment it leaves a torn file, and would come back without any account. So must do who runs it: keep a
    /// copy that is whole, and put it back.
    fn keep_store(&mut self) {
        match std::fs::read(self.store()) {
            Ok(store) if serde_json::from_slice::<Value>(&store).is_ok() => self.kept = Some(store),
            _ => {
                let kept = self.kept.as_ref().expect("a whole store of the plugin");
                std::fs::write(self.store(), kept).expect("the plugin's store");
                self.restored += 1;
            }
        }
    }

    /// Keeps a copy of the plugin's store as it is now, for when a kill tears it.
    ///
    /// # Panics
    /// When the plugin writes for 30 s without an end.
    pub fn remember_store(&mut self) {
        self.kept = Some(support::wait_until("the plugin's store is whole", Duration::from_secs(30), || {
            std::fs::read(self.store()).ok().filter(|store| serde_json::from_slice::<Value>(store).is_ok())
        }));
    }

    /// How often the plugin's store was torn, and put back.
    pub fn restored(&self) -> usize {
        self.restored
    }

    /// Starts it again on the same port, with the same data.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        self.process = self.serve();
        assert!(self.process.is_some(), "Mosquitto does not come back: {}", self.log());
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// What it logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn configure(&self, more: &str) {
        let place = self.directory.path().display().to_string();
        let user = if rustix::process::geteuid().is_root() { "user root\n" } else { "" };
        let lines = format!(
            "{user}listener {} 127.0.0.1\nallow_anonymous false\npersistence true\npersistence_location {place}/\n\
             plugin {}\nplugin_opt_config_file {}\nlog_dest stderr\nlog_type all\n{}\n",
            self.port,
            library("mosquitto_dynamic_security.so").display(),
            self.store().display(),
            more.replace("{directory}", &place),
        );
        std::fs::write(self.directory.path().join("mosquitto.conf"), lines).expect("the configuration");
    }

    fn serve(&self) -> Option<Process> {
        let place = self.directory.path();
        let mut command = Command::new(installed("mosquitto"));
        command.arg("-c").arg(place.join("mosquitto.conf"));
        Process::start(&mut command, &place.join("log"), self.port)
    }
}
