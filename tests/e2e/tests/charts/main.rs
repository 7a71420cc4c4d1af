//! Every chart in `build/charts`, by Helm alone: what `cluster catalog lint` does not ask. Random values, the refusal of wrong ones,
//! packages, both Helms, and what single charts promise. No cluster is asked.

mod edges;
mod helm;
mod object;
mod packages;
mod random;
mod refusals;
mod schemas;
mod vaulted;
