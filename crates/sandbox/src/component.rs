//! The processes that a sandbox consists of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One process of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The store of the API server.
    Etcd,
    /// The Kubernetes API.
    KubeApiserver,
    /// Kubernetes' own controllers.
    KubeControllerManager,
    /// Places pods on nodes.
    KubeScheduler,
    /// Plays the kubelets of the simulated nodes.
    Kwok,
    /// Our own controllers: what K3s adds to Kubernetes (local-path volumes, addresses of services), the leases of simulated nodes.
    Controller,
}

impl Component {
    /// All of them, in the order in which they start.
    pub const ALL: [Self; 6] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::Kwok,
        Self::Controller,
    ];

    /// Its name in messages, log files and `--output json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kwok => "kwok",
            Self::Controller => "controller",
        }
    }

    /// The file name of the program, when it is not our own executable.
    pub(crate) fn program(self) -> Option<&'static str> {
        (self != Self::Controller).then(|| self.name())
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Component {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|component| component.name() == name).ok_or_else(|| crate::Error::UnknownComponent {
            name: name.to_owned(),
            nearest: diagnostic::closest(name, Self::ALL.map(Self::name)).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for component in Component::ALL {
            assert_eq!(component.name().parse::<Component>().unwrap(), component);
            assert_eq!(serde_json::to_value(component).unwrap(), component.name());
        }
    }

    #[test]
    fn a_wrong_name_gets_the_nearest_one() {
        let error = "kube-sheduler".parse::<Component>().unwrap_err();
        assert_eq!(error.to_string(), "the sandbox has no component `kube-sheduler`");
        assert_eq!(diagnostic::Diagnose::hint(&error).unwrap(), "did you mean `kube-scheduler`?");
    }
}
