//! Waiting until everything that a release runs is up, with the reason when it does not come up.

use crate::trouble::{self, Trouble};
use crate::workload::{Observed, is_ready};
use crate::{Cluster, Error, Progress, Workload, placement};
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, Preconditions};
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// What the wait tells while it goes on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A workload came further, or reached the end.
    RolloutProgress {
        /// `deployment/ollama`
        workload: String,
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
    },
    /// A StatefulSet's pod of an older revision stood in the way of the newer one and was deleted.
    PodReplaced {
        /// `statefulset/postgres`
        workload: String,
        /// The pod.
        pod: String,
        /// What it was stuck with.
        #[serde(flatten)]
        trouble: Trouble,
    },
    /// A pod is in trouble that may still heal.
    RolloutTrouble {
        /// `deployment/ollama`
        workload: String,
        /// What it is.
        #[serde(flatten)]
        trouble: Trouble,
    },
}

/// What to wait for, and how long.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// The workloads that have to be up.
    pub workloads: Vec<Workload>,
    /// When to give up.
    pub timeout: Duration,
    /// How long a trouble that only a person can mend must last before the wait ends early. Pods are unschedulable for
    /// moments while volumes are made or others leave.
    pub patience: Duration,
}

/// How often the API is asked; each round is a few small requests.
const INTERVAL: Duration = Duration::from_millis(150);

/// Waits until all workloads are rolled out. Ends early when one is stuck for good, at the deadline, or when `cancel` says so.
pub async fn wait_for_rollout(
    cluster: &Cluster,
    rollout: &Rollout,
    cancel: &CancellationToken,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<(), Error> {
    let watch = Watch { cluster, rollout, tell, began: Instant::now() };
    tokio::select! {
        () = cancel.cancelled() => Err(Error::Interrupted { waited_for: watch.waited_for() }),
        ended = watch.run() => ended,
    }
}

/// Whether a StatefulSet's pod is of another revision than its pods are to have.
fn is_outdated(pod: &Pod, observed: &Observed) -> bool {
    let wanted = observed.revision.as_deref();
    let has = pod.labels().get("controller-revision-hash").map(String::as_str);
    wanted.is_some() && has.is_some() && wanted != has
}

struct Watch<'a> {
    cluster: &'a Cluster,
    rollout: &'a Rollout,
    tell: &'a (dyn Fn(Event) + Sync),
    began: Instant,
}

/// What was told last of a workload, and since when its trouble lasts.
#[derive(Default)]
struct Seen {
    progress: Option<Progress>,
    trouble: Option<(Trouble, Instant)>,
}

