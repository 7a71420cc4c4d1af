//! The queue in front of one shell: commands of one user on one machine run one after the other. The task that serves it
//! outlives a caller that gave up, so that the command is ended on the machine too.

use crate::open::Door;
use crate::protocol::Request;
use crate::shell::{Failure, Fate, Shell};
use crate::{Become, Error, Output, classify};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// A command that waits for its turn.
pub(crate) struct Job {
    pub request: Request,
    pub limit: Option<Duration>,
    pub r#become: Option<Become>,
    /// Closed when the caller gave up.
    pub reply: oneshot::Sender<Result<Output, Error>>,
}

/// Serves until the sending side is gone.
pub(crate) async fn serve(door: Arc<Door>, mut shell: Option<Shell>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut occupied = JoinSet::new();
    while let Some(job) = jobs.recv().await {
        if job.reply.is_closed() {
            continue;
        }
        if let Some((used, Fate::Occupied)) = one(&door, &mut shell, job).await {
            occupied.spawn(used.keep_open());
        }
        while occupied.try_join_next().is_some() {}
    }
    if let Some(shell) = shell {
        shell.close().await;
    }
}

/// One command; gives the shell back when it is not to be used again.
async fn one(door: &Door, shell: &mut Option<Shell>, mut job: Job) -> Option<(Shell, Fate)> {
    let mut used = match shell.take().and_then(Shell::if_open) {
        Some(open) => open,
        None => {
            let opened = tokio::select! {
                opened = door.open(job.r#become.as_ref()) => opened,
                () = job.reply.closed() => return None,
            };
            match opened {
                Ok(opened) => opened,
                Err(error) => {
                    let _ = job.reply.send(Err(error));
                    return None;
                }
            }
        }
    };
    let (ended, fate) = used.run(job.request, job.limit, job.reply.closed()).await;
    let host = || door.destination.host.clone();
    let result = ended.map_err(|failure| match failure {
        Failure::Lost(said) => Error::ConnectionLost { host: host(), reason: classify::lost(&said) },
        Failure::TimedOut { stdout, stderr } => {
            Error::TimedOut { host: host(), timeout: job.limit.unwrap_or_default(), stdout, stderr }
        }
    });
    let _ = job.reply.send(result);
    match fate {
        Fate::Usable => {
            *shell = Some(used);
            None
        }
        Fate::Occupied | Fate::Dead => Some((used, fate)),
    }
}
