//! A machine that commands can be run on.

use crate::destination::Destination;
use crate::open::Door;
use crate::queue::{Job, serve};
use crate::shell::{Shell, prepare};
use crate::{Become, BecomeMethod, Command, Error, Output, Transport};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A connected machine. Clones share the connection and its shells. When the last one is dropped, or the process ends in
/// whatever way, the connection closes and what still runs on it is ended: with SIGTERM, and SIGKILL three seconds later.
#[derive(Clone)]
pub struct Machine(Arc<Inner>);

struct Inner {
    door: Arc<Door>,
    queues: Mutex<HashMap<Who, Queue>>,
}

/// Whose shell: the login user's, or the one that was become, and how.
type Who = Option<(BecomeMethod, String)>;

struct Queue {
    jobs: mpsc::UnboundedSender<Job>,
    server: JoinHandle<()>,
}

/// What can be chosen besides the way to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The POSIX shell on the machine (`ansible_shell_executable`), `/bin/sh`: dash, bash, BusyBox's ash.
    pub shell: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { shell: "/bin/sh".into() }
    }
}

impl Machine {
    /// Connects as the login user and opens a shell. `name` is what messages call the machine.
    ///
    /// # Errors
    /// Why the machine is not reached; see [`Error`].
    pub async fn connect(name: &str, transport: Transport) -> Result<Self, Error> {
        Self::connect_with(name, transport, Options::default()).await
    }

    /// The same with other than the usual options.
    ///
    /// # Errors
    /// Why the machine is not reached; see [`Error`].
    pub async fn connect_with(name: &str, transport: Transport, options: Options) -> Result<Self, Error> {
        let door = Arc::new(Door::new(Destination { host: name.to_owned(), transport }, options));
        let shell = door.open(None).await?;
        let login = Queue::start(door.clone(), Some(shell));
        Ok(Self(Arc::new(Inner { door, queues: Mutex::new(HashMap::from([(None, login)])) })))
    }

    /// What messages call the machine.
    pub fn name(&self) -> &str {
        &self.0.door.destination.host
    }

    /// How it is reached.
    pub fn transport(&self) -> &Transport {
        &self.0.door.destination.transport
    }

    /// Runs a command and waits for its end, in one round trip. Commands of one user run one after the other, in the order
    /// in which this was called; those of different users beside each other. No command finds anything that another one
    /// changed in its shell. A lost connection is made anew with the next command.
    ///
    /// A command has ended when its own process has and its outputs are closed. When something that it left in the
    /// background holds them, it has ended after one second of silence, as in ansible-core; what comes later is dropped.
    ///
    /// When the future is dropped, the command is ended on the machine, with everything that it started.
    ///
    /// # Errors
    /// When the command could not be run, took too long, or the connection broke. A command that ran and failed is `Ok`.
    pub async fn run(&self, command: &Command, r#become: Option<&Become>) -> Result<Output, Error> {
        let (request, limit) = prepare(command.clone())?;
        let (reply, answer) = oneshot::channel();
        let lost = || Error::ConnectionLost { host: self.name().to_owned(), reason: "it was closed here".into() };
        let job = Job { request, limit, r#become: r#become.cloned(), reply };
        self.jobs(r#become).send(job).map_err(|_| lost())?;
        answer.await.map_err(|_| lost())?
    }

    /// Closes the connection in an orderly way, and waits for that. What still runs is ended.
    pub async fn close(self) {
        let queues = std::mem::take(&mut *self.queues());
        let servers: Vec<_> = queues.into_values().map(|queue| queue.server).collect();
        for server in servers {
            let _ = server.await;
        }
        self.0.door.close().await;
    }

    pub(crate) fn door(&self) -> &Arc<Door> {
        &self.0.door
    }

    fn jobs(&self, r#become: Option<&Become>) -> mpsc::UnboundedSender<Job> {
        let who = r#become.map(|r#become| (r#become.method, r#become.user.clone()));
        let mut queues = self.queues();
        let queue = queues.entry(who).or_insert_with(|| Queue::start(self.0.door.clone(), None));
        queue.jobs.clone()
    }

    fn queues(&self) -> std::sync::MutexGuard<'_, HashMap<Who, Queue>> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn start(door: Arc<Door>, shell: Option<Shell>) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        Self { jobs, server: tokio::spawn(serve(door, shell, waiting)) }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("name", &self.name()).field("transport", self.transport()).finish()
    }
}