impl Watch<'_> {
    fn waited_for(&self) -> String {
        let names: Vec<_> = self.rollout.workloads.iter().map(ToString::to_string).collect();
        format!("the rollout of {}", names.join(", "))
    }

    async fn run(&self) -> Result<(), Error> {
        let mut seen: HashMap<String, Seen> = HashMap::new();
        loop {
            let mut unfinished = None;
            for workload in &self.rollout.workloads {
                let observed = self.cluster.observe(workload).await?;
                let known = seen.entry(workload.to_string()).or_default();
                self.tell_progress(workload, known, &observed);
                if !observed.progress.done {
                    self.look_for_trouble(workload, known, &observed).await?;
                    unfinished.get_or_insert_with(|| workload.to_string());
                }
            }
            let Some(unfinished) = unfinished else { return Ok(()) };
            if self.began.elapsed() >= self.rollout.timeout {
                return Err(self.timed_out(&unfinished, seen.remove(&unfinished).unwrap_or_default()));
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn tell_progress(&self, workload: &Workload, seen: &mut Seen, observed: &Observed) {
        if seen.progress.as_ref() != Some(&observed.progress) {
            seen.progress = Some(observed.progress.clone());
            let progress = observed.progress.clone();
            (self.tell)(Event::RolloutProgress { workload: workload.to_string(), progress });
        }
    }

    async fn look_for_trouble(&self, workload: &Workload, seen: &mut Seen, observed: &Observed) -> Result<(), Error> {
        let Some((pod, trouble)) = self.trouble(observed) else {
            seen.trouble = None;
            return Ok(());
        };
        if let Some(pod) = pod.filter(|pod| is_outdated(pod, observed)) {
            return self.replace(workload, pod, trouble).await;
        }
        let same = |known: &Trouble| std::mem::discriminant(known) == std::mem::discriminant(&trouble);
        let since = match &seen.trouble {
            Some((known, since)) if same(known) => *since,
            _ => {
                (self.tell)(Event::RolloutTrouble { workload: workload.to_string(), trouble: trouble.clone() });
                Instant::now()
            }
        };
        seen.trouble = Some((trouble.clone(), since));
        if !trouble.is_final() || since.elapsed() < self.rollout.patience {
            return Ok(());
        }
        let trouble = self.with_nodes(trouble, pod).await?;
        let namespace = workload.namespace.clone();
        Err(Error::Stalled { workload: workload.to_string(), trouble, namespace, pod: pod.map(ResourceExt::name_any) })
    }

    /// A StatefulSet never replaces a pod that does not become ready, not even when its template has been mended since, so
    /// somebody has to delete it (Kubernetes: StatefulSets, "Forced rollback").
    async fn replace(&self, workload: &Workload, pod: &Pod, trouble: Trouble) -> Result<(), Error> {
        let name = pod.name_any();
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &workload.namespace);
        let same = Preconditions { uid: pod.uid(), ..Preconditions::default() };
        let parameters = DeleteParams { preconditions: Some(same), ..DeleteParams::default() };
        match api.delete(&name, &parameters).await {
            Ok(_) => (self.tell)(Event::PodReplaced { workload: workload.to_string(), pod: name, trouble }),
            // Someone else was faster.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => {}
            Err(error) => return Err(self.cluster.error(format!("deleting pod `{name}`"), error)),
        }
        Ok(())
    }

    /// The first trouble of the workload's pods that are not ready, or of its controller.
    fn trouble<'p>(&self, observed: &'p Observed) -> Option<(Option<&'p Pod>, Trouble)> {
        let waiting = observed.pods.iter().filter(|pod| !is_ready(pod));
        let of_pods = waiting.filter_map(|pod| trouble::of_pod(pod).map(|trouble| (Some(pod), trouble))).next();
        let of_controller = || observed.progress.failure.clone().map(|message| (None, Trouble::Controller { message }));
        of_pods.or_else(of_controller)
    }

    /// Adds, to a pod that no node takes, why each does not.
    async fn with_nodes(&self, trouble: Trouble, pod: Option<&Pod>) -> Result<Trouble, Error> {
        let (Trouble::Unschedulable { message, .. }, Some(pod)) = (&trouble, pod) else { return Ok(trouble) };
        let client = &self.cluster.client;
        let nodes: Vec<Node> = self.cluster.list(Api::all(client.clone()), "nodes", "").await?;
        let pods: Vec<Pod> = self.cluster.list(Api::all(client.clone()), "pods", "").await?;
        let volumes = self.volumes(pod).await?;
        let around = placement::Surroundings { nodes: &nodes, pods: &pods, volumes: &volumes };
        Ok(Trouble::Unschedulable { message: message.clone(), nodes: placement::explain(pod, &around) })
    }

    /// The volumes that the pod's claims are bound to.
    async fn volumes(&self, pod: &Pod) -> Result<Vec<PersistentVolume>, Error> {
        let namespace = pod.namespace().unwrap_or_default();
        let mut volumes = Vec::new();
        let named = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        for claim in named.filter_map(|volume| volume.persistent_volume_claim.as_ref()) {
            let claims: Api<PersistentVolumeClaim> = Api::namespaced(self.cluster.client.clone(), &namespace);
            let claim = self.cluster.get(claims, "volume claim", &claim.claim_name).await?;
            let Some(bound) = claim.and_then(|claim| claim.spec?.volume_name) else { continue };
            let api: Api<PersistentVolume> = Api::all(self.cluster.client.clone());
            volumes.extend(self.cluster.get(api, "volume", &bound).await?);
        }
        Ok(volumes)
    }

    fn timed_out(&self, workload: &str, seen: Seen) -> Error {
        let trouble = seen.trouble.map(|(trouble, _)| trouble);
        let progress = seen.progress.map_or_else(|| "nothing seen yet".to_owned(), |progress| progress.message);
        let last_state = trouble.as_ref().map_or(progress.clone(), |trouble| format!("{progress}; {trouble}"));
        let waited_for = format!("the rollout of {workload}");
        Error::Timeout { waited_for, last_state, timeout: self.rollout.timeout, trouble }
    }
}
