//! The rules that every chart keeps in every configuration.

use crate::exceptions::{Breaches, Configuration};
use crate::helm::{charts, configurations, helm, helm4, name, release, render, root, said};
use crate::object::{Object, containers, selects};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Runs a rule over all charts in all configurations, and tells every breach.
fn every(rule: impl Fn(&Path, &[Object], &mut Vec<String>)) {
    let mut breaches = Vec::new();
    for chart in charts() {
        for options in configurations(&chart) {
            let mut found = Vec::new();
            rule(&chart, &render(&chart, &release(&chart), &options), &mut found);
            breaches.extend(found.into_iter().map(|breach| format!("{} {options:?}: {breach}", name(&chart))));
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn lint_finds_nothing() {
    for chart in charts() {
        for options in configurations(&chart) {
            let path = chart.display().to_string();
            let mut arguments = vec!["lint", "--strict", &path];
            arguments.extend(options.iter().map(String::as_str));
            let output = helm(&arguments);
            assert!(output.status.success(), "{}", said(&output));
            assert!(!said(&output).contains("[WARNING]"), "{}", said(&output));
        }
    }
}

/// `-l app=<service>` of the guide finds every object, and the release's own labels too.
#[test]
fn every_object_has_the_labels() {
    every(|chart, objects, breaches| {
        for object in objects {
            let app = object.label("app");
            if app.is_none() {
                breaches.push(format!("{object} has no label `app`"));
            }
            if object.serves()
                && app != Some(&name(chart).replace('.', "-"))
                && object.label("app.kubernetes.io/component") == Some("server")
            {
                breaches.push(format!("{object} has app={app:?}"));
            }
            for label in ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"] {
                if object.label(label).is_none() {
                    breaches.push(format!("{object} has no label `{label}`"));
                }
            }
            if object.kind() != "Pod" && object.label("helm.sh/chart").is_none() {
                breaches
                    .push(format!("{object} has no label `helm.sh/chart`, by which a new chart version is noticed"));
            }
        }
    });
}

#[test]
fn selectors_find_their_pods_and_no_others() {
    every(|_, objects, breaches| {
        let pods: Vec<_> = objects.iter().filter_map(|object| Some((object, object.pod()?.0))).collect();
        for object in objects {
            let selector = match object.kind() {
                "Service" => &object.0["spec"]["selector"],
                _ if object.serves() => &object.0["spec"]["selector"]["matchLabels"],
                "PodDisruptionBudget" => &object.0["spec"]["selector"]["matchLabels"],
                _ => continue,
            };
            let found: Vec<_> =
                pods.iter().filter(|(_, labels)| selects(selector, labels)).map(|(pod, _)| pod.to_string()).collect();
            if found.len() != 1 {
                breaches.push(format!("{object} selects {found:?}"));
            }
        }
    });
}

#[test]
fn services_point_to_ports_that_exist() {
    every(|_, objects, breaches| {
        for service in objects.iter().filter(|object| object.kind() == "Service") {
            for port in service.0["spec"]["ports"].as_array().into_iter().flatten() {
                let exposed = objects.iter().filter_map(Object::pod).any(|(labels, spec)| {
                    let ports = |container: &Value| container["ports"].as_array().cloned().unwrap_or_default();
                    selects(&service.0["spec"]["selector"], labels)
                        && containers(spec).flat_map(ports).any(|open| {
                            open["name"] == port["targetPort"] || open["containerPort"] == port["targetPort"]
                        })
                });
                if !exposed {
                    breaches.push(format!("{service}: no container has port {}", port["targetPort"]));
                }
            }
        }
    });
}

/// The same for rules that a service may except a workload from.
fn every_unless_excepted(rules: &[&str], rule: impl Fn(&Object, &Value, &mut dyn FnMut(bool, &str, &str))) {
    let mut left = Vec::new();
    for chart in charts() {
        let mut breaches = Breaches::of(&chart);
        for options in configurations(&chart) {
            let configuration = Configuration::new(&chart, options);
            for object in render(&chart, &release(&chart), &configuration.options) {
                let Some((_, spec)) = object.pod() else { continue };
                let mut want = |holds: bool, rule: &str, what: &str| {
                    breaches.want(holds, rule, &object, &configuration, what);
                };
                rule(&object, spec, &mut want);
            }
        }
        left.extend(breaches.left(rules));
    }
    assert!(left.is_empty(), "\n{}", left.join("\n"));
}

/// https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a read-only root besides.
#[test]
fn pods_are_restricted() {
    let rules = [
        "run-as-non-root",
        "seccomp-profile",
        "service-account-token",
        "host-namespaces",
        "host-paths",
        "read-only-root",
        "privilege-escalation",
        "capabilities",
    ];
    every_unless_excepted(&rules, |_, spec, want| {
        let pod = &spec["securityContext"];
        want(pod["runAsNonRoot"] == true, "run-as-non-root", "runAsNonRoot is not true");
        want(pod["runAsUser"].as_i64().is_some_and(|user| user > 0), "run-as-non-root", "runAsUser is not above 0");
        want(pod["seccompProfile"]["type"] == "RuntimeDefault", "seccomp-profile", "no seccomp profile");
        want(
            spec["automountServiceAccountToken"] == false,
            "service-account-token",
            "the service account's token is mounted",
        );
        let own = ["hostNetwork", "hostPID", "hostIPC"].iter().all(|key| spec[*key].is_null() || spec[*key] == false);
        want(own, "host-namespaces", "namespaces of the host");
        let mut volumes = spec["volumes"].as_array().into_iter().flatten();
        want(!volumes.any(|volume| !volume["hostPath"].is_null()), "host-paths", "folders of the host are mounted");
        for container in containers(spec) {
            let security = &container["securityContext"];
            let user = &security["runAsUser"];
            want(user.is_null() || user.as_i64() > Some(0), "run-as-non-root", "a container's user is root");
            want(security["readOnlyRootFilesystem"] == true, "read-only-root", "the root file system is writable");
            let raised = security["allowPrivilegeEscalation"] != false || security["privileged"] == true;
            want(!raised, "privilege-escalation", "privilege escalation");
            let dropped = security["capabilities"]["drop"] == serde_json::json!(["ALL"]);
            want(dropped, "capabilities", "capabilities are not dropped");
            want(security["capabilities"]["add"].is_null(), "capabilities", "capabilities are added");
        }
    });
}

#[test]
fn containers_are_sized_pinned_and_probed() {
    every_unless_excepted(&["image-version", "requests-and-limits", "probes"], |object, spec, want| {
        for container in containers(spec) {
            let image = container["image"].as_str().unwrap_or_default();
            let tag = image.split('@').next().and_then(|image| image.rsplit_once(':')).map_or("", |(_, tag)| tag);
            let versioned = tag.contains(|c: char| c.is_ascii_digit());
            want(versioned, "image-version", &format!("image `{image}` has no version"));
            for (part, resource) in [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")] {
                let given = !container["resources"][part][resource].is_null();
                want(given, "requests-and-limits", &format!("no {part} of {resource}"));
            }
        }
        for container in spec["containers"].as_array().into_iter().flatten().filter(|_| object.serves()) {
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                want(!container[probe].is_null(), "probes", &format!("no {probe}"));
            }
        }
    });
}

#[test]
fn volumes_that_are_mounted_exist_and_are_used() {
    every(|_, objects, breaches| {
        for (object, (_, spec)) in objects.iter().filter_map(|object| Some((object, object.pod()?))) {
            let names = |list: &Value| -> Vec<String> {
                list.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|item| item["name"].as_str().map(str::to_owned))
                    .collect()
            };
            let mut volumes = names(&spec["volumes"]);
            let claims = object.0["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
            volumes.extend(claims.filter_map(|claim| claim["metadata"]["name"].as_str().map(str::to_owned)));
            let mut mounts: Vec<_> = containers(spec).flat_map(|container| names(&container["volumeMounts"])).collect();
            volumes.sort();
            mounts.sort();
            mounts.dedup();
            if volumes != mounts {
                breaches.push(format!("{object}: volumes {volumes:?}, mounts {mounts:?}"));
            }
        }
    });
}

/// Lists that server-side apply, and so Helm 4, keys by name: twice the same is an error there.
#[test]
fn names_stand_once() {
    every(|_, objects, breaches| {
        for (object, (_, spec)) in objects.iter().filter_map(|object| Some((object, object.pod()?))) {
            for container in containers(spec) {
                for (list, key) in [("env", "name"), ("ports", "name"), ("volumeMounts", "mountPath")] {
                    let items = container[list].as_array().into_iter().flatten();
                    let mut names: Vec<_> = items.filter_map(|item| item[key].as_str()).collect();
                    names.sort_unstable();
                    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                        breaches.push(format!("{object}: `{}` stands twice in {list}", twice[0]));
                    }
                }
            }
        }
    });
}

