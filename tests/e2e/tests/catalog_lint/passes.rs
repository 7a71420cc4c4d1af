//! The catalogue as it is.

use crate::run::{lint, told};
use anyhow::{Result, ensure};
use e2e::{World, ends_with, says};

/// What may stay untried with a sandbox and Ansible at hand: charts of other people, kinds that only their definitions bring.
const MAY_BE_MISSING: [&str; 2] = ["comes from a repository", "the API server knows no"];

/// All rules over all services.
pub fn every_service(world: &World) -> Result<()> {
    let ended = lint(world, &["--output=json"])?;
    let findings: Vec<_> = told(&ended, "lint_finding").map(|finding| format!("{finding:#}")).collect();
    ensure!(findings.is_empty(), "{}", findings.join("\n"));
    ends_with(&ended, 0)?;
    for not_run in told(&ended, "lint_not_run") {
        let reason = not_run["reason"].as_str().unwrap_or_default();
        let is_ansible = reason.ends_with("is not installed");
        if is_ansible {
            println!("skipped: {reason}");
        }
        ensure!(is_ansible || MAY_BE_MISSING.iter().any(|text| reason.contains(text)), "not run: {not_run:#}");
    }
    let services: Vec<_> = told(&ended, "lint_service").collect();
    let catalogue = world.project.done(["catalog", "list", "--output=json"])?;
    ensure!(services.len() == catalogue.stdout.lines().count(), "{services:#?}");
    ensure!(services.iter().all(|service| service["passed"].as_u64() > Some(5)), "{services:#?}");
    // Nothing was left behind in the cluster.
    let left = world.project.kubectl(&["get", "deployments,services", "--selector=app", "--output=name"])?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}

/// Without a sandbox: counted and told, and a failure only when that is asked for.
pub fn not_run(world: &World) -> Result<()> {
    world.project.done(["sandbox", "down"])?;
    let ended = lint(world, &["dnsutils"])?;
    ends_with(&ended, 0)?;
    says(&ended, "not run: the sandbox is not up (api-objects; dnsutils)")?;
    says(&ended, "1 service: 0 findings, 1 not run")?;
    ends_with(&lint(world, &["dnsutils", "--strict"])?, 1)
}
