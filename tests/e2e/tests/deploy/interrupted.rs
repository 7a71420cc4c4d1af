//! A run that is cut off, politely or not, and the run after it.

use anyhow::{Context, Result, ensure};
use e2e::{World, ends_with, says};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Ended, wait_until};

/// Ctrl-C in the middle: 130, and the next run ends well.
pub fn ctrl_c(world: &World) -> Result<()> {
    // More than any node has, so that the run is still waiting for the rollout when the signal comes.
    let more = ["--set=resources.requests.memory=900Gi", "--set=resources.limits.memory=900Gi"];
    let child = begin(world, &["ollama", more[0], more[1]])?;
    let pid = rustix::process::Pid::from_child(&child);
    wait_until("the release to be begun", Duration::from_secs(20), || has_release(world));
    rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
    let ended = Ended::from(child.wait_with_output()?);
    ends_with(&ended, 130)?;
    says(&ended, "hint: run `cluster deploy --target=sandbox ollama --set=resources.requests.memory=900Gi")?;
    world.deployed(&["ollama"])?;
    Ok(())
}

/// Ctrl-C with several under way: none of them counts as checked.
pub fn ctrl_c_of_several(world: &World) -> Result<()> {
    let mut child = begin(world, &["postgres", "redis", "--output=json"])?;
    let pid = rustix::process::Pid::from_child(&child);
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    ensure!(lines.any(|line| line.is_ok_and(|line| line.contains("service_started"))), "nothing was begun");
    rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
    let events = lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect::<Result<Vec<Value>>>()?;
    ends_with(&Ended::from(child.wait_with_output()?), 130)?;
    let finished = events.iter().find(|event| event["event"] == "finished").context("the last event")?;
    ensure!(finished["checked"] == json!([]) && finished["interrupted"] != json!([]), "{finished}");
    let error = events.last().context("an event")?;
    ensure!(error["event"] == "error" && error["exit_code"] == 130, "{error}");
    world.deployed(&["postgres", "redis"])?;
    Ok(())
}

/// SIGKILL at ten points spread over a run's length; after each the next run needs no help.
pub fn killed(world: &World) -> Result<()> {
    let began = Instant::now();
    world.deployed(&["postgres"])?;
    let length = began.elapsed();
    for point in 1..=10_u32 {
        world.reset()?;
        let mut child = begin(world, &["postgres"])?;
        let after = length * point / 11;
        // Not a wait for something: the moment of the blow is the test's input.
        let blow = Instant::now() + after;
        wait_until("the moment of the blow", after + Duration::from_secs(5), || Instant::now() >= blow);
        child.kill().context("it ended before")?;
        child.wait()?;
        let ended = world.deploy(&["postgres"])?;
        ensure!(
            ended.code == Some(0),
            "killed after {after:?}, the next run ended with {:?}:\n{}\n{}",
            ended.code,
            ended.stdout,
            ended.stderr
        );
        ensure!(world.status("postgres")? == "deployed", "killed after {after:?}: {}", world.status("postgres")?);
    }
    pending_is_recovered(world)
}

/// The state that a killed `helm --wait` leaves, made on purpose: the newest revision is `pending-upgrade` and no helm lives.
fn pending_is_recovered(world: &World) -> Result<()> {
    world.reset()?;
    world.deployed(&["postgres"])?;
    let helm = support::tools().join("helm");
    let chart = world.project.path().join("build/charts/postgres");
    let mut helm = std::process::Command::new(helm)
        .args(["upgrade", "postgres"])
        .arg(chart)
        .args(["--wait", "--set", "resources.requests.cpu=900"])
        .args(["--set", "resources.limits.cpu=900"])
        .env("KUBECONFIG", world.project.kubeconfig())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    wait_until("helm to be at work", Duration::from_secs(20), || {
        let status = world.status("postgres")?;
        ensure!(status == "pending-upgrade", "{status}");
        anyhow::Ok(())
    });
    helm.kill()?;
    helm.wait()?;
    let ended = world.deployed(&["postgres"])?;
    says(&ended, "recovered: [postgres] revision 2 was left pending-upgrade")?;
    says(&ended, "rolled back to revision 1")?;
    ensure!(world.status("postgres")? == "deployed");
    Ok(())
}

fn begin(world: &World, services: &[&str]) -> Result<Child> {
    let mut command = world.project.command(["deploy", "--target=sandbox"].iter().chain(services))?;
    Ok(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

fn has_release(world: &World) -> bool {
    world.project.helm(&["list", "--all", "--short"]).is_ok_and(|list| !list.trim().is_empty())
}
