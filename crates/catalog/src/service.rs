//! A service as its `service.yml` describes it. The doc comments here become the descriptions in the JSON schema that
//! editors show, so they speak to whoever writes a `service.yml`.

use crate::ServiceName;
use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Everything that `cluster` knows about a service besides its chart and playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The service's name, the same as its folder's.
    pub name: ServiceName,
    /// What it is, in half a line.
    #[schemars(length(min = 1, max = 100))]
    pub summary: String,
    /// What it belongs to in lists: `database`, `ai`, `monitoring`, …
    #[schemars(regex(pattern = r"^[a-z][a-z0-9 -]*$"))]
    pub category: String,
    /// When it is deployed: infrastructure first, then core, then applications.
    pub phase: Phase,
    /// Services that must run before this one, by name.
    #[serde(default)]
    pub requires: Vec<ServiceName>,
    /// Processor architectures that all its images exist for.
    #[schemars(length(min = 1))]
    pub architectures: Vec<Architecture>,
    /// The folder under `build/charts`; by default the service's name.
    #[serde(default)]
    pub chart: Option<ServiceName>,
    /// The namespace that it is deployed to.
    #[serde(default = "default_namespace")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub namespace: String,
    /// The Helm release; by default the service's name as a DNS label (`rocket.chat` → `rocket-chat`).
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 53))]
    pub release: Option<String>,
    /// Whether it has an encrypted `cfg.enc`, so that a deployment asks for the vault password.
    #[serde(default)]
    pub vault: bool,
    /// Questions that the running service has to answer, beyond its workloads being ready, which is always checked.
    #[serde(default)]
    pub verify: Vec<Probe>,
    /// Writes a backup to standard output.
    #[serde(default)]
    pub backup: Option<Execution>,
    /// Restores a backup from standard input.
    #[serde(default)]
    pub restore: Option<Execution>,
    /// Rules for charts that a workload of it can't keep, each with the reason. One that is not needed is a mistake too.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// What people should know before they deploy it.
    #[serde(default)]
    pub notes: Option<String>,
    /// The folder of `service.yml` and `build.yml`.
    #[serde(skip)]
    pub folder: Utf8PathBuf,
    /// The folder of the chart.
    #[serde(skip)]
    pub chart_folder: Utf8PathBuf,
}

fn default_namespace() -> String {
    "default".to_owned()
}

impl Service {
    /// The Helm release's name.
    pub fn release_name(&self) -> String {
        self.release.clone().unwrap_or_else(|| self.name.dns_label())
    }

    /// The chart's folder name under `build/charts`.
    pub fn chart_name(&self) -> &str {
        self.chart.as_ref().unwrap_or(&self.name).as_str()
    }

    /// The playbook that deploys it.
    pub fn playbook(&self) -> Utf8PathBuf {
        self.folder.join("build.yml")
    }

    /// The values that this repository sets.
    pub fn values_file(&self) -> Utf8PathBuf {
        self.folder.join("values.yml")
    }

    /// Values that are encrypted, laid over those; most services have none.
    pub fn encrypted_values(&self) -> Utf8PathBuf {
        self.folder.join("values.yml.enc")
    }

    /// The keys that the encrypted configuration is to have, with what they mean.
    pub fn example_config(&self) -> Utf8PathBuf {
        self.folder.join("cfg.example.yml")
    }

    /// The encrypted configuration, which exists when [`Service::vault`] is set and somebody made it.
    pub fn encrypted_config(&self) -> Utf8PathBuf {
        self.folder.join("cfg.enc")
    }
}

/// When a service is deployed, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// What other services stand on: storage, networking, secrets.
    Infrastructure,
    /// Databases, message queues, monitoring.
    Core,
    /// What people use.
    Application,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Self; 3] = [Self::Infrastructure, Self::Core, Self::Application];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Infrastructure => "infrastructure",
            Self::Core => "core",
            Self::Application => "application",
        })
    }
}

/// A processor architecture, as the node label `kubernetes.io/arch` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// 64-bit x86, the controller.
    Amd64,
    /// 64-bit ARM, the Raspberry Pis.
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        })
    }
}

/// One question to a running service: exactly one of `http`, `tcp` and `exec`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Probe {
    /// A GET answers with a status.
    Http {
        /// A Service of the release.
        service: String,
        /// Its port.
        #[schemars(range(min = 1))]
        port: u16,
        /// The path, with a query if needed.
        #[serde(default = "root_path")]
        #[schemars(regex(pattern = r"^/"))]
        path: String,
        /// The status expected.
        #[serde(default = "status_ok")]
        #[schemars(range(min = 100, max = 599))]
        status: u16,
    },
    /// A port takes connections.
    Tcp {
        /// A Service of the release.
        service: String,
        /// Its port.
        #[schemars(range(min = 1))]
        port: u16,
    },
    /// A command in one of its pods ends with 0.
    Exec(Execution),
}

fn root_path() -> String {
    "/".to_owned()
}

fn status_ok() -> u16 {
    200
}

/// A command in a pod of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// `deployment/<name>`, `statefulset/<name>` or `daemonset/<name>`.
    #[schemars(regex(pattern = r"^(deployment|statefulset|daemonset)/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"), extend("errorMessage" = "write `deployment/<name>`, `statefulset/<name>` or `daemonset/<name>`"))]
    pub workload: String,
    /// The command and its arguments; no shell reads them.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
}

/// A rule for charts that one workload can't keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The rule, as `cluster catalog lint` names it.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub rule: String,
    /// What can't keep it, as the default values render it: `<kind>/<name>` in lower case, such as `daemonset/agent`.
    #[schemars(regex(pattern = r"^[a-z]+/[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$"), extend("errorMessage" = "write `<kind>/<name>` in lower case, such as `daemonset/agent`"))]
    pub workload: String,
    /// Why it can't.
    #[schemars(length(min = 10))]
    pub reason: String,
}
