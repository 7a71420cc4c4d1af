//! A run from its beginning to its end.

use super::context::TaskContext;
use super::fault::Fault;
use super::machines::Machines;
use super::templates::Templates;
use super::variables::{Host, Scope, World};
use super::veil::{Veil, hush};
use super::{Options, Outcome, facts, play};
use crate::event::Event;
use crate::{Error, Playbook};
use camino::Utf8Path;
use diagnostic::Secret;
use inventory::Inventory;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use template::{Decrypt, Engine};
use tokio_util::sync::CancellationToken;

/// What the parts of a run share.
pub(crate) struct Run<'r> {
    pub(crate) options: &'r Options,
    pub(crate) world: Arc<World>,
    pub(crate) engine: Engine,
    /// Reads what is encrypted; the same text is decrypted once.
    pub(crate) decrypt: Option<Arc<Decrypt>>,
    pub(crate) machines: Machines,
    pub(crate) cancel: CancellationToken,
    events: &'r (dyn Fn(Event) + Send + Sync),
    outcome: Mutex<Outcome>,
    /// The task that `--start-at-task` names, until it is found.
    start_at: Mutex<Option<String>>,
    /// One gathering of facts per host at a time.
    gathering: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Runs a playbook. Events come in the order in which things happen; each host's result as soon as it is there.
///
/// # Errors
/// The playbook has mistakes, or something that concerns all hosts goes wrong (a host pattern, `vars_files`). What fails on a
/// host is told by events and the [`Outcome`].
pub async fn run(
    playbook: &Playbook,
    inventory: &Arc<Inventory>,
    options: &Options,
    events: &(dyn Fn(Event) + Send + Sync),
    cancel: CancellationToken,
) -> Result<Outcome, Error> {
    playbook.problems.mistakes.clone().into_result().map_err(Error::Playbook)?;
    playbook.problems.unsupported.clone().into_result().map_err(Error::Playbook)?;
    if let Some(limit) = &options.limit
        && inventory.select("all", Some(limit))?.hosts.is_empty()
    {
        return Err(inventory::Error::NoHosts { pattern: "all".to_owned(), limit: Some(limit.clone()) }.into());
    }
    let begun = Instant::now();
    let directory = crate::load::sources::directory_of(&playbook.path);
    let run = Run::new(inventory, options, &directory, events, cancel);
    let result = play::all(&run, playbook).await;
    run.machines.close().await;
    result?;
    run.warn_of_missing_start();
    let outcome = run.outcome().clone();
    run.tell(Event::Recap { hosts: outcome.recap.clone(), duration_seconds: begun.elapsed().as_secs_f64() });
    Ok(outcome)
}

impl<'r> Run<'r> {
    /// Nothing is read and nobody is connected to yet. `directory` is the playbook's.
    pub(crate) fn new(
        inventory: &Arc<Inventory>,
        options: &'r Options,
        directory: &Utf8Path,
        events: &'r (dyn Fn(Event) + Send + Sync),
        cancel: CancellationToken,
    ) -> Self {
        let decrypt = options.decrypt.as_ref().map(once);
        let engine = Engine::new().with_redactor(options.redactor.clone());
        let engine = match &decrypt {
            Some(decrypt) => engine.with_decrypt(Arc::clone(decrypt)),
            None => engine,
        };
        options.extra_vars.values().for_each(|node| hush(node, &options.redactor));
        Self {
            options,
            decrypt,
            world: Arc::new(World::new(inventory, options, directory)),
            engine,
            machines: Machines::default(),
            cancel,
            events,
            outcome: Mutex::new(Outcome::default()),
            start_at: Mutex::new(options.start_at_task.clone()),
            gathering: Mutex::new(HashMap::new()),
        }
    }
}

impl Run<'_> {
    /// Templates with variables, whose secrets a veil of their own hides.
    pub(crate) fn templates(&self, engine: &Engine, scope: Scope) -> Templates<'_> {
        let veil = Arc::new(Veil::new(&self.options.redactor));
        Templates { run: self, engine: engine.with_traces(veil.traces().clone()), scope, veil }
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.events)(event);
    }

    pub(crate) fn warn(&self, message: &str) {
        let message = self.options.redactor.redact(message).into_owned();
        self.tell(Event::Warning { message });
    }

    pub(crate) fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a task is to be passed over, since the one to start at has not come yet.
    pub(crate) fn is_before_start(&self, name: &str, action: &str) -> bool {
        let mut start_at = self.start_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pattern) = start_at.as_deref() else { return false };
        if matches(pattern, name) || matches(pattern, action) {
            *start_at = None;
        }
        start_at.is_some()
    }

    /// Whether the task to start at has not been found so far.
    pub(crate) fn awaits_start(&self) -> bool {
        self.start_at.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn warn_of_missing_start(&self) {
        let start_at = self.start_at.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(name) = start_at {
            self.warn(&format!("no task matches `{name}`: nothing was run; --start-at-task does not see tasks that `include_tasks` brings"));
        }
    }

    /// Asks a host for its facts, once, over the connection of the task that wants them.
    pub(crate) async fn gather_facts(&self, templates: &Templates<'_>, host: &Arc<Host>) -> Result<(), Fault> {
        let lock = {
            let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(gathering.entry(host.name.clone()).or_default())
        };
        let _one_at_a_time = lock.lock().await;
        if !host.lacks_facts() {
            return Ok(());
        }
        // From here on a template that asks for facts, such as that of a connection variable, finds none instead of asking again.
        host.set_gathers(false);
        let position = diagnostic::Position::new("<facts>", 1, 1);
        let Some(level) = templates.scope.level.clone() else { return Ok(()) };
        let delegate = templates.scope.host.as_ref().is_none_or(|own| own.name != host.name).then(|| Arc::clone(host));
        let context = TaskContext::new(templates.clone(), &level, delegate, Vec::new(), position);
        let told = Box::pin(facts::ask(&context)).await?;
        host.memory_mut().add_facts(&told);
        Ok(())
    }
}

/// Decryption that keeps what it has decrypted: deriving a key takes its time, and templates read a value whenever they
/// use it.
fn once(decrypt: &Arc<Decrypt>) -> Arc<Decrypt> {
    let decrypt = Arc::clone(decrypt);
    let known: Mutex<HashMap<String, Secret<String>>> = Mutex::default();
    Arc::new(move |ciphertext| {
        let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plaintext) = known().get(ciphertext) {
            return Ok(plaintext.reveal().clone());
        }
        let plaintext = decrypt(ciphertext)?;
        known().insert(ciphertext.to_owned(), Secret::new(plaintext.clone()));
        Ok(plaintext)
    })
}

/// Whether a shell pattern (`*`, `?`, `[…]`) matches a name, as Python's `fnmatch` has it.
fn matches(pattern: &str, name: &str) -> bool {
    pattern == name || globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(name))
}
