//! Every chart in `build/charts`, by Helm alone: lint, rendering in all its configurations, the rules of this repository on
//! what comes out, and the refusal of wrong values. No cluster is asked.

mod edges;
mod exceptions;
mod helm;
mod object;
mod random;
mod refusals;
mod rules;
mod schemas;
mod vaulted;
