//! Everything is found by its labels: `-l app=<service>` of the deployment guide, and Kubernetes' recommended ones.
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>

use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::manifests(
    "labels",
    "every object has the labels app, app.kubernetes.io/* and helm.sh/chart; the service's own workloads have its name as app",
    check,
)
.hinted("let the library write them: `common.metadata`");

const WANTED: [&str; 4] =
    ["app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"];

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let service = subject.service.chart_name().replace('.', "-");
    for (configuration, object) in subject.objects() {
        for label in WANTED.into_iter().filter(|label| object.label(label).is_none()) {
            findings.object(configuration, object, format!("it has no label `{label}`"));
        }
        // A new version of the chart alone shows in it, and is then installed.
        if object.kind() != "Pod" && object.label("helm.sh/chart").is_none() {
            findings.object(configuration, object, "it has no label `helm.sh/chart`");
        }
        let is_server = object.serves() && object.label("app.kubernetes.io/component") == Some("server");
        let app = object.label("app").unwrap_or_default();
        if is_server && app != service && !app.is_empty() {
            findings.object(configuration, object, format!("its label `app` is `{app}`, not `{service}`"));
        }
        let pods = object.pod().filter(|_| object.serves());
        if pods.is_some_and(|pod| pod.labels["app"].is_null()) {
            findings.object(configuration, object, "its pods have no label `app`");
        }
    }
}
