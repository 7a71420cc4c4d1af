//! Playbooks carried out on this machine, with the test modules.

use super::{Options, Outcome, run};
use crate::Sources;
use crate::event::{Event, Status};
use crate::testing::{Folder, MODULES};
use inventory::Inventory;
use rstest::rstest;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// A run: what it told, and how it ended.
struct Ran {
    events: Vec<Event>,
    outcome: Outcome,
}

const INVENTORY: &str =
    "[web]\na region=north\nb\n[db]\nc\n[all:vars]\nansible_connection=local\nfrom_inventory=inventory\n";

async fn play_with(text: &str, change: impl FnOnce(&Folder, &mut Options)) -> Ran {
    let folder = Folder::new();
    let mut options = Options { sources: Sources { modules: MODULES }, ..Options::default() };
    let hosts = folder.write("hosts.ini", INVENTORY);
    change(&folder, &mut options);
    let playbook = folder.load(text);
    let report = crate::check(&playbook);
    assert!(report.is_runnable(), "{report:?}");
    let inventory = Arc::new(Inventory::load(&[hosts]).unwrap());
    let events = Mutex::new(Vec::new());
    let tell = |event: Event| events.lock().unwrap().push(event);
    let outcome = run(&playbook, &inventory, &options, &tell, CancellationToken::new()).await.unwrap();
    Ran { events: events.into_inner().unwrap(), outcome }
}

async fn play(text: &str) -> Ran {
    play_with(text, |_, _| {}).await
}

impl Ran {
    /// `host task status`, without tasks that gather or set.
    fn steps(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::TaskFinished { host, task, status, .. } => {
                    Some(format!("{host} {task} {status:?}").to_lowercase())
                }
                _ => None,
            })
            .collect()
    }

    /// The `msg` of every task on a host.
    fn messages(&self, host: &str) -> Vec<serde_json::Value> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::TaskFinished { host: on, result, .. } if on == host => result.get("msg").cloned(),
                _ => None,
            })
            .collect()
    }

    /// The last `msg` on host `a`.
    fn last(&self) -> serde_json::Value {
        self.messages("a").pop().unwrap()
    }
}

#[tokio::test]
async fn a_task_runs_on_all_hosts_before_the_next_one() {
    let ran =
        play("- hosts: all\n  tasks:\n  - debug: {msg: 1}\n    name: first\n  - debug: {msg: 2}\n    name: second\n")
            .await;
    let expected = ["a first ok", "b first ok", "c first ok", "a second ok", "b second ok", "c second ok"];
    assert_eq!(ran.steps(), expected);
    assert_eq!(ran.outcome.exit_code(), 0);
    assert_eq!(ran.outcome.recap["a"].ok, 2);
}
