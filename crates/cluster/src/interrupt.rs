//! Ctrl-C: the first one asks everything to stop, and what was begun is ended properly; the second one does not wait.

use crate::exit::Code;
use diagnostic::Exit;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that SIGINT, SIGTERM or SIGHUP cancels. Call it within the runtime.
pub(crate) fn token() -> CancellationToken {
    let token = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        // Without a handler the default action ends the process, which is the second-best answer.
        if let Ok(mut signals) = signal(kind) {
            let token = token.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    if token.is_cancelled() {
                        leave_at_once();
                    }
                    token.cancel();
                }
            });
        }
    }
    token
}

#[expect(clippy::disallowed_methods, reason = "the user asked twice: nothing is waited for any more")]
fn leave_at_once() {
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

/// The code of an interrupted command.
pub(crate) fn code() -> Code {
    Code::from(Exit::Interrupted)
}
