//! Our own controllers, in a process that `up` starts: volumes for `local-path` claims, addresses for `LoadBalancer`
//! Services and Ingresses, the leases of the nodes.

mod follow;
mod ingress;
mod leases;
mod provisioner;
mod run;
mod service_lb;

pub(crate) use run::arguments;
pub use run::run;
