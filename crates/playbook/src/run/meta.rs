//! `meta`: what changes the course of the play itself.

use super::flow::{Flow, Inside, State};
use crate::event::{Event, Status};
use crate::load::{Meta, Task};
use crate::modules::TaskResult;
use futures::future::BoxFuture;

impl Flow<'_> {
    /// Carries a `meta` action out. Those that concern the whole play look at the condition of the first host alone.
    pub(crate) fn meta<'s>(
        &'s mut self,
        meta: Meta,
        task: &'s Task,
        title: &'s str,
        hosts: &'s [usize],
        inside: Inside,
    ) -> BoxFuture<'s, ()> {
        Box::pin(async move {
            self.tell_start(task, title);
            let concerned = match meta {
                Meta::EndPlay | Meta::EndBatch | Meta::ClearFacts => &hosts[..1],
                _ => hosts,
            };
            let mut taken = Vec::new();
            for host in concerned {
                if self.applies(meta, task, title, *host).await {
                    taken.push(*host);
                }
            }
            if taken.is_empty() {
                return;
            }
            match meta {
                Meta::Noop => {}
                Meta::FlushHandlers => self.flush(&taken, inside).await,
                Meta::EndHost => taken.iter().for_each(|host| self.states[*host] = State::Ended),
                Meta::EndPlay | Meta::EndBatch => {
                    self.end.ends_play |= meta == Meta::EndPlay;
                    for state in self.states.iter_mut().filter(|state| **state == State::Active) {
                        *state = State::Ended;
                    }
                }
                Meta::ClearFacts => {
                    for host in &self.hosts {
                        host.memory_mut().clear_facts();
                    }
                }
                Meta::ResetConnection => {
                    for host in taken {
                        self.run.machines.reset(&self.hosts[host].name).await;
                    }
                }
            }
        })
    }

    /// Whether the condition holds; if not, that is told.
    async fn applies(&mut self, meta: Meta, task: &Task, title: &str, host: usize) -> bool {
        // These take no condition (`_cond_not_supported_warn`).
        if matches!(meta, Meta::Noop | Meta::ResetConnection) {
            return true;
        }
        let templates = self.templates(task, host);
        let (status, result, diagnostic) = match templates.unmet(&task.level.conditions()).await {
            Ok(None) => return true,
            Ok(Some(_)) => {
                let reason = format!(
                    "{} conditional evaluated to False",
                    task.action.arguments.free_form.as_ref().and_then(yaml::Node::as_str).unwrap_or("meta")
                );
                (Status::Skipping, TaskResult::new(false).with("skipped", true).with("skip_reason", reason).0, None)
            }
            Err(fault) => {
                self.states[host] = State::Failed;
                self.run.outcome().count(&self.hosts[host].name, Status::Failed, false);
                (Status::Failed, fault.result, fault.mistake)
            }
        };
        self.run.tell(Event::TaskFinished {
            host: self.hosts[host].name.clone(),
            task: title.to_owned(),
            status,
            result,
            duration_seconds: 0.0,
            position: task.position.clone(),
            diagnostic,
        });
        false
    }
}
