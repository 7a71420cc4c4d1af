//! A server's process: started, killed, ended by its id.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::wait_until;

/// A running server; ends when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` with its output in `log`, and waits until `port` answers. `None` when it ended before.
    ///
    /// # Panics
    /// When it cannot be started at all, or is silent for two minutes: what reads a long log after a kill, beside a compiler, needs
    /// more than half of one.
    pub fn start(command: &mut Command, log: &Path, port: u16) -> Option<Self> {
        let output = std::fs::File::create(log).expect("the log");
        let errors = output.try_clone().expect("the log");
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
        let mut process = Self { child: child.unwrap_or_else(|error| panic!("{command:?}: {error}")) };
        let what = format!("{} answers", command.get_program().to_string_lossy());
        let up = wait_until(what, Duration::from_secs(120), || {
            if process.child.try_wait().expect("the server's state").is_some() {
                return Some(false);
            }
            TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true)
        });
        up.then_some(process)
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it ever had resident, in bytes.
    ///
    /// # Panics
    /// When it is gone.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("the process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|peak| peak.parse::<u64>().ok()).expect("its memory") << 10
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGTERM, and waits until it is gone.
    ///
    /// # Panics
    /// When it is not gone after 30 s.
    pub fn stop(mut self) {
        self.signal(rustix::process::Signal::TERM);
        wait_until("the server ends", Duration::from_secs(30), || self.child.try_wait().ok().flatten().map(|_| ()));
    }

    /// Any signal: `STOP` freezes it, `CONT` lets it go on.
    pub fn signal(&self, signal: rustix::process::Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
