//! A Service leads to a port that a container has.

use crate::lint::findings::Findings;
use crate::lint::object::{items, selects};
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::manifests("service-ports", "every port of a Service leads to a port that a container names", check);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for configuration in subject.each() {
        for service in configuration.own().filter(|object| object.kind() == "Service") {
            let selector = &service.value["spec"]["selector"];
            if selector.is_null() {
                continue;
            }
            for port in items(&service.value["spec"]["ports"]) {
                let target = if port["targetPort"].is_null() { &port["port"] } else { &port["targetPort"] };
                let mut pods = configuration.own().filter_map(|object| object.pod());
                let exposed = pods.any(|pod| {
                    selects(selector, pod.labels)
                        && pod.containers().any(|container| {
                            items(&container["ports"])
                                .any(|open| open["name"] == *target || open["containerPort"] == *target)
                        })
                });
                if !exposed {
                    findings.object(configuration, service, format!("no container has port {target}"));
                }
            }
        }
    }
}
