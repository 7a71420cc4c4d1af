//! The chart renders in every configuration.

use super::program::Said;
use super::rule::Described;
use catalog::lint::{Configuration, Finding, Subject, parse_manifests};
use serde_json::Value;

pub(super) const RULE: Described = Described::new(
    "render",
    "the chart renders to objects with its defaults, with the values of this repository, and at its edges",
);

/// The objects of a configuration, or what stands in the way. `values` is the text of its values file.
pub(super) fn configuration(
    subject: &Subject,
    name: &str,
    is_deployed: bool,
    values: Option<&str>,
    said: &Said,
) -> Result<Configuration, Finding> {
    let finding = |message: String| {
        Finding::new(RULE.rule, subject.service.name.as_str(), message)
            .in_file(subject.chart.path("Chart.yaml"))
            .of("chart", name)
    };
    if !said.done {
        return Err(finding(refusal(&said.stderr)));
    }
    let objects = parse_manifests(&said.stdout).map_err(finding)?;
    Ok(Configuration { name: name.to_owned(), is_deployed, full_name: values.and_then(full_name), objects })
}

/// Whether Helm misses a chart that comes from a repository: nothing that could be mended here.
pub(super) fn is_upstream_missing(subject: &Subject, said: &str) -> bool {
    subject.depends_on_upstream() && said.contains("missing in charts/ directory")
}

fn full_name(values: &str) -> Option<String> {
    let values: Value = yaml::load_one("values", values).ok()?.to_data();
    values["fullnameOverride"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What Helm says, without what it says each time.
pub(super) fn refusal(stderr: &str) -> String {
    let text = stderr.trim().trim_start_matches("Error: ");
    let text = text.split("\n\nUse --debug flag").next().unwrap_or(text);
    text.trim().to_owned()
}
