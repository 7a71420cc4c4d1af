//! `cluster catalog lint` over the real catalogue, with a sandbox up: nothing is found, and what other programs and the API server have
//! to try is found where something is broken. (The rules on files and manifests have an edit each in `crates/catalog/tests/lint.rs`.)

mod broken;
mod passes;
mod run;

use e2e::Scenario;
use std::process::ExitCode;

const SCENARIOS: [Scenario; 3] = [
    ("every_service_keeps_every_rule", passes::every_service),
    ("what_could_not_be_tried_is_counted", passes::not_run),
    ("other_programs_find_what_is_broken", broken::is_found),
];

fn main() -> ExitCode {
    e2e::run(&SCENARIOS)
}
