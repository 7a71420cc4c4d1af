//! How long the sandbox and a deployment into it take.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use support::Project;

/// What is measured, in this order, each in the same sandbox.
const STEPS: [(&str, &[&str]); 5] = [
    ("sandbox up, nothing there", &["sandbox", "up"]),
    ("sandbox up, already up", &["sandbox", "up"]),
    ("deploy ollama, new", &["deploy", "ollama", "--target", "sandbox"]),
    ("deploy ollama, unchanged", &["deploy", "ollama", "--target", "sandbox"]),
    ("sandbox down", &["sandbox", "down"]),
];

/// Each step and its time.
pub fn sandbox() -> Result<Vec<(&'static str, Duration)>> {
    let project = Project::new()?;
    let mut times = Vec::new();
    for (name, arguments) in STEPS {
        let begun = Instant::now();
        project.done(arguments).context(name)?;
        times.push((name, begun.elapsed()));
    }
    Ok(times)
}
