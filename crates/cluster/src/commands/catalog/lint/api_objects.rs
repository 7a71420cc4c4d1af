//! The API server of the sandbox would take every object: a dry run at the server with strict validation of fields, which is
//! validation against the OpenAPI schema of the pinned Kubernetes, and then everything that a schema can't say.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>

use super::rule::Described;
use catalog::lint::{Configuration, Finding, NotRun, Rendered, Report, Subject};
use kubernetes::{Cluster, DryRun, Verdict};
use sandbox::Sandbox;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Handle;

pub(super) const RULE: Described = Described::new(
    "api-objects",
    "the sandbox's API server would take every object: dry run at the server, with no field unknown or given twice",
);

/// Reaches the sandbox, or says why not.
pub(super) async fn reach(sandbox: &Sandbox) -> Result<DryRun, String> {
    if !sandbox.is_up() {
        return Err("the sandbox is not up".to_owned());
    }
    let reached = async {
        let cluster = Cluster::from_kubeconfig_file(sandbox.kubeconfig_path().as_str()).await?;
        DryRun::new(&cluster).await
    };
    reached.await.map_err(|error: kubernetes::Error| format!("the sandbox does not answer: {error}"))
}

/// Tries every object of a service.
pub(super) fn check(subject: &Subject, server: &Result<DryRun, String>, runtime: &Handle, report: &mut Report) {
    let not_run =
        |reason: &str| NotRun { rule: RULE.rule, service: subject.service.name.to_string(), reason: reason.to_owned() };
    match (&subject.rendered, server) {
        (Rendered::Missing(reason), _) => report.not_run.push(not_run(reason)),
        (_, Err(reason)) => report.not_run.push(not_run(reason)),
        (Rendered::Manifests(manifests), Ok(server)) => {
            let mut tried = Tried { server, runtime, verdicts: BTreeMap::new(), unknown: BTreeSet::new() };
            let mut findings = Vec::new();
            for configuration in &manifests.configurations {
                findings.extend(tried.configuration(subject, configuration));
            }
            report.not_run.extend(tried.unknown.iter().map(|reason| not_run(reason)));
            report.take(RULE.rule, findings);
        }
    }
}

struct Tried<'a> {
    server: &'a DryRun,
    runtime: &'a Handle,
    /// By the object's text: most are the same in several configurations.
    verdicts: BTreeMap<String, Option<String>>,
    unknown: BTreeSet<String>,
}

impl Tried<'_> {
    fn configuration(&mut self, subject: &Subject, configuration: &Configuration) -> Vec<Finding> {
        let mut findings = Vec::new();
        for object in &configuration.objects {
            let Some(refusal) = self.refusal(&object.value) else { continue };
            let workload = object.to_string();
            let finding =
                Finding::new(RULE.rule, subject.service.name.as_str(), refusal).of(workload, &configuration.name);
            findings.push(match object.source.split_once('/') {
                Some((_, path)) => finding.in_file(subject.chart.path(path)),
                None => finding,
            });
        }
        findings
    }

    fn refusal(&mut self, object: &Value) -> Option<String> {
        let text = object.to_string();
        if let Some(known) = self.verdicts.get(&text) {
            return known.clone();
        }
        let refusal = match self.runtime.block_on(self.server.check(object)) {
            Ok(Verdict::Valid) => None,
            Ok(Verdict::Refused(reason)) => Some(reason),
            Ok(Verdict::UnknownKind(kind)) => {
                self.unknown.insert(format!("the API server knows no `{kind}`"));
                None
            }
            Err(error) => Some(error.to_string()),
        };
        self.verdicts.insert(text, refusal.clone());
        refusal
    }
}
