//! Ctrl-C, and being told to end. What a command only reads, asks or shows ends at once; a command that has something to end properly
//! takes the [`token`]: the first signal asks it to, and the second one does not wait.

use crate::exit::{Error, Failure};
use crate::output::Output;
use crate::prompt;
use diagnostic::{Diagnose, Exit};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the next signal does.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// Ends the process.
    Leave,
    /// Cancels the token, then ends the process.
    Cancel,
    /// Nothing here: the command has handlers of its own.
    Elsewhere,
}

static ANSWER: Mutex<Answer> = Mutex::new(Answer::Leave);

static TOKEN: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// How long the last words may take: a reader who does not read (`| less`) must not keep the process.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// SIGINT, SIGTERM and SIGHUP, which end the process no more by themselves.
pub(crate) struct Signals {
    runtime: Runtime,
    streams: Vec<Signal>,
}

impl Signals {
    /// From now on they are kept until [`Signals::answer`]. `None` where that can't be: then the default action ends the process,
    /// which is the second-best answer.
    pub(crate) fn catch() -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let within = runtime.enter();
        let streams = kinds.into_iter().map(signal).collect::<std::io::Result<_>>().ok()?;
        drop(within);
        Some(Self { runtime, streams })
    }

    /// Answers those that came and those that will come, beside the command. `again` is the command as it was typed.
    pub(crate) fn answer(self, output: Output, again: String) {
        let Self { runtime, streams } = self;
        std::thread::spawn(move || {
            let answers = streams.into_iter().map(|stream| answer_each(stream, &output, &again));
            runtime.block_on(futures::future::join_all(answers));
        });
    }
}

async fn answer_each(mut signals: Signal, output: &Output, again: &str) {
    while signals.recv().await.is_some() {
        // Held while the process ends, so that nothing is begun in the meantime.
        let answer = answer();
        match *answer {
            Answer::Elsewhere => {}
            Answer::Cancel if !TOKEN.is_cancelled() => TOKEN.cancel(),
            Answer::Cancel => {
                leave(output, Failure::new(Exit::Interrupted, "interrupted again; nothing was waited for"))
            }
            Answer::Leave => leave(output, failure(again)),
        }
    }
}

fn answer() -> MutexGuard<'static, Answer> {
    ANSWER.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "the user does not want to wait for the command")]
fn leave(output: &Output, failure: Failure) -> ! {
    let (told, is_told) = mpsc::channel();
    let (output, code) = (output.clone(), failure.exit().code());
    std::thread::spawn(move || {
        output.clear();
        output.error(&failure);
        told.send(())
    });
    let _too_late_at_worst = is_told.recv_timeout(LAST_WORDS);
    // Last, since a question that was only begun hides the typing after the signal.
    prompt::show_typing_again();
    std::process::exit(i32::from(code))
}

/// What the first signal cancels. From now on the command ends by itself.
pub(crate) fn token() -> CancellationToken {
    *answer() = Answer::Cancel;
    TOKEN.clone()
}

/// From now on the command answers signals with handlers of its own.
pub(crate) fn answered_elsewhere() {
    *answer() = Answer::Elsewhere;
}

/// While this lives a signal ends the process: who is asked something has nothing under way.
pub(crate) struct Asking(Answer);

/// The time of a question.
pub(crate) fn asking() -> Asking {
    Asking(std::mem::replace(&mut *answer(), Answer::Leave))
}

impl Drop for Asking {
    fn drop(&mut self) {
        *answer() = self.0;
    }
}

/// What an interrupted command ends with that left nothing behind.
fn failure(again: &str) -> Failure {
    Failure::new(Exit::Interrupted, "interrupted").hinted(format!("run `{again}` again"))
}

/// The same, for a command that ends by itself.
pub(crate) fn error(again: &str) -> Error {
    failure(again).into()
}
