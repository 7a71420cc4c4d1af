//! What `service.yml` asks of the running service is there to be asked.

use crate::Probe;
use crate::lint::Configuration;
use crate::lint::findings::Findings;
use crate::lint::object::items;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::manifests(
    "verify-targets",
    "verify, backup and restore of service.yml name Services, ports and workloads that the chart renders",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    // What is deployed here: values.yml where there is one.
    let Some(configuration) = subject.deployed().last() else { return };
    for probe in &subject.service.verify {
        match probe {
            Probe::Http { service, port, .. } | Probe::Tcp { service, port } => {
                if let Some(message) = missing_port(configuration, service, *port) {
                    findings.at(&subject.service_key("verify"), message);
                }
            }
            Probe::Exec(execution) => check_workload(subject, configuration, "verify", &execution.workload, findings),
        }
    }
    for (key, execution) in [("backup", &subject.service.backup), ("restore", &subject.service.restore)] {
        if let Some(execution) = execution {
            check_workload(subject, configuration, key, &execution.workload, findings);
        }
    }
}

fn missing_port(configuration: &Configuration, service: &str, port: u16) -> Option<String> {
    let is_wanted = |object: &&crate::lint::Object| object.kind() == "Service" && object.name() == service;
    let Some(object) = configuration.objects.iter().find(is_wanted) else {
        return Some(format!("the chart renders no Service `{service}`"));
    };
    let ports: Vec<_> = items(&object.value["spec"]["ports"]).filter_map(|port| port["port"].as_u64()).collect();
    (!ports.contains(&u64::from(port))).then(|| format!("Service `{service}` has no port {port}, only {ports:?}"))
}

fn check_workload(
    subject: &Subject,
    configuration: &Configuration,
    key: &str,
    workload: &str,
    findings: &mut Findings<'_>,
) {
    let is_it =
        |object: &crate::lint::Object| format!("{}/{}", object.kind().to_lowercase(), object.name()) == workload;
    if !configuration.objects.iter().any(is_it) {
        findings.at(&subject.service_key(key), format!("the chart renders no `{workload}`"));
    }
}
