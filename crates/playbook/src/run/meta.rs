//! `meta`: what changes the course of the play itself.

use super::flow::{Flow, Inside, State};
use super::report;
use crate::event::{Event, Status};
use crate::load::{METAS, Meta, Task};
use futures::future::BoxFuture;
use serde_json::{Map, Value};

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
            Ok(Some(_)) => (Status::Skipping, skipped(meta, &self.hosts[host].name), None),
            Err(fault) => {
                let mistake = report::shown_mistake(fault.mistake.as_ref(), false, &templates.veil);
                let result = report::shown(&fault.result, false, &templates.veil);
                self.states[host] = State::Failed;
                self.run.outcome().count(&self.hosts[host].name, Status::Failed, false);
                (Status::Failed, result, mistake)
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

/// The result of a `meta` whose condition does not hold, in Ansible's words (`_execute_meta`, 2.19).
fn skipped(meta: Meta, host: &str) -> Map<String, Value> {
    let name = METAS.iter().find(|(_, known)| *known == meta).map_or("meta", |(name, _)| name);
    let rest = match meta {
        Meta::FlushHandlers => format!(", not running handlers for {host}"),
        Meta::ClearFacts => format!(", not clearing facts and fact cache for {host}"),
        Meta::EndBatch => ", continuing current batch".to_owned(),
        Meta::EndPlay => ", continuing play".to_owned(),
        Meta::EndHost => format!(", continuing execution for {host}"),
        Meta::Noop | Meta::ResetConnection => String::new(),
    };
    let message = match meta {
        Meta::EndHost => format!("end_host conditional evaluated to false, continuing execution for {host}"),
        _ => name.to_owned(),
    };
    let reason = format!("{name} conditional evaluated to False{rest}");
    let entries = [("msg", Value::from(message)), ("skipped", true.into()), ("skip_reason", reason.into())];
    entries.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}
