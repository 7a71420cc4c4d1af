//! An InfluxDB 1.x of one's own.

use crate::{Process, free_port, installed};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The database that the tests use.
pub const DATABASE: &str = "iot";

/// An InfluxDB.
#[derive(Debug)]
pub struct Influx {
    directory: TempDir,
    port: u16,
    backup_port: u16,
    process: Option<Process>,
}

impl Influx {
    /// Starts one, with the database [`DATABASE`].
    ///
    /// # Panics
    /// When InfluxDB is not installed or does not come up.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("test-influx-").tempdir().expect("a directory for InfluxDB");
        let mut influx = Self { directory, port: 0, backup_port: 0, process: None };
        for _ in 0..5 {
            (influx.port, influx.backup_port) = (free_port(), free_port());
            influx.configure();
            influx.process = influx.serve();
            if influx.process.is_some() {
                influx.query_database("", &format!("CREATE DATABASE {DATABASE}"));
                return influx;
            }
        }
        panic!("InfluxDB does not start: {}", influx.log());
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a service needs to reach it.
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("INFLUXDB_URL".to_owned(), self.url()), ("INFLUXDB_DATABASE".to_owned(), DATABASE.to_owned())]
    }

    /// What it answers to a query, as CSV with times in nanoseconds.
    ///
    /// # Panics
    /// When it is away.
    pub fn query(&self, statement: &str) -> String {
        self.query_database(DATABASE, statement)
    }

    /// Writes lines of its protocol.
    ///
    /// # Panics
    /// When it does not take them.
    pub fn write(&self, lines: &str) {
        let head =
            format!("POST /write?db={DATABASE} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", lines.len());
        let answer = self.ask(&(head + lines));
        assert!(answer.starts_with("HTTP/1.0 204"), "{answer}");
    }

    /// How many writes it was asked for since its start.
    ///
    /// # Panics
    /// When it is away, or does not tell.
    pub fn writes(&self) -> u64 {
        let variables = self.ask("GET /debug/vars HTTP/1.0\r\nHost: localhost\r\n\r\n");
        let (_, rest) = variables.split_once("\"writeReq\":").expect("a count of writes");
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same port, with the same data.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        self.process = self.serve();
        assert!(self.process.is_some(), "InfluxDB does not come back: {}", self.log());
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// What it logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn query_database(&self, database: &str, statement: &str) -> String {
        let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request = format!(
            "POST /query?db={database}&epoch=ns&q={encoded} HTTP/1.0\r\nHost: localhost\r\nAccept: application/csv\r\nContent-Length: 0\r\n\r\n"
        );
        self.ask(&request).split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("InfluxDB");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a deadline");
        stream.write_all(request.as_bytes()).expect("a question");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn configure(&self) {
        let place = self.directory.path().display();
        let lines = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{}\"\n[meta]\ndir = \"{place}/meta\"\n[data]\ndir = \"{place}/data\"\n\
             wal-dir = \"{place}/wal\"\nquery-log-enabled = false\n[monitor]\nstore-enabled = false\n[http]\nbind-address = \"127.0.0.1:{}\"\n\
             log-enabled = false\n[logging]\nlevel = \"warn\"\n",
            self.backup_port, self.port,
        );
        std::fs::write(self.directory.path().join("influxdb.conf"), lines).expect("the configuration");
    }

    fn serve(&self) -> Option<Process> {
        let place = self.directory.path();
        let mut command = Command::new(installed("influxd"));
        command.arg("run").arg("-config").arg(place.join("influxdb.conf")).env("HOME", place);
        Process::start(&mut command, &place.join("log"), self.port)
    }
}
