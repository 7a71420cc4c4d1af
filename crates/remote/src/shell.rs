//! One open shell: the process that carries it, and running one command in it.

use crate::protocol::{Request, Scanner};
use crate::{Command, Error, Output};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep_until, timeout};

/// How long a command that is ended may take to clean up before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// How long to wait for more output once a command has ended and something it left in the background still holds its
/// outputs. ansible-core 2.19 stops reading after one silent second (`AnsibleModule.run_command`).
const SILENCE: Duration = Duration::from_secs(1);

const CHUNK_BYTES: usize = 64 * 1024;

/// A shell that runs the driver (or is about to).
pub(crate) struct Shell {
    pub child: Child,
    pub stdin: ChildStdin,
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
    /// Where `ssh` writes its own messages.
    pub log: Option<camino::Utf8PathBuf>,
    /// Holds control socket and log as long as a shell needs them.
    pub _directory: Option<Arc<TempDir>>,
}

/// What became of the shell when a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The next command may come.
    Usable,
    /// Something in the background still holds the outputs: no further command, but it must not be closed yet.
    Occupied,
    /// It is of no use.
    Dead,
}

/// What a shell leaves.
pub(crate) struct LastWords {
    /// The rest of its output.
    pub stdout: Vec<u8>,
    /// The rest of its standard error.
    pub stderr: Vec<u8>,
    /// ssh's own messages.
    pub log: String,
}

/// How a command ended when it gave no output to hand on.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The shell ended; ssh's words, if any.
    Lost(String),
    /// It was ended because its time was over.
    TimedOut { stdout: Vec<u8>, stderr: Vec<u8> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Terminated,
    Killed,
}

impl Shell {
    /// Runs a command. When `cancelled` completes, or the time is over, it is ended with everything that it started.
    pub async fn run(
        &mut self,
        request: Request,
        limit: Option<Duration>,
        cancelled: impl Future<Output = ()>,
    ) -> (Result<Output, Failure>, Fate) {
        let mut out = Scanner::new(&request.nonce);
        let mut err = Scanner::new(&request.nonce);
        let mut unsent = Unsent::new(request.parts);
        let mut phase = Phase::Running;
        let mut alarm = limit.map(|limit| Instant::now() + limit);
        let mut timed_out = false;
        let mut heard = Instant::now();
        let mut stderr_open = true;
        let mut cancelled = pin!(cancelled);
        let fate = loop {
            if out.ended && err.ended && unsent.is_empty() {
                break Fate::Usable;
            }
            out.data.reserve(CHUNK_BYTES);
            err.data.reserve(CHUNK_BYTES);
            let silence = out.status.map(|_| heard + SILENCE);
            let next = alarm.into_iter().chain(silence).min();
            tokio::select! {
                read = self.stdout.read_buf(&mut out.data) => match read {
                    Ok(1..) => { out.scan(); heard = Instant::now(); }
                    _ => return (Err(Failure::Lost(self.last_words().await.log)), Fate::Dead),
                },
                read = self.stderr.read_buf(&mut err.data), if stderr_open => match read {
                    Ok(1..) => { err.scan(); heard = Instant::now(); }
                    _ => stderr_open = false,
                },
                sent = unsent.send(&mut self.stdin), if !unsent.is_empty() => if sent.is_err() {
                    // The reason is on its way on the outputs.
                    unsent.clear();
                },
                () = &mut cancelled, if phase == Phase::Running => {
                    phase = self.end(phase, &mut unsent);
                    alarm = Some(Instant::now() + GRACE);
                }
                () = at(next), if next.is_some() => {
                    if silence.is_some_and(|silence| silence <= Instant::now()) {
                        break Fate::Occupied;
                    }
                    timed_out |= phase == Phase::Running;
                    if phase == Phase::Killed {
                        break Fate::Dead;
                    }
                    phase = self.end(phase, &mut unsent);
                    alarm = Some(Instant::now() + GRACE);
                }
            }
        };
        if fate == Fate::Usable && self.stdin.write_all(b"done\n").await.is_err() {
            return (finish(out, err, timed_out), Fate::Dead);
        }
        (finish(out, err, timed_out), fate)
    }

