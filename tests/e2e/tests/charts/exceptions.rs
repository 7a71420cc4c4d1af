//! Breaches of the rules, and the exceptions from them that a service's `service.yml` lists.

use crate::helm::{name, root};
use crate::object::Object;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Rules by which exceptions are named, and those of `docs/reference/service.yml`.
pub(crate) const RULES: [&str; 13] = [
    "run-as-non-root",
    "read-only-root",
    "privilege-escalation",
    "host-paths",
    "image-version",
    "probes",
    "network-policy",
    "seccomp-profile",
    "capabilities",
    "host-namespaces",
    "service-account-token",
    "requests-and-limits",
    "shared-names",
];

/// Breaches of a chart, less its exceptions.
pub(crate) struct Breaches {
    chart: String,
    listed: BTreeSet<(String, String)>,
    used: BTreeSet<(String, String)>,
    found: Vec<String>,
}

impl Breaches {
    pub(crate) fn of(chart: &Path) -> Self {
        Self { chart: name(chart).to_owned(), listed: listed(name(chart)), used: BTreeSet::new(), found: Vec::new() }
    }

    /// Notes that a workload does not keep a rule, unless it holds or is excepted.
    pub(crate) fn want(&mut self, holds: bool, rule: &str, object: &Object, options: &Configuration, what: &str) {
        assert!(RULES.contains(&rule), "{rule} is no rule");
        if holds {
            return;
        }
        let workload = format!("{}/{}", object.kind().to_lowercase(), options.usual_name(object.name()));
        let breach = (rule.to_owned(), workload.clone());
        if self.listed.contains(&breach) {
            self.used.insert(breach);
        } else {
            let options = &options.options;
            self.found
                .push(format!("{} {options:?}: {object}: {what} (rule `{rule}`, workload `{workload}`)", self.chart));
        }
    }

    /// What is left: breaches, and exceptions from these rules that nothing needed.
    pub(crate) fn left(mut self, rules: &[&str]) -> Vec<String> {
        for (rule, workload) in self.listed.difference(&self.used).filter(|(rule, _)| rules.contains(&rule.as_str())) {
            self.found.push(format!("{}: the exception from `{rule}` for `{workload}` is not needed", self.chart));
        }
        self.found
    }
}

/// Options of Helm, and the name that they give the release's objects.
pub(crate) struct Configuration {
    pub(crate) options: Vec<String>,
    release: String,
    named: Option<String>,
}

impl Configuration {
    pub(crate) fn new(chart: &Path, options: Vec<String>) -> Self {
        let values = options.last().map(|file| fs::read_to_string(file).expect("a values file"));
        let values: Value = values.map_or(Value::Null, |text| serde_saphyr::from_str(&text).expect("values are YAML"));
        let named = values["fullnameOverride"].as_str().map(str::to_owned);
        Self { options, release: crate::helm::release(chart), named }
    }

    /// An object's name without `fullnameOverride`.
    fn usual_name(&self, name: &str) -> String {
        match self.named.as_deref().and_then(|named| name.strip_prefix(named)) {
            Some(rest) => format!("{}{rest}", self.release),
            None => name.to_owned(),
        }
    }
}

/// `(rule, workload)` of every exception that the services of a chart list.
fn listed(chart: &str) -> BTreeSet<(String, String)> {
    let services = fs::read_dir(root().join("build/playbooks")).expect("build/playbooks exists");
    let mut exceptions = BTreeSet::new();
    for folder in services.map(|entry| entry.expect("a readable folder").path()) {
        let Ok(text) = fs::read_to_string(folder.join("service.yml")) else { continue };
        let service: Value =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        if service.get("chart").unwrap_or(&service["name"]) != chart {
            continue;
        }
        for exception in service["exceptions"].as_array().into_iter().flatten() {
            let text = |key: &str| exception[key].as_str().unwrap_or_default().to_owned();
            assert!(RULES.contains(&text("rule").as_str()), "{chart}: `{}` is no rule: {RULES:?}", text("rule"));
            exceptions.insert((text("rule"), text("workload")));
        }
    }
    exceptions
}

#[test]
fn the_reference_names_every_rule() {
    let reference = fs::read_to_string(root().join("docs/reference/service.yml")).expect("the reference");
    for rule in RULES {
        assert!(reference.contains(&format!(" {rule} ")), "{rule} is not in docs/reference/service.yml");
    }
}
