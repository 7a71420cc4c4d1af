//! Reaching a port of the machine's network from here.

use crate::open::{control, path_of};
use crate::{Error, Machine, Ssh, Transport, classify};
use camino::Utf8PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::Command as Process;
use tokio::task::{JoinHandle, JoinSet};

/// A way to a port as the machine sees it. Closed when dropped, with the connections that use it.
#[derive(Debug)]
pub struct Forward {
    host: String,
    port: u16,
    server: Option<JoinHandle<()>>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Machine {
    /// Makes `port` of `host`, both as seen from the machine, reachable from here. Whether anything listens there shows when
    /// it is used.
    ///
    /// The forward is ssh's, from a socket in the private directory; a listener on a free port of 127.0.0.1 passes on to
    /// that. So nobody can take the port between choosing and using it, and one ssh connection carries everything.
    ///
    /// # Errors
    /// When the connection is gone, or a listener can't be opened.
    pub async fn forward(&self, host: &str, port: u16) -> Result<Forward, Error> {
        match self.transport() {
            Transport::Local => Ok(Forward { host: host.to_owned(), port, server: None }),
            Transport::Ssh(ssh) => self.forward_by_ssh(ssh, host, port).await,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "tunnels start here")]
    async fn forward_by_ssh(&self, ssh: &Ssh, target: &str, port: u16) -> Result<Forward, Error> {
        let failed =
            |reason: String| Error::Forward { host: self.name().to_owned(), target: target.to_owned(), port, reason };
        let directory = self.door().directory().await.ok_or_else(|| failed("the connection is closed".into()))?;
        let socket = path_of(&directory).join(format!("f{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        // ssh wants an IPv6 address in brackets (ssh(1), -L).
        let target = if target.contains(':') { format!("[{target}]") } else { target.to_owned() };
        let asked = Process::new("ssh")
            .args(["-S", control(&path_of(&directory)).as_str(), "-O", "forward", "-L"])
            .arg(format!("{socket}:{target}:{port}"))
            .args(["--", &ssh.host])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| failed(error.to_string()))?;
        if !asked.status.success() {
            return Err(failed(classify::reason(&String::from_utf8_lossy(&asked.stderr))));
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(error.to_string()))?;
        let server = tokio::spawn(pass_on(listener, socket, directory));
        Ok(Forward { host: address.ip().to_string(), port: address.port(), server: Some(server) })
    }
}

impl Forward {
    /// Name or address to connect to.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// `_directory` keeps the control socket alive.
async fn pass_on(listener: TcpListener, socket: Utf8PathBuf, _directory: Arc<TempDir>) {
    let mut connections = JoinSet::new();
    while let Ok((inward, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(join(inward, socket.clone()));
    }
}

async fn join(mut inward: TcpStream, socket: Utf8PathBuf) {
    let _ = inward.set_nodelay(true);
    match UnixStream::connect(&socket).await {
        Ok(mut outward) => {
            let _ = tokio::io::copy_bidirectional(&mut inward, &mut outward).await;
        }
        Err(error) => tracing::debug!(%error, "the forward is closed"),
    }
}
