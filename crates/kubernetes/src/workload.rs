//! What runs pods: Deployments, StatefulSets, DaemonSets and Jobs, and how far their rollout has come. The rules are
//! those of `kubectl rollout status` (kubectl 1.35, `pkg/polymorphichelpers/rollout_status.go`).

use crate::{Cluster, Error};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// An object that runs pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// What it is.
    pub kind: Kind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// The kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `apps/v1 Deployment`
    Deployment,
    /// `apps/v1 StatefulSet`
    StatefulSet,
    /// `apps/v1 DaemonSet`
    DaemonSet,
    /// `batch/v1 Job`
    Job,
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Deployment => "deployment",
            Kind::StatefulSet => "statefulset",
            Kind::DaemonSet => "daemonset",
            Kind::Job => "job",
        };
        write!(f, "{kind}/{}", self.name)
    }
}

/// How far a rollout has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Whether it is complete.
    pub done: bool,
    /// Pods that are ready and of the newest version.
    pub ready: i32,
    /// Pods wanted.
    pub wanted: i32,
    /// What is being waited for, in kubectl's words.
    pub message: String,
    /// The controller itself gave up, or can't create pods: its words.
    pub failure: Option<String>,
}

/// Where a pod of a workload runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodPlace {
    /// Pod.
    pub pod: String,
    /// Node, when scheduled.
    pub node: Option<String>,
    /// Whether it is ready.
    pub ready: bool,
}

/// The workload that a rendered object is, if it is one.
pub(crate) fn from_object(object: &serde_json::Value, namespace: &str) -> Option<Workload> {
    let kind = match object["kind"].as_str()? {
        "Deployment" => Kind::Deployment,
        "StatefulSet" => Kind::StatefulSet,
        "DaemonSet" => Kind::DaemonSet,
        "Job" => Kind::Job,
        _ => return None,
    };
    let metadata = &object["metadata"];
    let namespace = metadata["namespace"].as_str().unwrap_or(namespace);
    Some(Workload { kind, namespace: namespace.to_owned(), name: metadata["name"].as_str()?.to_owned() })
}

/// A workload's progress and its pods.
pub(crate) struct Observed {
    pub progress: Progress,
    pub pods: Vec<Pod>,
    /// Of a StatefulSet: the revision that its pods are to have.
    pub revision: Option<String>,
}

impl Cluster {
    /// How far a workload's rollout has come, and where its pods run.
    pub async fn progress(&self, workload: &Workload) -> Result<(Progress, Vec<PodPlace>), Error> {
        let observed = self.observe(workload).await?;
        let places = observed.pods.iter().map(|pod| PodPlace {
            pod: pod.name_any(),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            ready: is_ready(pod),
        });
        Ok((observed.progress, places.collect()))
    }

    pub(crate) async fn observe(&self, workload: &Workload) -> Result<Observed, Error> {
        let (client, namespace, name) = (self.client.clone(), &workload.namespace, &workload.name);
        let what = workload.to_string();
        let mut revision = None;
        let (progress, selector) = match workload.kind {
            Kind::Deployment => {
                let found = self.get(Api::<Deployment>::namespaced(client, namespace), &what, name).await?;
                found.map(|object| (deployment(&object), object.spec.map(|spec| spec.selector)))
            }
            Kind::StatefulSet => {
                let found = self.get(Api::<StatefulSet>::namespaced(client, namespace), &what, name).await?;
                revision = found.as_ref().and_then(|object| object.status.as_ref()?.update_revision.clone());
                found.map(|object| (stateful_set(&object), object.spec.map(|spec| spec.selector)))
            }
            Kind::DaemonSet => {
                let found = self.get(Api::<DaemonSet>::namespaced(client, namespace), &what, name).await?;
                found.map(|object| (daemon_set(&object), object.spec.map(|spec| spec.selector)))
            }
            Kind::Job => {
                let found = self.get(Api::<Job>::namespaced(client, namespace), &what, name).await?;
                found.map(|object| (job(&object), object.spec.and_then(|spec| spec.selector)))
            }
        }
        .unwrap_or_else(|| (waiting(0, 1, "waiting for it to be created"), None));
        let pods = match selector {
            Some(selector) => self.pods(namespace, &selector).await?,
            None => Vec::new(),
        };
        Ok(Observed { progress, pods, revision })
    }

    async fn pods(&self, namespace: &str, selector: &LabelSelector) -> Result<Vec<Pod>, Error> {
        let labels = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
        let labels = labels.collect::<Vec<_>>().join(",");
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let pods = self.list(api, "pods", &labels).await?;
        Ok(pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect())
    }
}

/// Condition `Ready`.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}

