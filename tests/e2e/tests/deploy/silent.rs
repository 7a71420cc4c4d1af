//! A control plane that is there but does not answer.

use anyhow::{Context, Result};
use e2e::{World, ends_with, says};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::time::Duration;
use support::{Ended, wait_until};

/// Whatever etcd does, `sandbox status` shows the components, and nothing waits for ever; `sandbox up` puts it right.
pub fn etcd(world: &World) -> Result<()> {
    let etcd = pid_of(world, "etcd")?;
    kill_process(etcd, Signal::STOP)?;
    let asked = (world.project.cluster(["sandbox", "status"]), world.project.cluster(["status", "--target=sandbox"]));
    kill_process(etcd, Signal::CONT)?;
    is_told(&asked.0?)?;
    let services = asked.1?;
    ends_with(&services, 3)?;
    says(&services, "error: the Kubernetes API does not answer within 5 s\nhint: run `cluster sandbox status`")?;
    kill_process(etcd, Signal::KILL)?;
    wait_until("the end of etcd", Duration::from_secs(20), || {
        let ended = world.project.cluster(["sandbox", "status"])?;
        is_told(&ended).and_then(|()| says(&ended, "it ended"))
    });
    world.project.done(["sandbox", "up"])?;
    world.project.done(["sandbox", "status"])?;
    Ok(())
}

fn is_told(ended: &Ended) -> Result<()> {
    ends_with(ended, 1)?;
    says(ended, "sandbox not up")?;
    says(ended, "\nCOMPONENT ")?;
    says(ended, "hint: run `cluster sandbox up`")
}

fn pid_of(world: &World, component: &str) -> Result<Pid> {
    let state = std::fs::read_to_string(world.project.path().join(".cluster/sandbox/state.json"))?;
    let state: Value = serde_json::from_str(&state)?;
    let pid = state["processes"][component]["pid"].as_i64().context("a process id")?;
    Pid::from_raw(i32::try_from(pid)?).context("a process id")
}