    fn end(&mut self, phase: Phase, unsent: &mut Unsent) -> Phase {
        let (signal, next) =
            if phase == Phase::Running { ("TERM", Phase::Terminated) } else { ("KILL", Phase::Killed) };
        tracing::debug!(signal, "ending a command");
        unsent.add(format!("kill {signal}\n").into_bytes());
        next
    }

    /// Whether the process that carries the shell has ended.
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The shell, unless the process that carries it has ended.
    pub fn if_open(mut self) -> Option<Self> {
        (!self.has_ended()).then_some(self)
    }

    /// What is still to be heard when it ended.
    pub async fn last_words(&mut self) -> LastWords {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ending = async {
            let _ = tokio::join!(self.stdout.read_to_end(&mut stdout), self.stderr.read_to_end(&mut stderr));
            let _ = self.child.wait().await;
        };
        // A process that closes its outputs and lives on is not waited for.
        let _ = timeout(GRACE, ending).await;
        let log = self.log.as_ref().and_then(|log| std::fs::read(log).ok()).unwrap_or_default();
        LastWords { stdout, stderr, log: String::from_utf8_lossy(&log).into_owned() }
    }

    /// Closes it: the driver ends at the end of its input, and what still runs with it.
    pub async fn close(self) {
        let Self { mut child, stdin, mut stdout, mut stderr, .. } = self;
        drop(stdin);
        let mut nowhere = (tokio::io::sink(), tokio::io::sink());
        let rest = async {
            let _ = tokio::join!(
                tokio::io::copy(&mut stdout, &mut nowhere.0),
                tokio::io::copy(&mut stderr, &mut nowhere.1),
                child.wait(),
            );
        };
        if timeout(2 * GRACE, rest).await.is_err() {
            let _ = child.start_kill();
        }
    }

    /// Keeps it open, and reads what comes, for the sake of a process in the background that writes there.
    pub async fn keep_open(mut self) {
        let mut nowhere = (tokio::io::sink(), tokio::io::sink());
        let _ = tokio::join!(
            tokio::io::copy(&mut self.stdout, &mut nowhere.0),
            tokio::io::copy(&mut self.stderr, &mut nowhere.1),
        );
        self.close().await;
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn finish(out: Scanner, err: Scanner, timed_out: bool) -> Result<Output, Failure> {
    if timed_out {
        return Err(Failure::TimedOut { stdout: out.data, stderr: err.data });
    }
    match out.status {
        Some(status) => Ok(Output { status, stdout: out.data, stderr: err.data }),
        // The process that waits for the command was killed, most likely by the command.
        None => Err(Failure::Lost("the command ended the shell that it ran in".into())),
    }
}

/// Bytes on their way to the shell, in pieces that are never copied.
struct Unsent {
    parts: VecDeque<Vec<u8>>,
    sent: usize,
}

impl Unsent {
    fn new(parts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { parts: parts.into_iter().filter(|part| !part.is_empty()).collect(), sent: 0 }
    }

    fn add(&mut self, part: Vec<u8>) {
        self.parts.push_back(part);
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn clear(&mut self) {
        self.parts.clear();
    }

    /// Writes what the pipe takes. Nothing is lost when the future is dropped half-way.
    async fn send(&mut self, stdin: &mut ChildStdin) -> io::Result<()> {
        let Some(part) = self.parts.front() else { return Ok(()) };
        self.sent += stdin.write(&part[self.sent..]).await?;
        if self.sent == part.len() {
            self.parts.pop_front();
            self.sent = 0;
        }
        Ok(())
    }
}

/// A command in the form in which it waits for its turn.
pub(crate) fn prepare(mut command: Command) -> Result<(Request, Option<Duration>), Error> {
    let limit = command.timeout.take();
    Ok((Request::new(command)?, limit))
}
