//! Ports on 127.0.0.1.

use crate::{Component, Error};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, TcpListener};

/// Below Linux' range for outgoing connections (32768–60999, `ip_local_port_range`), so that no client of this machine
/// sits on a port while its component is dead.
const FIRST: u16 = 16_000;
const LAST: u16 = 29_999;

/// The port of each listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) kube_apiserver: u16,
    pub(crate) kube_controller_manager: u16,
    pub(crate) kube_scheduler: u16,
    pub(crate) kwok: u16,
}

impl Ports {
    /// Free ports. A directory gets the same ones each time when they are free, so that a terminal's kubeconfig and a
    /// bookmark survive `down` and `up`.
    pub(crate) fn choose(directory: &Utf8Path) -> Result<Self, Error> {
        let mut hasher = DefaultHasher::new();
        directory.hash(&mut hasher);
        let span = u64::from(LAST - FIRST - 5);
        let start = FIRST + u16::try_from(hasher.finish() % span).unwrap_or_default() / 10 * 10;
        (start..LAST - 5)
            .chain(FIRST..start)
            .step_by(10)
            .map(Self::starting_at)
            .find(|ports| ports.all().into_iter().all(|(_, port)| is_free(port)))
            .ok_or(Error::NoPort { first: FIRST, last: LAST })
    }

    pub(crate) fn starting_at(port: u16) -> Self {
        Self {
            kube_apiserver: port,
            etcd: port + 1,
            etcd_peer: port + 2,
            kube_controller_manager: port + 3,
            kube_scheduler: port + 4,
            kwok: port + 5,
        }
    }

    /// Each port with its owner.
    pub(crate) fn all(&self) -> [(Component, u16); 6] {
        [
            (Component::KubeApiserver, self.kube_apiserver),
            (Component::Etcd, self.etcd),
            (Component::Etcd, self.etcd_peer),
            (Component::KubeControllerManager, self.kube_controller_manager),
            (Component::KubeScheduler, self.kube_scheduler),
            (Component::Kwok, self.kwok),
        ]
    }

    /// Whether a component that is about to start finds its ports free.
    pub(crate) fn check_free(&self, component: Component) -> Result<(), Error> {
        match self.all().into_iter().find(|(owner, port)| *owner == component && !is_free(*port)) {
            Some((component, port)) => Err(Error::PortTaken { component, port }),
            None => Ok(()),
        }
    }
}

/// std sets SO_REUSEADDR as Go does, so that connections in TIME_WAIT do not count.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_ports_and_taken_ones_are_passed_over() {
        let ports = Ports::choose("/one".into()).unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.etcd)).unwrap();
        let others = Ports::choose("/one".into()).unwrap();
        assert_ne!(ports, others);
        let error = ports.check_free(Component::Etcd).unwrap_err();
        assert_eq!(error.to_string(), format!("port {} of etcd is taken by another program", ports.etcd));
        ports.check_free(Component::KubeScheduler).unwrap();
    }
}
