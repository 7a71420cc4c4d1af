//! A private OpenSSH server on loopback.

use crate::{TestUser, is_root, wait_until};
use remote::Ssh;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// An OpenSSH server with a host key, an authorized key and a `known_hosts` file of its own, all in a directory that goes
/// with it. It runs as root, so that real users log in.
pub struct Sshd {
    directory: TempDir,
    server: Child,
    port: u16,
}

impl Sshd {
    /// Starts one. `None`, with a `skipped:` line, where that can't work: it needs root.
    ///
    /// # Panics
    /// When the server is not installed or does not come up.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The same with more lines of `sshd_config(5)`.
    ///
    /// # Panics
    /// As [`Sshd::start`].
    pub fn start_with(configuration: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        assert!(Path::new(SSHD).exists(), "{SSHD} is not installed: run scripts/test-setup.sh");
        let directory = tempfile::Builder::new().prefix("test-sshd-").tempdir().expect("a directory for sshd");
        // sshd reads the authorized key as the user.
        set_mode(directory.path(), 0o755);
        std::fs::create_dir_all("/run/sshd").expect("sshd's directory for privilege separation");
        make_key(&directory.path().join("host_key"));
        make_key(&directory.path().join("client_key"));
        let client = directory.path().join("client_key.pub");
        std::fs::copy(client, directory.path().join("authorized_keys")).expect("the authorized key");
        // Another process may take the port between choosing and using it.
        for _ in 0..5 {
            let port = free_port();
            write_files(directory.path(), port, configuration);
            if let Some(server) = serve(directory.path(), port) {
                return Some(Self { directory, server, port });
            }
        }
        panic!("sshd does not start: {}", log(directory.path()));
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How to connect as a user.
    pub fn ssh(&self, user: &str) -> Ssh {
        Ssh {
            host: "127.0.0.1".into(),
            port: Some(self.port),
            user: Some(user.into()),
            private_key: Some(text(&self.client_key()).into()),
            host_key_checking: true,
            arguments: self.arguments(),
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// The same as a line of an INI inventory.
    pub fn inventory_line(&self, name: &str, user: &TestUser) -> String {
        format!(
            "{name} ansible_host=127.0.0.1 ansible_port={} ansible_user={} ansible_ssh_private_key_file={} \
             ansible_ssh_common_args='{}'",
            self.port,
            user.name(),
            text(&self.client_key()),
            self.arguments().join(" "),
        )
    }

    /// Options that keep the configuration and keys of whoever runs the tests out of it.
    fn arguments(&self) -> Vec<String> {
        let known_hosts = format!("UserKnownHostsFile={}", text(&self.known_hosts()));
        ["-F", "none", "-o", &known_hosts, "-o", "GlobalKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]
            .map(String::from)
            .into()
    }

    /// The private key that it lets in.
    pub fn client_key(&self) -> PathBuf {
        self.directory.path().join("client_key")
    }

    /// The file that holds its host key.
    pub fn known_hosts(&self) -> PathBuf {
        self.directory.path().join("known_hosts")
    }

    /// What it logged.
    pub fn log(&self) -> String {
        log(self.directory.path())
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        children(self.server.id()).len()
    }

    /// Cuts every connection, as a machine does that loses power. The server goes on.
    pub fn cut_connections(&self) {
        for process in children(self.server.id()) {
            for inner in children(process) {
                kill(inner);
            }
            kill(process);
        }
    }

    /// Ends the server, and cuts every connection.
    pub fn stop(&mut self) {
        let _ = self.server.kill();
        self.cut_connections();
        let _ = self.server.wait();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut_connections();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn write_files(directory: &Path, port: u16, configuration: &str) {
    let place = text(directory);
    let lines = format!(
        "{configuration}\nListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host_key\nPidFile none\nUsePAM no\n\
         AuthorizedKeysFile {place}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nMaxStartups 200\nPrintMotd no\nSubsystem sftp internal-sftp\n"
    );
    std::fs::write(directory.join("sshd_config"), lines).expect("the configuration");
    let key = std::fs::read_to_string(directory.join("host_key.pub")).expect("the host key");
    std::fs::write(directory.join("known_hosts"), format!("[127.0.0.1]:{port} {key}")).expect("known_hosts");
}

/// The server once it answers; `None` when it ended, most likely because the port was taken.
fn serve(directory: &Path, port: u16) -> Option<Child> {
    let mut server = Command::new(SSHD)
        .args(["-D", "-f"])
        .arg(directory.join("sshd_config"))
        .arg("-E")
        .arg(directory.join("log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sshd");
    let up = wait_until("sshd answers", Duration::from_secs(10), || {
        if server.try_wait().expect("sshd's state").is_some() {
            return Some(false);
        }
        let mut banner = String::new();
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        BufReader::new(stream).read_line(&mut banner).ok()?;
        banner.starts_with("SSH-2.0").then_some(true)
    });
    up.then_some(server)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("the listener's address").port()
}

fn make_key(path: &Path) {
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen does not work: run scripts/test-setup.sh");
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the mode");
}

fn log(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("log")).unwrap_or_default()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary directories have plain names")
}

/// The processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let state = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything; state and parent follow the last one (proc(5)).
    state.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn kill(id: u32) {
    if let Some(id) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
}
