//! Logs of the libraries, to standard error: from `-vvv` on, or as `CLUSTER_LOG` says (`debug`, `remote=trace`, …).

use crate::context::environment;
use crate::output::{Output, styled};
use std::io;
use tracing_subscriber::EnvFilter;

/// What `-vvv` shows: our own crates. The libraries below them log every request (`CLUSTER_LOG=debug` shows that).
const OURS: &str = "warn,cluster=debug,inventory=debug,kubernetes=debug,playbook=debug,remote=debug,sandbox=debug";

/// `-vvv`: connections.
const CONNECTIONS: u8 = 3;

/// Starts them where someone wants them. `always` is for processes whose standard error is a log file.
pub(crate) fn start(output: &Output, always: bool) {
    let wanted = environment("CLUSTER_LOG");
    let level = match (wanted, output.verbosity()) {
        (Some(wanted), _) => wanted,
        (None, CONNECTIONS..) => OURS.to_owned(),
        (None, _) if always => "info".to_owned(),
        (None, _) => return,
    };
    let filter = EnvFilter::builder().parse_lossy(level);
    let output = output.clone();
    let writer = move || Lines(output.clone());
    let started = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(styled()).with_writer(writer).try_init();
    // A second start in one process changes nothing.
    drop(started);
}

/// Takes each log line to where all other lines go, so that secrets are replaced in it and nothing moves through it.
struct Lines(Output);

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.log(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
