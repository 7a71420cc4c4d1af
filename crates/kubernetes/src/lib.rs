//! The Kubernetes API as the rest of `cluster` needs it: Helm's releases, rollouts with the reason when they stall, why a
//! pod fits no node, and the verification of a service once it is up.

mod cluster;
mod dry_run;
mod error;
pub mod placement;
mod quantity;
mod release;
mod rollout;
mod service;
mod trouble;
pub mod verify;
mod workload;

pub use cluster::{Cluster, Node, server_address};
pub use dry_run::{DryRun, Verdict};
pub use error::Error;
pub use quantity::{cpu_millis, memory_bytes};
pub use release::{Release, ReleaseStatus};
pub use rollout::{Event, Rollout, wait_for_rollout};
pub use service::{Address, addresses};
pub use trouble::Trouble;
pub use workload::{Kind, PodPlace, Progress, Workload};
