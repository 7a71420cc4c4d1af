//! Whether the service does what it is there for.

use super::destination::Destination;
use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use crate::output::{DeployEvent, Output};
use crate::target::Target;
use catalog::Service;
use diagnostic::Exit;
use kubernetes::Release;
use kubernetes::verify::{Check, Plan, Probe, Verdict, verify as run_checks};

/// Runs the checks of the service's `service.yml` and those that hold for every release.
pub(super) async fn verify(
    destination: &Destination,
    service: &Service,
    release: &Release,
    context: &Context,
    output: &Output,
) -> Result<Vec<Check>> {
    let architectures = service.architectures.iter().map(ToString::to_string).collect();
    let plan = Plan { architectures, probes: service.verify.iter().map(probe).collect() };
    let checks = run_checks(&destination.connection.cluster, release, &plan).await.map_err(boxed)?;
    for check in &checks {
        output.event(DeployEvent::Checked { service: service.name.to_string(), check: check.clone() });
    }
    let failed: Vec<_> = checks.iter().filter(|check| check.verdict.is_failed()).collect();
    if failed.is_empty() {
        return Ok(checks);
    }
    let lines = failed.iter().filter_map(|check| match &check.verdict {
        Verdict::Failed { seen } => Some(format!("{}: {seen}", check.check)),
        _ => None,
    });
    let message = format!(
        "service `{}` is up, but its verification failed: {}",
        service.name,
        lines.collect::<Vec<_>>().join("; ")
    );
    let scope = format!("-n {} -l app={}", service.namespace, service.name);
    let hint = match context.target()? {
        // Simulated pods have no logs.
        Target::Sandbox => format!("run `cluster sandbox kubectl describe pods,endpointslices {scope}`"),
        Target::Boards => format!("run `kubectl logs {scope} --tail 50` on the controller"),
    };
    Err(Failure::new(Exit::Unverified, message).hinted(hint).into())
}

fn probe(probe: &catalog::Probe) -> Probe {
    match probe.clone() {
        catalog::Probe::Http { service, port, path, status } => Probe::Http { service, port, path, status },
        catalog::Probe::Tcp { service, port } => Probe::Tcp { service, port },
        catalog::Probe::Exec(execution) => Probe::Exec { workload: execution.workload, command: execution.command },
    }
}
