//! Volumes for claims of the `local-path` StorageClass, as Rancher's local-path-provisioner (v0.0.32, in K3s 1.35) makes
//! them: once the scheduler has chosen a node for the first consumer, a PersistentVolume with that node's affinity. No
//! folder is made anywhere, since no container will write into it.

use super::follow::{Reconcile, follow, on_change};
use crate::defaults::LOCAL_PATH;
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::reflector::Store;
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Set on the claim by the scheduler.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Set on the volume, by which a provisioner knows its own.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// One thing to do.
#[derive(Debug, PartialEq)]
enum Action {
    /// Make the volume of a claim.
    Provision { claim: Arc<PersistentVolumeClaim>, volume: Box<PersistentVolume> },
    /// Delete a volume whose claim is gone.
    Reclaim { name: String },
    /// The chosen node is gone: let the scheduler choose again.
    Reschedule { claim: Arc<PersistentVolumeClaim> },
    /// The claim asks for what this provisioner can't do.
    Refuse { claim: Arc<PersistentVolumeClaim>, reason: &'static str },
}

struct Provisioner {
    client: Client,
    recorder: Recorder,
    claims: Store<PersistentVolumeClaim>,
    volumes: Store<PersistentVolume>,
    classes: Store<StorageClass>,
    nodes: Store<Node>,
    /// Claims that were refused, so that they hear of it once.
    refused: BTreeSet<String>,
}

/// Starts the provisioner.
pub(super) fn start(client: &Client, tasks: &mut JoinSet<()>) {
    let changed = Arc::new(Notify::new());
    let provisioner = Provisioner {
        client: client.clone(),
        recorder: Recorder::new(client.clone(), Reporter { controller: LOCAL_PATH.to_owned(), instance: None }),
        claims: follow(Api::all(client.clone()), &changed, tasks),
        volumes: follow(Api::all(client.clone()), &changed, tasks),
        classes: follow(Api::all(client.clone()), &changed, tasks),
        nodes: follow(Api::all(client.clone()), &changed, tasks),
        refused: BTreeSet::new(),
    };
    tasks.spawn(async move {
        provisioner.wait_for_stores().await;
        on_change(changed, provisioner).await;
    });
}

impl Reconcile for Provisioner {
    async fn work(&mut self) -> kube::Result<()> {
        let plan = plan(&self.claims.state(), &self.volumes.state(), &self.classes.state(), &self.nodes.state());
        for action in plan {
            self.carry_out(action).await?;
        }
        Ok(())
    }
}

impl Provisioner {
    async fn wait_for_stores(&self) {
        let ready = async {
            self.claims.wait_until_ready().await?;
            self.volumes.wait_until_ready().await?;
            self.classes.wait_until_ready().await?;
            self.nodes.wait_until_ready().await
        };
        // Fails only when the writer is gone, and then so are we.
        let _ = ready.await;
    }

    async fn carry_out(&mut self, action: Action) -> kube::Result<()> {
        match action {
            Action::Provision { claim, volume } => {
                let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
                match volumes.create(&PostParams::default(), &volume).await {
                    // The store is a moment behind.
                    Err(kube::Error::Api(status)) if status.code == 409 => return Ok(()),
                    result => result?,
                };
                let note = format!("Successfully provisioned volume {}", volume.name_any());
                self.record(&claim, EventType::Normal, "ProvisioningSucceeded", note).await;
            }
            Action::Reclaim { name } => {
                let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
                match volumes.delete(&name, &DeleteParams::default()).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    result => drop(result?),
                }
            }
            Action::Reschedule { claim } => {
                let claims: Api<PersistentVolumeClaim> =
                    Api::namespaced(self.client.clone(), &claim.namespace().unwrap_or_default());
                let patch = json!({"metadata": {"annotations": {SELECTED_NODE: null}}});
                claims.patch(&claim.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await?;
            }
            Action::Refuse { claim, reason } => {
                if self.refused.insert(claim.uid().unwrap_or_default()) {
                    self.record(&claim, EventType::Warning, "ProvisioningFailed", reason.to_owned()).await;
                }
            }
        }
        Ok(())
    }

    /// Events are for `kubectl describe`; one that can't be written is not worth a second try.
    async fn record(&self, claim: &PersistentVolumeClaim, type_: EventType, reason: &str, note: String) {
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note),
            action: "Provisioning".to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &claim.object_ref(&())).await {
            tracing::debug!(%error, "event not written");
        }
    }
}

