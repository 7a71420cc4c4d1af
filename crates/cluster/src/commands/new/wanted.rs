//! A service as it is wanted, checked.

use catalog::{Architecture, Phase, ServiceName};

/// Everything that the files are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: ServiceName,
    pub(super) summary: String,
    pub(super) category: String,
    pub(super) phase: Phase,
    pub(super) requires: Vec<ServiceName>,
    pub(super) architectures: Vec<Architecture>,
    pub(super) namespace: String,
    pub(super) what: What,
    /// An entry for `build/images.yml`, when that does not know the image yet.
    pub(super) new_facts: Option<String>,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Image(Box<Server>),
    Chart(Upstream),
}

/// The chart of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upstream {
    /// `https://…` or `oci://…`
    pub(super) repository: String,
    pub(super) chart: String,
    pub(super) version: String,
    /// Whether it brings custom resource definitions.
    pub(super) crds: bool,
}

/// A program in an image, for which the chart is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) image: ImageName,
    pub(super) port: u16,
    pub(super) kind: Kind,
    pub(super) volume: Option<Volume>,
    /// A path that answers over HTTP.
    pub(super) health: Option<String>,
    pub(super) user: u32,
    pub(super) secrets: Vec<SecretVariable>,
    /// Where the pods of the required services are reached.
    pub(super) egress: Vec<Egress>,
}

impl Wanted {
    /// The program, unless the chart is somebody else's.
    pub(super) fn server(&self) -> Option<&Server> {
        match &self.what {
            What::Image(server) => Some(server),
            What::Chart(_) => None,
        }
    }

    /// Whether it has encrypted configuration.
    pub(super) fn has_secrets(&self) -> bool {
        self.server().is_some_and(|server| !server.secrets.is_empty())
    }
}

/// An image in the parts that values have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageName {
    pub(super) repository: String,
    pub(super) tag: String,
    /// `sha256:…`, or empty.
    pub(super) digest: String,
}

/// The workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
}

/// A volume of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    /// A Kubernetes quantity.
    pub(super) size: String,
    pub(super) mount: String,
}

/// An environment variable that comes from a key of the encrypted configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretVariable {
    pub(super) variable: String,
    pub(super) key: String,
}

/// Pods with a label `app`, and their ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Egress {
    pub(super) app: String,
    pub(super) ports: Vec<u16>,
}
