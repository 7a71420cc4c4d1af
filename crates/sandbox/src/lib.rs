//! A Kubernetes cluster on this machine: a real control plane (etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler) whose nodes are the machines of the inventory, simulated by kwok, and what K3s adds to plain
//! Kubernetes. Scheduling, admission, quotas, volumes, rollouts and Helm are the real thing; only containers do not run.
//!
//! [`Sandbox`] is the way in. Its processes outlive the command that started them; everything it keeps lies in
//! `.cluster/sandbox` of the project and listens on 127.0.0.1 alone.

mod api;
mod apiserver;
mod certificates;
mod component;
pub mod controller;
mod controller_manager;
mod defaults;
mod directory;
mod down;
mod environment;
mod error;
mod etcd;
mod event;
mod health;
mod kwok;
mod lock;
mod nodes;
mod options;
mod ports;
mod process;
mod quantity;
mod sandbox;
mod scheduler;
mod state;
mod status;
mod tools;
mod up;

pub use component::Component;
pub use error::Error;
pub use event::{Event, Tell};
pub use nodes::{NodeSpec, Role};
pub use options::{Options, Report};
pub use sandbox::Sandbox;
pub use status::{ComponentStatus, NodeStatus, Status};
pub use tools::{KUBERNETES_MINOR, Tools};
