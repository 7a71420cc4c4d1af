//! Handlers: who was notified, and running them in the order in which they are defined.

use super::execution::Done;
use super::flow::{Flow, Inside};
use super::templates::text;
use super::variables::Scope;
use super::veil::Veil;
use crate::load::{Task, problems};
use diagnostic::Mistake;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The handlers of a play.
pub(crate) struct Handlers {
    list: Vec<Arc<Task>>,
    /// Hosts on which each is to run.
    notified: Vec<BTreeSet<usize>>,
    /// What each host notified since handlers were last run.
    pending: Vec<Vec<String>>,
}

impl Handlers {
    pub(crate) fn new(list: &[Arc<Task>], hosts: usize) -> Self {
        Self { list: list.to_vec(), notified: vec![BTreeSet::new(); list.len()], pending: vec![Vec::new(); hosts] }
    }
}

impl Flow<'_> {
    /// Notes that a task of a host notifies handlers.
    pub(crate) fn notify(&mut self, host: usize, done: &Done, inside: Inside) {
        for name in &done.notify {
            let found = self.find_handlers(name);
            if found.is_empty() {
                self.missing_handler(name, &done.veil);
            } else if inside.handlers {
                // A handler that notifies: those after it still run in this round.
                for handler in found {
                    self.handlers.notified[handler].insert(host);
                }
            } else if !self.handlers.pending[host].contains(name) {
                self.handlers.pending[host].push(name.clone());
            }
        }
    }

    fn missing_handler(&mut self, name: &str, veil: &Veil) {
        let names = self.handlers.list.iter().filter_map(|handler| handler.name()?.as_str());
        let mistake = Mistake::new(format!("no handler is called `{name}` or listens to it"));
        let mistake = match problems::did_you_mean(name, names) {
            Some(hint) => mistake.hinted(hint),
            None => mistake,
        };
        self.error.get_or_insert(veil.mistake(&mistake).into());
    }

    /// The handlers that a name reaches: the first one that is called so, and the first of each name that listens to it
    /// (`search_handlers_by_notification`, 2.19, where all handlers of a play stand in one block).
    fn find_handlers(&self, name: &str) -> Vec<usize> {
        let scope = Scope::of_play(&self.run.world, &self.variables).shared();
        let called = |handler: &Task| {
            let node = handler.name()?;
            self.run.engine.render(node, &scope).ok().map(|value| text(&value))
        };
        let listens = |handler: &Task| {
            let topics = handler.listen.iter().filter_map(|topic| self.run.engine.render(topic, &scope).ok());
            topics.into_iter().any(|topic| text(&topic) == name)
        };
        let list = &self.handlers.list;
        let mut found: Vec<usize> =
            list.iter().position(|handler| called(handler).as_deref() == Some(name)).into_iter().collect();
        let mut seen = Vec::new();
        for (index, handler) in list.iter().enumerate().filter(|(_, handler)| listens(handler)) {
            let own = called(handler);
            if own.is_some() && seen.contains(&own) {
                continue;
            }
            seen.push(own);
            if !found.contains(&index) {
                found.push(index);
            }
        }
        found
    }

    /// Runs the handlers that hosts have notified.
    pub(crate) async fn flush(&mut self, hosts: &[usize], inside: Inside) {
        for host in hosts {
            for name in std::mem::take(&mut self.handlers.pending[*host]) {
                for handler in self.find_handlers(&name) {
                    self.handlers.notified[handler].insert(*host);
                }
            }
        }
        for index in 0..self.handlers.list.len() {
            let active = self.active(hosts);
            let notified: Vec<usize> =
                active.into_iter().filter(|host| self.handlers.notified[index].contains(host)).collect();
            if notified.is_empty() || self.is_over() {
                continue;
            }
            notified.iter().for_each(|host| {
                self.handlers.notified[index].remove(host);
            });
            let handler = Arc::clone(&self.handlers.list[index]);
            self.task(&handler, &notified, Inside { handlers: true, ..inside }).await;
        }
    }
}