#[test]
fn a_network_policy_covers_every_pod() {
    let mut left = Vec::new();
    for chart in charts() {
        let mut breaches = Breaches::of(&chart);
        let configuration = Configuration::new(&chart, Vec::new());
        let objects = render(&chart, &release(&chart), &[]);
        let policies: Vec<_> = objects.iter().filter(|object| object.kind() == "NetworkPolicy").collect();
        for (object, (labels, spec)) in objects.iter().filter_map(|object| Some((object, object.pod()?))) {
            let covered =
                policies.iter().any(|policy| selects(&policy.0["spec"]["podSelector"]["matchLabels"], labels));
            // Policies do not reach pods in the node's network.
            let covered = covered && spec["hostNetwork"] != true;
            breaches.want(covered, "network-policy", object, &configuration, "no policy covers its pods");
        }
        for policy in policies {
            let types = &policy.0["spec"]["policyTypes"];
            let both = *types == serde_json::json!(["Ingress", "Egress"]);
            breaches.want(both, "network-policy", policy, &configuration, "it says nothing of one direction");
        }
        left.extend(breaches.left(&["network-policy"]));
    }
    assert!(left.is_empty(), "\n{}", left.join("\n"));
}

/// Whatever stands in a Secret by default has been generated: another value each time, and none that people know.
#[test]
fn no_password_is_a_default() {
    for chart in charts() {
        let secrets = || -> Vec<String> {
            let objects = render(&chart, &release(&chart), &[]);
            let secrets = objects.iter().filter(|object| object.kind() == "Secret");
            secrets
                .flat_map(|secret| secret.0["data"].as_object().cloned().unwrap_or_default())
                .map(|(_, value)| value.to_string())
                .collect()
        };
        let (first, second) = (secrets(), secrets());
        assert_eq!(first.len(), second.len());
        for (first, second) in first.iter().zip(&second) {
            assert_ne!(first, second, "{}: a Secret holds a fixed value", name(&chart));
            assert!(first.len() >= 40, "{}: a generated password is short", name(&chart));
        }
        let values = fs::read_to_string(chart.join("values.yaml")).expect("a chart has values");
        for line in values.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            let secret = ["password", "token", "secret"].iter().any(|word| key.trim().eq_ignore_ascii_case(word));
            assert!(!secret || value.trim().is_empty() || value.trim() == "\"\"", "{}: {line}", name(&chart));
        }
    }
}

