//! Which pod, and which of its ports, a probe asks.

use super::Probe;
use crate::workload::is_ready;
use crate::{Cluster, Error, Release};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::{Api, ResourceExt};

/// A ready pod, with the port in it that stands behind the Service's.
pub(super) struct Target {
    pub pod: Pod,
    pub port: u16,
}

/// A ready pod behind the probe's Service, or of its workload.
pub(super) async fn ready_pod(cluster: &Cluster, release: &Release, probe: &Probe) -> Result<Option<Target>, Error> {
    match probe {
        Probe::Http { service, port, .. } | Probe::Tcp { service, port } => {
            behind_service(cluster, &release.namespace, service, *port).await
        }
        Probe::Exec { workload, .. } => of_workload(cluster, release, workload).await,
    }
}

async fn behind_service(cluster: &Cluster, namespace: &str, name: &str, port: u16) -> Result<Option<Target>, Error> {
    let api: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
    let Some(service) = cluster.get(api, "service", name).await? else { return Ok(None) };
    let Some(spec) = service.spec else { return Ok(None) };
    let selector = spec.selector.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let labels = selector.collect::<Vec<_>>().join(",");
    let pods: Vec<Pod> = cluster.list(Api::namespaced(cluster.client.clone(), namespace), "pods", &labels).await?;
    let Some(pod) = pods.into_iter().find(is_ready) else { return Ok(None) };
    let target =
        spec.ports.iter().flatten().find(|one| one.port == i32::from(port)).and_then(|one| one.target_port.clone());
    let port = container_port(&pod, target.as_ref()).unwrap_or(port);
    Ok(Some(Target { pod, port }))
}

async fn of_workload(cluster: &Cluster, release: &Release, name: &str) -> Result<Option<Target>, Error> {
    let workloads = release.workloads()?;
    let Some(workload) = workloads.iter().find(|workload| workload.to_string() == name || workload.name == name) else {
        return Ok(None);
    };
    let observed = cluster.observe(workload).await?;
    Ok(observed.pods.into_iter().find(is_ready).map(|pod| Target { pod, port: 0 }))
}

/// A Service's `targetPort` is a number or the name of a container's port (Kubernetes API, `ServicePort`).
fn container_port(pod: &Pod, target: Option<&IntOrString>) -> Option<u16> {
    match target? {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => {
            let containers = pod.spec.iter().flat_map(|spec| spec.containers.iter());
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            let named = ports.find(|port| port.name.as_deref() == Some(name))?;
            u16::try_from(named.container_port).ok()
        }
    }
}

impl Target {
    /// Namespace and name, for the API.
    pub(super) fn address(&self) -> (String, String) {
        (self.pod.namespace().unwrap_or_default(), self.pod.name_any())
    }
}
