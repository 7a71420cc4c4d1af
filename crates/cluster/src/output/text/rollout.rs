//! How far rollouts have come.

use owo_colors::OwoColorize;

/// The event's line.
pub(super) fn render(event: &kubernetes::Event) -> String {
    match event {
        kubernetes::Event::RolloutProgress { workload, progress } if progress.done => {
            format!("{}: [{workload}] {} of {} ready", "ok".green(), progress.ready, progress.wanted)
        }
        kubernetes::Event::RolloutProgress { workload, progress } => {
            format!("waiting: [{workload}] {}", progress.message)
        }
        kubernetes::Event::PodReplaced { workload, pod, trouble } => {
            format!("{}: [{workload}] pod {pod} of an older revision was deleted: {trouble}", "replaced".yellow())
        }
        kubernetes::Event::RolloutTrouble { workload, trouble } => format!("waiting: [{workload}] {trouble}"),
    }
}
