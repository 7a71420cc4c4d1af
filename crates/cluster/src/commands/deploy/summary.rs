//! What stands at the end: revision, pods by node, addresses, checks, the next command.

use super::destination::Destination;
use crate::exit::{Result, boxed};
use crate::output::{PodsOnNode, Summary};
use catalog::Service;
use kubernetes::Release;
use kubernetes::verify::{Check, Verdict};
use std::collections::BTreeMap;
use std::time::Duration;

/// Collects it.
pub(super) async fn summarize(
    destination: &Destination,
    service: &Service,
    release: &Release,
    checks: &[Check],
    changed: bool,
    duration: Duration,
    next: String,
) -> Result<Summary> {
    let count = |wanted: fn(&Verdict) -> bool| checks.iter().filter(|check| wanted(&check.verdict)).count();
    Ok(Summary {
        service: service.name.to_string(),
        changed,
        revision: release.revision,
        status: release.status.as_str().to_owned(),
        chart: release.chart.clone(),
        namespace: release.namespace.clone(),
        pods: pods_by_node(destination, release).await?,
        addresses: kubernetes::addresses(&destination.connection.cluster, release).await.map_err(boxed)?,
        passed: count(|verdict| matches!(verdict, Verdict::Passed { .. })),
        not_run: count(|verdict| matches!(verdict, Verdict::NotRun { .. })),
        duration_seconds: duration.as_secs_f64(),
        next,
    })
}

async fn pods_by_node(destination: &Destination, release: &Release) -> Result<Vec<PodsOnNode>> {
    let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for workload in release.workloads().map_err(boxed)? {
        let (_, places) = destination.connection.cluster.progress(&workload).await.map_err(boxed)?;
        for place in places {
            nodes.entry(place.node.unwrap_or_else(|| "(none yet)".to_owned())).or_default().push(place.pod);
        }
    }
    Ok(nodes.into_iter().map(|(node, pods)| PodsOnNode { node, pods }).collect())
}
