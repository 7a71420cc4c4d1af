//! How a release's Services are reached.

use crate::{Cluster, Error, Release};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::Serialize;

/// One way to reach a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Address {
    /// `Service`'s or `Ingress`'s name.
    pub name: String,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `Ingress`.
    pub kind: String,
    /// `http://…`-less `host:port` as one would type it.
    pub address: String,
}

/// The addresses of everything in a release that can be reached, inside first.
pub async fn addresses(cluster: &Cluster, release: &Release) -> Result<Vec<Address>, Error> {
    let namespace = &release.namespace;
    let mut found = Vec::new();
    for name in release.services()? {
        let api: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
        if let Some(service) = cluster.get(api, "service", &name).await? {
            found.extend(of_service(&service));
        }
    }
    let api: Api<Ingress> = Api::namespaced(cluster.client.clone(), namespace);
    let labels = format!("app.kubernetes.io/instance={}", release.name);
    found.extend(cluster.list(api, "ingresses", &labels).await?.iter().flat_map(of_ingress));
    Ok(found)
}

fn of_service(service: &Service) -> Vec<Address> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let name = service.name_any();
    let namespace = service.namespace().unwrap_or_default();
    let ports = spec.ports.as_deref().unwrap_or_default();
    let kind = spec.type_.clone().unwrap_or_else(|| "ClusterIP".to_owned());
    let address = |kind: &str, address: String| Address { name: name.clone(), kind: kind.to_owned(), address };
    let mut found: Vec<_> =
        ports.iter().map(|port| address("ClusterIP", format!("{name}.{namespace}:{}", port.port))).collect();
    if kind == "NodePort" {
        let node_ports = ports.iter().filter_map(|port| port.node_port);
        found.extend(node_ports.map(|port| address("NodePort", format!("<any node>:{port}"))));
    }
    let ingress = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    for entry in ingress.into_iter().flat_map(|balancer| balancer.ingress.iter().flatten()) {
        let host = entry.ip.as_ref().or(entry.hostname.as_ref());
        let host = host.cloned().unwrap_or_default();
        found.extend(ports.iter().map(|port| address("LoadBalancer", format!("{host}:{}", port.port))));
    }
    found
}

fn of_ingress(ingress: &Ingress) -> Vec<Address> {
    let rules = ingress.spec.iter().flat_map(|spec| spec.rules.iter().flatten());
    let hosts = rules.filter_map(|rule| rule.host.clone());
    let tls = ingress.spec.as_ref().is_some_and(|spec| spec.tls.as_ref().is_some_and(|tls| !tls.is_empty()));
    let scheme = if tls { "https" } else { "http" };
    hosts
        .map(|host| Address {
            name: ingress.name_any(),
            kind: "Ingress".to_owned(),
            address: format!("{scheme}://{host}"),
        })
        .collect()
}

/// How many ready endpoints a Service has.
pub(crate) async fn ready_endpoints(cluster: &Cluster, namespace: &str, service: &str) -> Result<usize, Error> {
    let api: Api<EndpointSlice> = Api::namespaced(cluster.client.clone(), namespace);
    let slices = cluster.list(api, "endpoint slices", &format!("kubernetes.io/service-name={service}")).await?;
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter());
    let ready = |endpoint: &&k8s_openapi::api::discovery::v1::Endpoint| {
        endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)
    };
    Ok(endpoints.filter(ready).count())
}
