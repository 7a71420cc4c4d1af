//! Logs of the libraries, to standard error: from `-vvv` on, or as `CLUSTER_LOG` says (`debug`, `remote=trace`, …).

use crate::context::environment;
use tracing_subscriber::EnvFilter;

/// `-vvv`: connections.
const CONNECTIONS: u8 = 3;

/// Starts them where someone wants them. `always` is for processes whose standard error is a log file.
pub(crate) fn start(verbosity: u8, always: bool) {
    let wanted = environment("CLUSTER_LOG");
    let level = match (wanted, verbosity) {
        (Some(wanted), _) => wanted,
        (None, CONNECTIONS..) => "debug".to_owned(),
        (None, _) if always => "info".to_owned(),
        (None, _) => return,
    };
    let filter = EnvFilter::builder().parse_lossy(level);
    let started = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    // A second start in one process changes nothing.
    drop(started);
}
