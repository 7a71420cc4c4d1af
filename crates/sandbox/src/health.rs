//! Whether a component does its work.

use crate::directory::Directory;
use crate::state::State;
use crate::{Component, Error, api};
use kube::Client;

/// How the health of a component is asked for.
pub(crate) enum Health {
    /// By a request to its own port.
    Request { client: Box<Client>, path: &'static str },
    /// It has no port: it works as long as it runs, and what it has done is seen in the cluster.
    Runs,
}

impl Health {
    pub(crate) async fn of(component: Component, directory: &Directory, state: &State) -> Result<Self, Error> {
        let ports = &state.ports;
        let (port, path) = match component {
            Component::Etcd => (ports.etcd, "/health"),
            Component::KubeApiserver => (ports.kube_apiserver, "/readyz"),
            Component::KubeControllerManager => (ports.kube_controller_manager, "/healthz"),
            Component::KubeScheduler => (ports.kube_scheduler, "/readyz"),
            Component::Kwok => (ports.kwok, "/healthz"),
            Component::Controller => return Ok(Self::Runs),
        };
        Ok(Self::Request { client: Box::new(api::prober(directory, port).await?), path })
    }

    /// `Err` says why it is not ready.
    pub(crate) async fn check(&self) -> Result<(), String> {
        match self {
            Self::Request { client, path } => api::probe(client, path).await.map(drop),
            Self::Runs => Ok(()),
        }
    }
}