/// A release of another name takes nothing from the first: two of a chart live in one namespace.
#[test]
fn two_releases_share_no_object() {
    let mut left = Vec::new();
    for chart in charts() {
        let mut breaches = Breaches::of(&chart);
        let configuration = Configuration::new(&chart, Vec::new());
        let (own, other) = (render(&chart, &release(&chart), &[]), render(&chart, "second", &[]));
        let other: Vec<_> = other.iter().map(ToString::to_string).collect();
        for object in &own {
            let shared = other.contains(&object.to_string());
            breaches.want(!shared, "shared-names", object, &configuration, "a second release has it too");
        }
        let services: Vec<_> = own.iter().filter(|object| object.kind() == "Service").map(Object::name).collect();
        let named = services.is_empty() || services.contains(&release(&chart).as_str());
        assert!(named, "{}: no Service of the release's name: {services:?}", name(&chart));
        left.extend(breaches.left(&["shared-names"]));
    }
    assert!(left.is_empty(), "\n{}", left.join("\n"));
}

/// Where a claim leaves the class open, the cluster's default is taken.
#[test]
fn claims_take_the_default_class() {
    for chart in charts() {
        for claim in
            render(&chart, &release(&chart), &[]).iter().filter(|object| object.kind() == "PersistentVolumeClaim")
        {
            assert!(claim.0["spec"]["storageClassName"].is_null(), "{}: {claim}", name(&chart));
        }
    }
}

/// The library is one folder, reached by a link, and goes into the archive.
#[test]
fn the_library_is_shared_and_packaged() {
    let out = tempfile::tempdir().expect("a folder for archives");
    for chart in charts() {
        let link = chart.join("charts/common");
        if !fs::read_to_string(chart.join("Chart.yaml")).expect("a chart").contains("name: common") {
            continue;
        }
        assert_eq!(fs::read_link(&link).ok().as_deref(), Some(Path::new("../../common")), "{}", link.display());
        let output =
            helm(&["package", &chart.display().to_string(), "--destination", &out.path().display().to_string()]);
        assert!(output.status.success(), "{}", said(&output));
        let archive = fs::read_dir(out.path()).expect("archives").filter_map(Result::ok).map(|entry| entry.path());
        let archive =
            archive.into_iter().find(|path| path.to_string_lossy().contains(name(&chart))).expect("an archive");
        let output = helm(&["template", &release(&chart), &archive.display().to_string()]);
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// The playbooks compare a live release with what would be installed; whoever changes from Helm 3 to 4 must see no difference.
#[test]
fn both_helms_render_the_same() {
    for chart in charts() {
        for options in configurations(&chart) {
            let path = chart.display().to_string();
            let release = release(&chart);
            let mut arguments = vec!["template", &release, &path, "--no-hooks"];
            arguments.extend(options.iter().map(String::as_str));
            let documents = |output: std::process::Output| -> Vec<String> {
                assert!(output.status.success(), "{}", said(&output));
                let text = format!("\n{}", String::from_utf8_lossy(&output.stdout));
                let documents = text.split("\n---\n").map(|document| document.trim().to_owned());
                // Generated passwords differ each time.
                documents.filter(|document| !document.contains("\nkind: Secret\n")).collect()
            };
            let (third, fourth) = (documents(helm(&arguments)), documents(helm4(&arguments)));
            let differs = third.iter().zip(&fourth).find(|(third, fourth)| third != fourth);
            assert_eq!((differs, third.len()), (None, fourth.len()), "{} {options:?}", name(&chart));
        }
    }
}

#[test]
fn every_chart_has_its_documents() {
    for chart in charts() {
        for file in ["README.md", "values.yaml", "values.schema.json", "templates/NOTES.txt", "templates/tests"] {
            assert!(chart.join(file).exists(), "{} has no {file}", name(&chart));
        }
    }
    assert!(root().join("build/tasks/README.md").is_file());
}
