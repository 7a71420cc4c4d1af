//! Opening shells: starting the process, answering sudo's or su's question, waiting until the driver is there.

use crate::destination::Destination;
use crate::protocol::{Scanner, nonce};
use crate::shell::Shell;
use crate::start::{self, Part};
use crate::{Become, BecomeMethod, Error, Options, Ssh, Transport, classify, quote};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command as Process;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long logging in, sudo and the start of a shell may take once the connection is there: slow boards, slow name services
/// and the pause after a wrong password included.
const OPENING: Duration = Duration::from_secs(30);

/// What the private directories' names begin with.
const PREFIX: &str = "cluster-ssh-";

/// A directory that is younger may belong to a connection that is being made.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// Opens shells on one machine, and holds what they share.
pub(crate) struct Door {
    pub destination: Destination,
    options: Options,
    link: Mutex<Link>,
}

/// The ssh connection.
#[derive(Default)]
struct Link {
    directory: Option<Arc<TempDir>>,
    /// The login user's shell that came with the connection, until somebody needs it. It carries the connection.
    spare: Option<Shell>,
    logs: AtomicU32,
}

/// A process to be started, and what it is for.
struct Opening<'a> {
    program: &'a str,
    words: Vec<String>,
    nonce: String,
    asked: String,
    r#become: Option<&'a Become>,
    log: Option<Utf8PathBuf>,
    directory: Option<Arc<TempDir>>,
}

impl Door {
    pub fn new(destination: Destination, options: Options) -> Self {
        Self { destination, options, link: Mutex::default() }
    }

