//! The way of the hosts through the tasks of a play: sections, blocks, and who is still there.
//!
//! Ansible keeps a state machine per host and goes on with whichever task comes next in the play's list
//! (`play_iterator.py`). As all hosts take the same steps in that order, the same comes out of walking through the blocks
//! once with all hosts: tasks with those that are there, `rescue` with those that failed, `always` with both.

use super::Run;
use super::handlers::Handlers;
use super::play::Settings;
use super::variables::{Host, PlayVariables};
use crate::Error;
use crate::load::{Block, Item, Play};
use futures::future::BoxFuture;
use std::sync::Arc;

/// A play under way on the hosts of a batch.
pub(crate) struct Flow<'r> {
    pub(crate) run: &'r Run<'r>,
    pub(crate) play: &'r Play,
    pub(crate) settings: &'r Settings,
    pub(crate) variables: Arc<PlayVariables>,
    pub(crate) hosts: Vec<Arc<Host>>,
    pub(crate) states: Vec<State>,
    pub(crate) handlers: Handlers,
    pub(crate) end: End,
    /// What ends the run for all hosts.
    pub(crate) error: Option<Error>,
}

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It takes the next task.
    Active,
    /// A task failed on it; a block around may rescue it.
    Failed,
    /// `end_host`, `end_play`: it is done.
    Ended,
    /// It was lost.
    Unreachable,
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct End {
    /// `meta: end_play`: no further batch.
    pub(crate) ends_play: bool,
    /// Too many hosts failed: no further play.
    pub(crate) breaks_run: bool,
    /// It was cancelled.
    pub(crate) interrupted: bool,
    /// How many hosts failed or were lost.
    pub(crate) lost: usize,
}

/// What surrounds a list of tasks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Inside {
    /// A block around has a `rescue` that would catch a failure.
    pub(crate) rescued: bool,
    /// Handlers are being run.
    pub(crate) handlers: bool,
}

impl<'r> Flow<'r> {
    pub(crate) fn new(
        run: &'r Run<'r>,
        play: &'r Play,
        variables: Arc<PlayVariables>,
        hosts: Vec<Arc<Host>>,
        settings: &'r Settings,
    ) -> Self {
        let states = vec![State::Active; hosts.len()];
        let handlers = Handlers::new(&play.handlers, hosts.len());
        Self { run, play, settings, variables, hosts, states, handlers, end: End::default(), error: None }
    }

    /// Runs the sections of the play, handlers after each.
    pub(crate) async fn sections(mut self) -> Result<End, Error> {
        let all: Vec<usize> = (0..self.hosts.len()).collect();
        for section in &self.play.sections {
            self.items(section, &all, Inside::default()).await;
            self.flush_section(&all).await;
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut outcome = self.run.outcome();
        for (host, state) in self.hosts.iter().zip(&self.states) {
            // A host on which nothing was to be done still stands in the recap, as soon as it did anything at all.
            match state {
                State::Failed => outcome.failed.insert(host.name.clone()),
                State::Unreachable => outcome.unreachable.insert(host.name.clone()),
                State::Active | State::Ended => false,
            };
        }
        self.end.lost = self.states.iter().filter(|state| matches!(state, State::Failed | State::Unreachable)).count();
        Ok(self.end)
    }

    /// Handlers at the end of a section; with `force_handlers` also on hosts that failed in it.
    async fn flush_section(&mut self, all: &[usize]) {
        if !self.settings.force_handlers {
            return self.flush(&self.active(all), Inside::default()).await;
        }
        let failed = self.reactivate(all);
        self.flush(&self.active(all), Inside::default()).await;
        self.fail_again(&failed);
    }

    /// Those of the hosts that take the next task.
    pub(crate) fn active(&self, hosts: &[usize]) -> Vec<usize> {
        hosts.iter().copied().filter(|host| self.states[*host] == State::Active).collect()
    }

    /// Whether nothing more is to be done.
    pub(crate) fn is_over(&self) -> bool {
        self.end.interrupted || self.error.is_some()
    }

    /// Runs a list of tasks and blocks.
    pub(crate) fn items<'s>(&'s mut self, items: &'s [Item], hosts: &'s [usize], inside: Inside) -> BoxFuture<'s, ()> {
        Box::pin(async move {
            for item in items {
                let active = self.active(hosts);
                if active.is_empty() || self.is_over() {
                    return;
                }
                match item {
                    Item::Task(task) => self.task(task, &active, inside).await,
                    Item::Block(block) => self.block(block, &active, inside).await,
                }
            }
        })
    }

    async fn block(&mut self, block: &Block, hosts: &[usize], inside: Inside) {
        let rescued = inside.rescued || !block.rescue.is_empty();
        self.items(&block.tasks, hosts, Inside { rescued, ..inside }).await;
        if !block.rescue.is_empty() {
            let failed = self.reactivate(hosts);
            self.items(&block.rescue, &failed, inside).await;
        }
        if !block.always.is_empty() {
            let failed = self.reactivate(hosts);
            self.items(&block.always, hosts, inside).await;
            self.fail_again(&failed);
        }
    }

    /// Lets hosts that failed go on; which they were.
    fn reactivate(&mut self, hosts: &[usize]) -> Vec<usize> {
        let failed: Vec<usize> = hosts.iter().copied().filter(|host| self.states[*host] == State::Failed).collect();
        for host in &failed {
            self.states[*host] = State::Active;
        }
        failed
    }

    fn fail_again(&mut self, failed: &[usize]) {
        for host in failed {
            if self.states[*host] == State::Active {
                self.states[*host] = State::Failed;
            }
        }
    }
}
