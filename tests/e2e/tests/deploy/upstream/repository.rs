//! A chart repository of the test's own, over HTTP on loopback, with stand-ins for the charts of others.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use support::{root, tools};
use tempfile::TempDir;

/// Its files, and the server, which ends when this is dropped.
pub struct Repository {
    folder: TempDir,
    address: SocketAddr,
    /// How many archives were asked for.
    downloads: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Repository {
    /// Without charts.
    pub fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("chart-repository-")?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (downloads, ends) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (files, count, end) = (folder.path().to_owned(), Arc::clone(&downloads), Arc::clone(&ends));
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away is none of the server's concern.
                let _ = answer(&stream, &files, &count);
            }
        });
        Ok(Self { folder, address, downloads, ends, server: Some(server) })
    }

    /// Adds a stand-in of `tests/e2e/fixtures/upstream`; its definitions and images tell the version.
    pub fn publish(&self, chart: &str, version: &str) -> Result<()> {
        let sources = TempDir::with_prefix("stand-in-")?;
        let copy = "cp -R \"$1\" \"$2\" && grep -rl STAND_IN_VERSION \"$2\" | xargs sed -i \"s/STAND_IN_VERSION/$3/g\"";
        let fixture = root().join("tests/e2e/fixtures/upstream").join(chart);
        let target = sources.path().join(chart);
        run(Command::new("sh").args(["-c", copy, "sh"]).arg(fixture).arg(&target).arg(version))?;
        let helm = tools().join("helm");
        let folder = self.folder.path();
        run(Command::new(&helm).arg("package").arg(&target).args(["--version", version, "--destination"]).arg(folder))?;
        run(Command::new(&helm).args(["repo", "index"]).arg(folder))
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many archives were fetched from it.
    pub fn downloads(&self) -> usize {
        self.downloads.load(Ordering::SeqCst)
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // The server sees the flag with the next connection.
        let woken = TcpStream::connect(self.address).is_ok();
        if let (true, Some(server)) = (woken, self.server.take()) {
            // A panic of the server's has shown itself in the test by now.
            let _ = server.join();
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn answer(mut stream: &TcpStream, files: &Path, downloads: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    // The one folder has no folders, so that a name with a slash is none of its files.
    let file: Option<PathBuf> = (!name.contains('/')).then(|| files.join(&name));
    match file.and_then(|path| std::fs::read(path).ok()) {
        Some(body) => {
            if name.ends_with(".tgz") {
                downloads.fetch_add(1, Ordering::SeqCst);
            }
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
            stream.write_all(&body)
        }
        None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    }
}