fn plan(
    claims: &[Arc<PersistentVolumeClaim>],
    volumes: &[Arc<PersistentVolume>],
    classes: &[Arc<StorageClass>],
    nodes: &[Arc<Node>],
) -> Vec<Action> {
    let ours: BTreeMap<String, &StorageClass> = classes
        .iter()
        .filter(|class| class.provisioner == LOCAL_PATH)
        .map(|class| (class.name_any(), class.as_ref()))
        .collect();
    let existing: BTreeSet<String> = volumes.iter().map(|volume| volume.name_any()).collect();
    let nodes: BTreeMap<String, &Node> = nodes.iter().map(|node| (node.name_any(), node.as_ref())).collect();
    let provisions = claims.iter().filter_map(|claim| {
        let class = ours.get(claim.spec.as_ref()?.storage_class_name.as_ref()?)?;
        (!existing.contains(&volume_name(claim))).then(|| for_claim(claim, class, &nodes))?
    });
    let reclaims = volumes
        .iter()
        .filter(|volume| is_to_be_reclaimed(volume))
        .map(|volume| Action::Reclaim { name: volume.name_any() });
    provisions.chain(reclaims).collect()
}

/// What a claim of one of our classes needs, if anything.
fn for_claim(
    claim: &Arc<PersistentVolumeClaim>,
    class: &StorageClass,
    nodes: &BTreeMap<String, &Node>,
) -> Option<Action> {
    let spec = claim.spec.as_ref()?;
    if spec.volume_name.is_some() || claim.metadata.deletion_timestamp.is_some() {
        return None;
    }
    if let Some(reason) = refusal(claim, class) {
        return Some(Action::Refuse { claim: claim.clone(), reason });
    }
    match nodes.get(claim.annotations().get(SELECTED_NODE)?) {
        Some(node) => Some(Action::Provision { claim: claim.clone(), volume: Box::new(volume(claim, class, node)) }),
        None => Some(Action::Reschedule { claim: claim.clone() }),
    }
}

/// The cases that local-path-provisioner refuses (`provisioner.go`), in its words.
fn refusal(claim: &PersistentVolumeClaim, class: &StorageClass) -> Option<&'static str> {
    let spec = claim.spec.as_ref()?;
    let mut modes = spec.access_modes.iter().flatten();
    if spec.selector.is_some() {
        Some("claim.Spec.Selector is not supported")
    } else if modes.any(|mode| mode != "ReadWriteOnce" && mode != "ReadWriteOncePod") {
        Some("NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes")
    } else if spec.volume_mode.as_deref() == Some("Block") {
        Some("block volumes are not supported")
    } else if class.volume_binding_mode.as_deref() != Some("WaitForFirstConsumer") {
        Some("configuration error, no node was specified")
    } else {
        None
    }
}

/// The name that every dynamic provisioner gives (sig-storage-lib-external-provisioner).
fn volume_name(claim: &PersistentVolumeClaim) -> String {
    format!("pvc-{}", claim.uid().unwrap_or_default())
}

fn volume(claim: &PersistentVolumeClaim, class: &StorageClass, node: &Node) -> PersistentVolume {
    let (name, namespace) = (claim.name_any(), claim.namespace().unwrap_or_default());
    let host = node.labels().get("kubernetes.io/hostname").cloned().unwrap_or_else(|| node.name_any());
    let spec = claim.spec.clone().unwrap_or_default();
    let storage = spec.resources.and_then(|it| it.requests).and_then(|it| it.get("storage").cloned());
    let volume = volume_name(claim);
    let volume = json!({
        "metadata": {
            "name": volume,
            "annotations": {PROVISIONED_BY: LOCAL_PATH, "local.path.provisioner/selected-node": node.name_any()},
        },
        "spec": {
            "accessModes": spec.access_modes,
            "capacity": {"storage": storage},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": name, "namespace": namespace,
                "uid": claim.uid(), "resourceVersion": claim.resource_version(),
            },
            // K3s' default folder, `--default-local-storage-path`.
            "hostPath": {
                "path": format!("/var/lib/rancher/k3s/storage/{volume}_{namespace}_{name}"),
                "type": "DirectoryOrCreate",
            },
            "mountOptions": class.mount_options,
            "nodeAffinity": {"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [host]}]},
            ]}},
            "persistentVolumeReclaimPolicy": class.reclaim_policy.as_deref().unwrap_or("Delete"),
            "storageClassName": class.name_any(),
            "volumeMode": "Filesystem",
        },
    });
    serde_json::from_value(volume).expect("this has the shape of a PersistentVolume")
}

