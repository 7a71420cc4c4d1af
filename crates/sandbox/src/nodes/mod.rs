//! The simulated nodes: what they are, and keeping the cluster's in step with the inventory's machines.

mod inventory;
mod object;
mod spec;
mod sync;

pub(crate) use object::{FIRST_ADDRESS, LIMIT, POD_RANGE, SIMULATED};
pub use spec::{NodeSpec, Role};
pub(crate) use sync::{Changes, are_in_step, list, readiness, simulated, sync, takes_pods};
