//! What keeps a pod from becoming ready, as a value: its reason, its words, and what to do about it.

use crate::placement::{self, Refusal};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// Why a workload does not come up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// No node takes the pod.
    Unschedulable {
        /// The scheduler's own sentence.
        message: String,
        /// Node by node, why not.
        nodes: Vec<Refusal>,
    },
    /// The image can't be pulled.
    ImagePull {
        /// Container.
        container: String,
        /// Image.
        image: String,
        /// The kubelet's words.
        message: String,
    },
    /// The container ends again and again.
    CrashLoop {
        /// Container.
        container: String,
        /// How often it was started again.
        restarts: i32,
        /// How it ended last.
        last: String,
    },
    /// The container can't even be made (a missing Secret or ConfigMap, a bad name).
    Configuration {
        /// Container.
        container: String,
        /// The kubelet's words.
        message: String,
    },
    /// The controller can't create pods (quota, pod security) or gave up.
    Controller {
        /// Its words.
        message: String,
    },
}

impl Trouble {
    /// Whether only a person can help; the others may heal by themselves (a registry that comes back, a dependency that
    /// starts), so they are waited for until the deadline.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unschedulable { .. } | Self::Configuration { .. } | Self::Controller { .. })
    }

    /// What to do next.
    pub(crate) fn hint(&self, namespace: &str, pod: Option<&str>) -> Option<String> {
        let pod = pod.unwrap_or("<pod>");
        match self {
            Self::Unschedulable { message, nodes } => {
                Some(format!("{}, and deploy again", placement::advice(message, nodes)))
            }
            Self::ImagePull { image, .. } => Some(format!(
                "check that `{image}` exists for the node's architecture and that the node reaches its registry"
            )),
            Self::CrashLoop { container, .. } => {
                Some(format!("run `kubectl logs -n {namespace} {pod} -c {container} --previous`"))
            }
            Self::Configuration { .. } => Some(format!("run `kubectl describe pod -n {namespace} {pod}`")),
            Self::Controller { .. } => Some(format!("run `kubectl get events -n {namespace}`")),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unschedulable { message, nodes } => {
                write!(f, "no node takes the pod ({message})")?;
                nodes.iter().try_for_each(|refusal| {
                    let reasons = refusal.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                    let reasons = if reasons.is_empty() { "nothing found that speaks against it" } else { &reasons };
                    write!(f, "\n  {}: {reasons}", refusal.node)
                })
            }
            Self::ImagePull { container, image, message } => {
                write!(f, "container `{container}` can not pull `{image}`: {message}")
            }
            Self::CrashLoop { container, restarts, last } => {
                write!(f, "container `{container}` keeps ending ({restarts} restarts): {last}")
            }
            Self::Configuration { container, message } => {
                write!(f, "container `{container}` can not be created: {message}")
            }
            Self::Controller { message } => f.write_str(message),
        }
    }
}

/// What a pod's own status tells, its containers' first. An unschedulable pod comes with no nodes yet.
pub(crate) fn of_pod(pod: &Pod) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    let unschedulable = status.conditions.iter().flatten().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    });
    if let Some(condition) = unschedulable {
        let message = condition.message.clone().unwrap_or_else(|| format!("pod {} is unschedulable", pod.name_any()));
        return Some(Trouble::Unschedulable { message, nodes: Vec::new() });
    }
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).find_map(of_container)
}

/// The waiting reasons are the kubelet's (Kubernetes 1.35, `pkg/kubelet/images`, `pkg/kubelet/kuberuntime`).
fn of_container(status: &ContainerStatus) -> Option<Trouble> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let container = status.name.clone();
    let message = waiting.message.clone().unwrap_or_default();
    match waiting.reason.as_deref()? {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            Some(Trouble::ImagePull { container, image: status.image.clone(), message })
        }
        "CrashLoopBackOff" => {
            Some(Trouble::CrashLoop { container, restarts: status.restart_count, last: last_end(status) })
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Some(Trouble::Configuration { container, message })
        }
        _ => None,
    }
}

fn last_end(status: &ContainerStatus) -> String {
    let ended = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    ended.map_or_else(
        || "it left no status".to_owned(),
        |ended| {
            let reason = ended.reason.as_deref().unwrap_or("Error");
            let message = ended.message.as_deref().map(|text| format!(", {}", text.trim())).unwrap_or_default();
            format!("{reason}, exit code {}{message}", ended.exit_code)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::{Constraint, Reason};
    use serde_json::json;

    fn pod(status: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "web-0"}, "status": status})).unwrap()
    }

    #[test]
    fn a_crash_loop_tells_how_it_ended() {
        let status = json!({"containerStatuses": [{"name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
        let trouble = of_pod(&pod(status)).unwrap();
        assert_eq!(trouble.to_string(), "container `web` keeps ending (4 restarts): OOMKilled, exit code 137");
        assert!(!trouble.is_final());
        assert_eq!(trouble.hint("db", Some("web-0")).unwrap(), "run `kubectl logs -n db web-0 -c web --previous`");
    }

    #[test]
    fn the_scheduler_is_quoted_and_nodes_listed() {
        let status = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient memory."}]});
        let Some(Trouble::Unschedulable { message, .. }) = of_pod(&pod(status)) else { panic!("unschedulable") };
        let reason = Reason::new(Constraint::Resources, "memory: needs 2Gi, 1Gi of 1Gi free");
        let nodes = vec![Refusal { node: "pi-1".into(), reasons: vec![reason] }];
        assert_eq!(
            Trouble::Unschedulable { message, nodes }.to_string(),
            "no node takes the pod (0/1 nodes are available: 1 Insufficient memory.)\n  pi-1: memory: needs 2Gi, 1Gi of 1Gi free"
        );
    }

    #[test]
    fn a_pod_that_only_starts_is_in_no_trouble() {
        let status = json!({"containerStatuses": [{"name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        assert_eq!(of_pod(&pod(status)), None);
    }
}