fn is_to_be_reclaimed(volume: &PersistentVolume) -> bool {
    let released = volume.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Released");
    let policy = volume.spec.as_ref().and_then(|it| it.persistent_volume_reclaim_policy.as_deref());
    let ours = volume.annotations().get(PROVISIONED_BY).is_some_and(|by| by == LOCAL_PATH);
    ours && released && policy == Some("Delete") && volume.metadata.deletion_timestamp.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;

    fn claim(change: Value) -> Arc<PersistentVolumeClaim> {
        let mut claim = json!({
            "metadata": {
                "name": "data", "namespace": "default", "uid": "1234",
                "annotations": {SELECTED_NODE: "pi-1"},
            },
            "spec": {
                "storageClassName": "local-path", "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "8Gi"}},
            },
        });
        merge(&mut claim, change);
        Arc::new(serde_json::from_value(claim).unwrap())
    }

    fn merge(into: &mut Value, change: Value) {
        match (into, change) {
            (Value::Object(into), Value::Object(change)) => {
                for (key, value) in change {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
            (into, change) => *into = change,
        }
    }

    fn class(binding: &str) -> Arc<StorageClass> {
        let class = json!({
            "metadata": {"name": "local-path"}, "provisioner": LOCAL_PATH,
            "volumeBindingMode": binding, "reclaimPolicy": "Delete",
        });
        Arc::new(serde_json::from_value(class).unwrap())
    }

    fn node() -> Arc<Node> {
        let node = json!({"metadata": {"name": "pi-1", "labels": {"kubernetes.io/hostname": "pi-1.lan"}}});
        Arc::new(serde_json::from_value(node).unwrap())
    }

    fn planned(claim: &Arc<PersistentVolumeClaim>, volumes: &[Arc<PersistentVolume>]) -> Vec<Action> {
        plan(std::slice::from_ref(claim), volumes, &[class("WaitForFirstConsumer")], &[node()])
    }

    #[test]
    fn a_claim_with_a_node_gets_a_volume_there_once() {
        let claim = claim(json!({}));
        let [Action::Provision { volume, .. }] = &planned(&claim, &[])[..] else { panic!("not provisioned") };
        insta::assert_yaml_snapshot!(volume);
        assert_eq!(planned(&claim, &[Arc::new(*volume.clone())]), []);
    }

    #[rstest]
    #[case(json!({"metadata": {"annotations": {SELECTED_NODE: ""}}}))]
    #[case(json!({"spec": {"storageClassName": "nfs"}}))]
    #[case(json!({"spec": {"volumeName": "mine"}}))]
    #[case(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}))]
    fn claims_that_are_not_for_us_are_left_alone(#[case] change: Value) {
        let mut without = claim(change);
        let annotations = Arc::make_mut(&mut without).metadata.annotations.get_or_insert_default();
        annotations.retain(|_, value| !value.is_empty());
        assert_eq!(planned(&without, &[]), []);
    }

    #[rstest]
    #[case(json!({"spec": {"accessModes": ["ReadWriteMany"]}}), "only supports ReadWriteOnce")]
    #[case(json!({"spec": {"selector": {"matchLabels": {"a": "b"}}}}), "Selector is not supported")]
    #[case(json!({"spec": {"volumeMode": "Block"}}), "block volumes")]
    fn what_local_path_can_not_do_is_refused(#[case] change: Value, #[case] expected: &str) {
        let [Action::Refuse { reason, .. }] = planned(&claim(change), &[])[..] else { panic!("not refused") };
        assert!(reason.contains(expected), "{reason}");
    }

    #[test]
    fn a_class_that_binds_at_once_has_no_node() {
        let actions = plan(&[claim(json!({}))], &[], &[class("Immediate")], &[node()]);
        assert!(matches!(actions[..], [Action::Refuse { reason: "configuration error, no node was specified", .. }]));
    }

    #[test]
    fn a_node_that_is_gone_is_chosen_again() {
        let actions = plan(&[claim(json!({}))], &[], &[class("WaitForFirstConsumer")], &[]);
        assert!(matches!(actions[..], [Action::Reschedule { .. }]));
    }

    #[test]
    fn only_our_released_volumes_are_deleted() {
        let released = |by: &str, policy: &str| {
            let volume = json!({
                "metadata": {"name": by, "annotations": {PROVISIONED_BY: by}},
                "spec": {"persistentVolumeReclaimPolicy": policy},
                "status": {"phase": "Released"},
            });
            Arc::new(serde_json::from_value(volume).unwrap())
        };
        let volumes = [released(LOCAL_PATH, "Delete"), released("nfs", "Delete"), released(LOCAL_PATH, "Retain")];
        assert_eq!(plan(&[], &volumes, &[], &[]), [Action::Reclaim { name: LOCAL_PATH.to_owned() }]);
    }
}