    /// A new shell for the login user or another one.
    pub async fn open(&self, r#become: Option<&Become>) -> Result<Shell, Error> {
        let (nonce, asked) = (nonce(), format!("{}?", nonce()));
        let words = start::shell(&self.options.shell, &quote::bootstrap(&nonce), r#become, &asked);
        let opening = Opening { program: "sh", words, nonce, asked, r#become, log: None, directory: None };
        match &self.destination.transport {
            Transport::Local => self.open_local(opening).await,
            Transport::Ssh(ssh) => self.open_ssh(ssh, opening).await,
        }
    }

    /// A process group of its own keeps the terminal's Ctrl-C away from the shell, which is told to stop over its input. It
    /// stays in the terminal's session, since sudo remembers passwords by terminal.
    #[expect(clippy::disallowed_methods, reason = "shells start here")]
    async fn open_local(&self, mut opening: Opening<'_>) -> Result<Shell, Error> {
        let mut process = Process::new(opening.words.remove(0));
        process.process_group(0);
        self.start(process, opening).await
    }

    async fn open_ssh(&self, ssh: &Ssh, mut opening: Opening<'_>) -> Result<Shell, Error> {
        let mut link = self.link.lock().await;
        if !link.is_up() {
            self.check_key(ssh)?;
            let directory = Arc::new(self.private_directory()?);
            let master = Opening {
                program: "ssh",
                words: start::shell(&self.options.shell, &quote::bootstrap(&opening.nonce), None, ""),
                nonce: opening.nonce.clone(),
                asked: String::new(),
                r#become: None,
                log: None,
                directory: None,
            };
            let shell = self.through_ssh(ssh, Part::Master, &directory, &link.logs, master).await?;
            link.directory = Some(directory);
            if opening.r#become.is_none() {
                return Ok(shell);
            }
            link.spare = Some(shell);
        }
        if opening.r#become.is_none()
            && let Some(spare) = link.spare.take().and_then(Shell::if_open)
        {
            return Ok(spare);
        }
        let Some(directory) = link.directory.clone() else {
            return Err(self.local("find the connection", ErrorKind::NotFound.into()));
        };
        opening.program = "ssh";
        let log = link.logs.fetch_add(1, Ordering::Relaxed);
        drop(link);
        self.through_ssh(ssh, Part::Session, &directory, &AtomicU32::new(log), opening).await
    }

    #[expect(clippy::disallowed_methods, reason = "shells start here")]
    async fn through_ssh(
        &self,
        ssh: &Ssh,
        part: Part,
        directory: &Arc<TempDir>,
        logs: &AtomicU32,
        mut opening: Opening<'_>,
    ) -> Result<Shell, Error> {
        let place = path_of(directory);
        let log = place.join(format!("log{}", logs.fetch_add(1, Ordering::Relaxed)));
        let command = start::remote(&opening.words);
        opening.words = start::ssh_options(ssh, part, &control(&place), &log);
        opening.words.extend(["--".into(), ssh.host.clone(), command]);
        opening.log = Some(log);
        opening.directory = Some(directory.clone());
        let mut process = Process::new("ssh");
        // Ctrl-C is for us: ssh ends when we have told the machine what to stop. A killed ssh closes the connection, and
        // the driver then stops what it runs.
        process.process_group(0).kill_on_drop(true);
        let limit = ssh.connect_timeout + OPENING;
        match timeout(limit, self.start(process, opening)).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::Unreachable {
                host: self.destination.host.clone(),
                destination: self.destination.as_typed(),
                reason: format!("no shell after {} s", limit.as_secs()),
                cause: crate::Cause::Handshake,
            }),
        }
    }

    async fn start(&self, mut process: Process, opening: Opening<'_>) -> Result<Shell, Error> {
        process.args(&opening.words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().map_err(|source| match source.kind() {
            ErrorKind::NotFound if opening.program == "ssh" => {
                Error::SshMissing { host: self.destination.host.clone() }
            }
            _ => self.local("start a shell", source),
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(self.local("connect to the shell", ErrorKind::BrokenPipe.into()));
        };
        let mut shell =
            Shell { child, stdin, stdout, stderr, log: opening.log.clone(), _directory: opening.directory.clone() };
        self.greet(&mut shell, &opening).await?;
        Ok(shell)
    }

    /// Brings the driver there. Without a password it is sent at once; where one may be asked for, only after the answer,
    /// since sudo would read it as the password.
    async fn greet(&self, shell: &mut Shell, opening: &Opening<'_>) -> Result<(), Error> {
        let driver = quote::driver(&opening.nonce, &self.options.shell);
        let mut out = Scanner::new(&opening.nonce);
        let mut err = Scanner::new(&opening.nonce);
        let may_ask = opening.r#become.is_some_and(|b| b.password.is_some() || b.method == BecomeMethod::Su);
        let (mut sent, mut answered) = (false, 0);
        loop {
            if !sent && (out.ready || !may_ask) {
                // When it can't be written any more, the reason comes on the outputs.
                let _ = shell.stdin.write_all(driver.as_bytes()).await;
                sent = true;
            }
            if !sent && let Some(r#become) = opening.r#become {
                let asked = times_asked(r#become, &opening.asked, &out, &err);
                if asked > answered {
                    self.answer(shell, r#become, asked).await?;
                    answered = asked;
                }
            }
            if out.ended && err.ended {
                return Ok(());
            }
            tokio::select! {
                read = shell.stdout.read_buf(&mut out.data) => match read {
                    Ok(1..) => out.scan(),
                    _ => return Err(self.refused(shell, opening, &out, &err).await),
                },
                read = shell.stderr.read_buf(&mut err.data) => match read {
                    Ok(1..) => err.scan(),
                    _ => return Err(self.refused(shell, opening, &out, &err).await),
                },
            }
        }
    }

    /// A second question means that the first answer was wrong; asking again would only count towards a lockout.
    async fn answer(&self, shell: &mut Shell, r#become: &Become, asked: usize) -> Result<(), Error> {
        let Some(password) = &r#become.password else {
            return Err(classify::wants_password(&self.destination, r#become));
        };
        if asked > 1 {
            return Err(classify::r#become(&self.destination, r#become, "Sorry, try again."));
        }
        let line = format!("{}\n", password.reveal());
        let _ = shell.stdin.write_all(line.as_bytes()).await;
        Ok(())
    }

    async fn refused(&self, shell: &mut Shell, opening: &Opening<'_>, out: &Scanner, err: &Scanner) -> Error {
        let last = shell.last_words().await;
        let heard = [err.data.as_slice(), &last.stderr, b"\n", last.log.as_bytes()].concat();
        let mut said = String::from_utf8_lossy(&heard).into_owned();
        if !opening.asked.is_empty() {
            said = said.replace(&opening.asked, "");
        }
        let code = shell.child.try_wait().ok().flatten().and_then(|status| status.code());
        // 255 is ssh's own status (ssh(1)); what sudo and su say is not in its log.
        let own = opening.log.is_some() && code == Some(255);
        match opening.r#become {
            Some(r#become) if !own => classify::r#become(&self.destination, r#become, &said),
            _ if own && !out.ready => classify::ssh(&self.destination, &said),
            _ => Error::NoShell {
                host: self.destination.host.clone(),
                user: self.destination.user(),
                reason: classify::reason(&format!("{said}\n{}{}", out.text(), String::from_utf8_lossy(&last.stdout))),
            },
        }
    }

    /// ssh only warns about a key that is not there, and then says that the login was refused.
    fn check_key(&self, ssh: &Ssh) -> Result<(), Error> {
        let Some(key) = &ssh.private_key else { return Ok(()) };
        let home = std::env::var("HOME").unwrap_or_default();
        let path = key.strip_prefix("~").map_or_else(|_| key.clone(), |rest| Utf8Path::new(&home).join(rest));
        // `%` starts a token that only ssh can replace.
        if key.as_str().contains('%') || path.exists() {
            return Ok(());
        }
        Err(Error::NoPrivateKey { host: self.destination.host.clone(), path: key.clone() })
    }

    /// For control socket and log, 0700. A socket's path is at most 104 bytes long on macOS, 108 on Linux, and ssh adds 17
    /// while it makes it, so a long `TMPDIR` is not used.
    fn private_directory(&self) -> Result<TempDir, Error> {
        let base = std::env::temp_dir();
        let base = if base.as_os_str().len() > 50 || base.to_str().is_none() { "/tmp".into() } else { base };
        let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&base);
        let made = made.map_err(|source| self.local("make a directory for the control socket", source))?;
        remove_leftovers(&base, made.path());
        Ok(made)
    }

    fn local(&self, action: &'static str, source: std::io::Error) -> Error {
        Error::Local { host: self.destination.host.clone(), action, source }
    }

    /// The directory of the control socket, while there is a connection.
    pub async fn directory(&self) -> Option<Arc<TempDir>> {
        let link = self.link.lock().await;
        link.directory.clone().filter(|_| link.is_up())
    }

    /// Ends the connection.
    pub async fn close(&self) {
        let spare = std::mem::take(&mut *self.link.lock().await).spare;
        if let Some(spare) = spare {
            spare.close().await;
        }
    }
}

impl Link {
    /// ssh removes its control socket when it ends. Where it was killed, the next `ssh` finds the socket dead and makes a
    /// connection of its own, so this need not be exact.
    fn is_up(&self) -> bool {
        self.directory.as_ref().is_some_and(|directory| control(&path_of(directory)).exists())
    }
}

pub(crate) fn path_of(directory: &TempDir) -> Utf8PathBuf {
    // The base was chosen so that it is UTF-8, and the rest is ours.
    Utf8PathBuf::from(directory.path().to_string_lossy().into_owned())
}

pub(crate) fn control(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join("control")
}

/// Removes what a process left that was killed: directories like `ours`, of the same user, in which nobody listens any more.
fn remove_leftovers(base: &Path, ours: &Path) {
    let owner = |path: &Path| path.symlink_metadata().map(|data| data.uid()).ok();
    let old = |path: &Path| {
        let age = path.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        age.is_some_and(|age| age > LEFT_OVER)
    };
    for entry in base.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let like = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if like && owner(&path) == owner(ours) && old(&path) && UnixStream::connect(path.join("control")).is_err() {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// sudo's question is ours; su's may be in any language, but ends in a colon where nothing else was written yet.
fn times_asked(r#become: &Become, asked: &str, out: &Scanner, err: &Scanner) -> usize {
    match r#become.method {
        BecomeMethod::Sudo => err.text().matches(asked).count(),
        BecomeMethod::Su => usize::from([out, err].iter().any(|said| said.text().ends_with([':', '：']))),
    }
}
