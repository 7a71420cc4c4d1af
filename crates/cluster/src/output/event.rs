//! Everything that a command can tell while it works: the crates' events, and the deployment's own.

use crate::target::Target;
use kubernetes::Address;
use kubernetes::verify::Check;
use schemars::JsonSchema;
use serde::Serialize;

/// One event. In JSON each is an object with the field `event`; fields are only ever added.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Event {
    /// A playbook's run.
    Playbook(playbook::event::Event),
    /// A rollout.
    Rollout(kubernetes::Event),
    /// The sandbox's components.
    Sandbox(sandbox::Event),
    /// A deployment's own.
    Deploy(DeployEvent),
}

/// What `cluster deploy` tells besides its playbooks' and rollouts' events.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum DeployEvent {
    /// The first thing said: which cluster is worked on, and what goes there.
    TargetChosen {
        /// Which.
        target: Target,
        /// In words: nodes and version, or controller and user.
        description: String,
        /// What is deployed, if anything is: the working tree, or the clone at a version.
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// What will be done, in order.
    Planned {
        /// Services by phase.
        services: Vec<String>,
        /// Whether nothing will be changed.
        check_mode: bool,
    },
    /// A service's turn begins.
    ServiceStarted {
        /// Service.
        service: String,
        /// Its playbook.
        playbook: String,
    },
    /// An earlier run was cut off, and what it left was put right.
    Recovered {
        /// Release.
        release: String,
        /// What was found, and what was done.
        message: String,
    },
    /// What an upgrade changes in a release's objects, Secrets left out.
    ReleaseDiffers {
        /// Service.
        service: String,
        /// The live manifest.
        before: String,
        /// The one that is wanted.
        after: String,
    },
    /// A check of the verification came out.
    Checked {
        /// Service.
        service: String,
        /// The check.
        #[serde(flatten)]
        check: Check,
    },
    /// A service's turn ended well.
    ServiceFinished(Box<Summary>),
    /// In check mode a service's turn ended well: nothing was changed.
    ServiceChecked {
        /// Service.
        service: String,
        /// Whether a deployment would change something.
        would_change: bool,
    },
    /// A service's turn ended badly; an error says how.
    ServiceFailed {
        /// Service.
        service: String,
    },
    /// A service could not even be tried.
    ServiceNotRun {
        /// Service.
        service: String,
        /// Why.
        reason: String,
    },
    /// Several services' turns are over.
    Finished(Box<Tally>),
    /// Something is odd but does not stop the command.
    Warning {
        /// What.
        message: String,
    },
    /// Something worth knowing.
    Notice {
        /// What.
        message: String,
    },
}

/// What stands at the end of a service's deployment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Summary {
    /// Service.
    pub(crate) service: String,
    /// Whether its release changed.
    pub(crate) changed: bool,
    /// Release revision.
    pub(crate) revision: u32,
    /// Helm's status of it.
    pub(crate) status: String,
    /// Chart and its version.
    pub(crate) chart: String,
    /// Namespace.
    pub(crate) namespace: String,
    /// Pods by node.
    pub(crate) pods: Vec<PodsOnNode>,
    /// How it is reached.
    pub(crate) addresses: Vec<Address>,
    /// Checks that passed.
    pub(crate) passed: usize,
    /// Checks that could not be run here.
    pub(crate) not_run: usize,
    /// How long it took.
    pub(crate) duration_seconds: f64,
    /// The command to go on with.
    pub(crate) next: String,
}

/// What became of one of several services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its release changed, and it is up.
    Deployed,
    /// Its release was as wanted, and it is up.
    Unchanged,
    /// Its playbook ran in check mode.
    Checked,
    /// It failed, which was told.
    Failed,
    /// It was under way when the user interrupted.
    Interrupted,
    /// It could not be tried.
    NotRun,
    /// Another one failed, or the user interrupted, before its turn came.
    NotBegun,
}

/// What became of several services: their names by how it ended.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct Tally {
    /// Its release changed, and it is up.
    pub(crate) deployed: Vec<String>,
    /// Its release was as wanted, and it is up.
    pub(crate) unchanged: Vec<String>,
    /// Its playbook ran in check mode.
    pub(crate) checked: Vec<String>,
    /// It failed; an error said why.
    pub(crate) failed: Vec<String>,
    /// It was under way when the user interrupted; what was begun is left as it is.
    pub(crate) interrupted: Vec<String>,
    /// It could not be tried.
    pub(crate) not_run: Vec<String>,
    /// Another one failed, or the user interrupted, before its turn came.
    pub(crate) not_begun: Vec<String>,
    /// How long all of them took.
    pub(crate) duration_seconds: f64,
}

impl Tally {
    /// Whether every service had its turn to the end.
    pub(crate) fn is_whole(&self) -> bool {
        self.interrupted.is_empty() && self.not_begun.is_empty()
    }

    /// Notes one.
    pub(crate) fn add(&mut self, service: String, outcome: Outcome) {
        match outcome {
            Outcome::Deployed => self.deployed.push(service),
            Outcome::Unchanged => self.unchanged.push(service),
            Outcome::Checked => self.checked.push(service),
            Outcome::Failed => self.failed.push(service),
            Outcome::Interrupted => self.interrupted.push(service),
            Outcome::NotRun => self.not_run.push(service),
            Outcome::NotBegun => self.not_begun.push(service),
        }
    }
}

/// A node's share of the pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PodsOnNode {
    /// Node.
    pub(crate) node: String,
    /// Pods.
    pub(crate) pods: Vec<String>,
}

impl From<playbook::event::Event> for Event {
    fn from(event: playbook::event::Event) -> Self {
        Self::Playbook(event)
    }
}

impl From<kubernetes::Event> for Event {
    fn from(event: kubernetes::Event) -> Self {
        Self::Rollout(event)
    }
}

impl From<sandbox::Event> for Event {
    fn from(event: sandbox::Event) -> Self {
        Self::Sandbox(event)
    }
}

impl From<DeployEvent> for Event {
    fn from(event: DeployEvent) -> Self {
        Self::Deploy(event)
    }
}