fn waiting(ready: i32, wanted: i32, message: impl Into<String>) -> Progress {
    Progress { done: false, ready, wanted, message: message.into(), failure: None }
}

fn complete(wanted: i32) -> Progress {
    Progress { done: true, ready: wanted, wanted, message: "complete".to_owned(), failure: None }
}

fn deployment(object: &Deployment) -> Progress {
    let wanted = object.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = object.status.clone().unwrap_or_default();
    if object.metadata.generation > status.observed_generation {
        return waiting(0, wanted, "waiting for its spec update to be observed");
    }
    let (updated, available) = (status.updated_replicas.unwrap_or(0), status.available_replicas.unwrap_or(0));
    let total = status.replicas.unwrap_or(0);
    let mut progress = if updated < wanted {
        waiting(available.min(updated), wanted, format!("{updated} of {wanted} new replicas have been created"))
    } else if total > updated {
        waiting(available.min(updated), wanted, format!("{} old replicas are pending termination", total - updated))
    } else if available < updated {
        waiting(available, wanted, format!("{available} of {updated} updated replicas are available"))
    } else {
        complete(wanted)
    };
    let conditions = status.conditions.unwrap_or_default();
    let failed = conditions.iter().find(|condition| {
        (condition.type_ == "Progressing" && condition.reason.as_deref() == Some("ProgressDeadlineExceeded"))
            || (condition.type_ == "ReplicaFailure" && condition.status == "True")
    });
    progress.failure = failed.and_then(|condition| condition.message.clone());
    progress
}

fn stateful_set(object: &StatefulSet) -> Progress {
    let wanted = object.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = object.status.clone().unwrap_or_default();
    if status.observed_generation.unwrap_or(0) == 0 || object.metadata.generation > status.observed_generation {
        return waiting(0, wanted, "waiting for its spec update to be observed");
    }
    let ready = status.ready_replicas.unwrap_or(0);
    let updated = status.updated_replicas.unwrap_or(0);
    if ready < wanted {
        waiting(ready, wanted, format!("{ready} of {wanted} pods are ready"))
    } else if status.update_revision != status.current_revision && updated < wanted {
        waiting(updated, wanted, format!("{updated} of {wanted} pods are updated"))
    } else {
        complete(wanted)
    }
}

fn daemon_set(object: &DaemonSet) -> Progress {
    let status = object.status.clone().unwrap_or_default();
    let wanted = status.desired_number_scheduled;
    if object.metadata.generation > status.observed_generation {
        return waiting(0, wanted, "waiting for its spec update to be observed");
    }
    let updated = status.updated_number_scheduled.unwrap_or(0);
    let available = status.number_available.unwrap_or(0);
    if updated < wanted {
        waiting(updated, wanted, format!("{updated} of {wanted} new pods have been updated"))
    } else if available < wanted {
        waiting(available, wanted, format!("{available} of {wanted} updated pods are available"))
    } else {
        complete(wanted)
    }
}

fn job(object: &Job) -> Progress {
    let wanted = object.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(1);
    let status = object.status.clone().unwrap_or_default();
    let succeeded = status.succeeded.unwrap_or(0);
    let conditions = status.conditions.unwrap_or_default();
    let holds = |kind: &str| conditions.iter().find(|one| one.type_ == kind && one.status == "True");
    if holds("Complete").is_some() {
        return complete(wanted);
    }
    let mut progress = waiting(succeeded, wanted, format!("{succeeded} of {wanted} completions"));
    progress.failure =
        holds("Failed").map(|condition| condition.message.clone().unwrap_or_else(|| "the job failed".to_owned()));
    progress
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployed(status: serde_json::Value) -> Progress {
        let object = json!({"metadata": {"generation": 2}, "spec": {"replicas": 2, "selector": {}, "template": {}}, "status": status});
        deployment(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_deployment_is_done_when_all_replicas_are_new_and_available() {
        let new = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert!(deployed(new).done);
        let old = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(deployed(old).message, "waiting for its spec update to be observed");
        let mixed = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3});
        assert_eq!(deployed(mixed).message, "1 old replicas are pending termination");
    }

    #[test]
    fn what_the_controller_says_is_kept() {
        let refused = json!({"observedGeneration": 2, "conditions": [
            {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]});
        assert_eq!(deployed(refused).failure.as_deref(), Some("exceeded quota"));
    }

    #[test]
    fn only_workloads_are_workloads() {
        let service = json!({"kind": "Service", "metadata": {"name": "web"}});
        assert_eq!(from_object(&service, "default"), None);
        let set = json!({"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "data"}});
        assert_eq!(from_object(&set, "default").unwrap().namespace, "data");
    }
}
