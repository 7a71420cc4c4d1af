//! kwok, which plays the kubelets of the simulated nodes.

mod stages;

pub(crate) use stages::{arguments, configuration, simulated_log};
