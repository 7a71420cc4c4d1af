//! A PostgreSQL server of one's own.

use crate::{Process, free_port, installed};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::wait_until;
use tempfile::TempDir;

/// A cluster with the role `iotuser` (trusted on loopback) and the database `iotdb`.
#[derive(Debug)]
pub struct Postgres {
    directory: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Postgres {
    /// Makes the cluster and starts it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not come up.
    pub fn start() -> Self {
        let directory =
            tempfile::Builder::new().prefix("test-postgres-").tempdir().expect("a directory for PostgreSQL");
        give_away(directory.path());
        let made = as_server("initdb")
            .args(["--username=iotuser", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(directory.path().join("data"))
            .output()
            .expect("initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { directory, port: 0, process: None };
        for _ in 0..5 {
            server.port = free_port();
            server.process = server.serve();
            if server.process.is_some() {
                server.create_database("iotdb");
                return server;
            }
        }
        panic!("PostgreSQL does not start: {}", server.log());
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a service needs to use `iotdb`.
    pub fn variables(&self) -> Vec<(String, String)> {
        [("HOST", "127.0.0.1"), ("PORT", &self.port.to_string()), ("DATABASE", "iotdb"), ("USER", "iotuser")]
            .map(|(name, value)| (format!("POSTGRES_{name}"), value.to_owned()))
            .into()
    }

    /// Adds an empty database.
    ///
    /// # Panics
    /// When it exists.
    pub fn create_database(&self, name: &str) {
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
    }

    /// Runs SQL and returns its unaligned output.
    ///
    /// # Panics
    /// When it fails for 30 s, which is how long a server that was killed may need to recover.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        wait_until("psql succeeds", Duration::from_secs(30), || {
            let port = self.port.to_string();
            let arguments = ["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", &port, "-U", "iotuser", "-d", database];
            let output =
                Command::new(installed("psql")).args(arguments).args(["-v", "ON_ERROR_STOP=1", "-c", sql]).output();
            let output = output.ok().filter(|output| output.status.success())?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        })
    }

    /// SIGKILL to the server; its children follow when they notice.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same port, with the same data.
    ///
    /// # Panics
    /// When it does not come up within a minute.
    pub fn restart(&mut self) {
        self.kill();
        // The children of a killed server hold its shared memory until they notice.
        self.process = Some(wait_until("PostgreSQL is back", Duration::from_secs(60), || self.serve()));
    }

    /// What it logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Without `fsync`: a killed process loses nothing by it, only a machine that loses power would.
    fn serve(&self) -> Option<Process> {
        let place = self.directory.path();
        let mut command = as_server("postgres");
        command.arg("-D").arg(place.join("data")).arg("-k").arg(place).args(["-p", &self.port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"]);
        Process::start(&mut command, &place.join("log"), self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // An immediate shutdown takes the children along, so that the directory can go.
        if let Some(process) = self.process.take() {
            process.signal(rustix::process::Signal::QUIT);
            process.stop();
        }
    }
}

/// PostgreSQL refuses to run as root: then Debian's user does.
fn as_server(program: &str) -> Command {
    let mut command = Command::new(installed(program));
    if rustix::process::geteuid().is_root() {
        let (user, group) = debian_user();
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

fn give_away(directory: &Path) {
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).expect("the mode");
    if rustix::process::geteuid().is_root() {
        let (user, group) = debian_user();
        chown(directory, Some(user), Some(group)).expect("the owner");
    }
}

fn debian_user() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:"));
    let mut fields = line.expect("the user `postgres`: run scripts/test-setup.sh").split(':').skip(1);
    let mut next = || fields.next().and_then(|field| field.parse().ok()).expect("ids in /etc/passwd");
    (next(), next())
}
