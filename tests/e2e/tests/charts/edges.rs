//! What single charts promise beyond the rules.

use crate::helm::{charts, name, release, render};
use crate::object::Object;
use serde_json::{Value, json};
use std::path::PathBuf;

fn chart(wanted: &str) -> PathBuf {
    charts().into_iter().find(|chart| name(chart) == wanted).expect("the chart exists")
}

fn render_with(wanted: &str, sets: &[&str]) -> Vec<Object> {
    let options: Vec<_> = sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]).collect();
    render(&chart(wanted), wanted, &options)
}

fn find<'a>(objects: &'a [Object], wanted: &str) -> &'a Value {
    let found = objects.iter().find(|object| object.to_string() == wanted);
    &found
        .unwrap_or_else(|| {
            panic!("{wanted} is not among {:?}", objects.iter().map(ToString::to_string).collect::<Vec<_>>())
        })
        .0
}

fn kinds(objects: &[Object], kind: &str) -> usize {
    objects.iter().filter(|object| object.kind() == kind).count()
}

/// The guide asks `http://ollama-service:11434`.
#[test]
fn ollama_has_the_guides_service_names() {
    let objects = render_with("ollama", &[]);
    assert_eq!(find(&objects, "Service/ollama")["spec"], find(&objects, "Service/ollama-service")["spec"]);
    assert_eq!(find(&objects, "Service/ollama")["spec"]["ports"][0]["port"], 11434);
    assert_eq!(kinds(&render_with("ollama", &["service.alias=false"]), "Service"), 1);
}

/// A Deployment that rolls would wait for ever: the new pod for the volume, the old one for the new pod.
#[test]
fn ollama_lets_go_of_its_volume_before_the_next_pod_takes_it() {
    assert_eq!(find(&render_with("ollama", &[]), "Deployment/ollama")["spec"]["strategy"]["type"], "Recreate");
    let rolling = render_with("ollama", &["persistence.enabled=false", "replicas=3"]);
    assert!(find(&rolling, "Deployment/ollama")["spec"]["strategy"].is_null());
    assert_eq!(kinds(&rolling, "PodDisruptionBudget"), 1);
    assert_eq!(kinds(&render_with("ollama", &[]), "PodDisruptionBudget"), 0);
}

/// Another list is another Job; the same list is the same.
#[test]
fn ollama_pulls_models_by_a_job_named_after_them() {
    let job = |sets: &[&str]| {
        render_with("ollama", sets).iter().find(|object| object.kind() == "Job").map(|job| job.name().to_owned())
    };
    assert_eq!(job(&[]), None);
    let first = job(&["models={a:1,b}"]);
    assert!(first.is_some() && first == job(&["models={a:1,b}", "resources.limits.cpu=2"]));
    assert_ne!(first, job(&["models={a:1}"]));
    let objects = render_with("ollama", &["models={a:1,b}"]);
    let job = objects.iter().find(|object| object.kind() == "Job").expect("a Job");
    let command = &job.0["spec"]["template"]["spec"]["containers"][0]["command"];
    assert_eq!(command.as_array().map(|command| &command[4..]), Some(&[json!("a:1"), json!("b")][..]));
}

#[test]
fn ollama_prefers_the_controllers_architecture_and_can_do_without() {
    let objects = render_with("ollama", &[]);
    let affinity = &find(&objects, "Deployment/ollama")["spec"]["template"]["spec"]["affinity"]["nodeAffinity"];
    assert!(affinity["requiredDuringSchedulingIgnoredDuringExecution"].is_null());
    let preferred =
        &affinity["preferredDuringSchedulingIgnoredDuringExecution"][0]["preference"]["matchExpressions"][0];
    assert_eq!(*preferred, json!({"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}));
}

/// The ingress controller's namespace is let in only when there is an ingress.
#[test]
fn an_ingress_opens_the_network_policy_for_its_controller() {
    let peers = |sets: &[&str]| {
        find(&render_with("ollama", sets), "NetworkPolicy/ollama")["spec"]["ingress"][0]["from"].to_string()
    };
    assert!(!peers(&[]).contains("kube-system"));
    let sets = ["ingress.enabled=true", "ingress.host=a.example", "ingress.className=traefik"];
    assert!(peers(&sets).contains("kube-system"));
    let objects = render_with("ollama", &sets);
    assert_eq!(find(&objects, "Ingress/ollama")["spec"]["ingressClassName"], "traefik");
}

/// Up to 17 the image's volume is …/data, from 18 on its parent: a mount at the other place would lose the data with the pod.
#[test]
fn postgres_mounts_its_data_where_the_major_version_has_it() {
    for (tag, mount, data) in [
        ("16.11-trixie", "/var/lib/postgresql/data", "/var/lib/postgresql/data/pgdata"),
        ("17.11-trixie", "/var/lib/postgresql/data", "/var/lib/postgresql/data/pgdata"),
        ("18.1-trixie", "/var/lib/postgresql", "/var/lib/postgresql/18/docker"),
    ] {
        let objects = render_with("postgres", &[&format!("image.tag={tag}")]);
        let container = &find(&objects, "StatefulSet/postgres")["spec"]["template"]["spec"]["containers"][0];
        let mounts = container["volumeMounts"].as_array().expect("mounts");
        let volume = mounts.iter().find(|mount| mount["name"] == "data").expect("a data volume");
        assert_eq!(volume["mountPath"], mount, "{tag}");
        let variable = container["env"].as_array().expect("env").iter().find(|variable| variable["name"] == "PGDATA");
        assert_eq!(variable.expect("PGDATA")["value"], data, "{tag}");
        assert_eq!(
            find(&objects, "PersistentVolumeClaim/postgres")["metadata"]["labels"]["postgres-major"],
            tag[..2],
            "{tag}"
        );
    }
}

/// Data and the password that opens it outlive an uninstall together.
#[test]
fn postgres_keeps_data_and_password() {
    let objects = render_with("postgres", &[]);
    for kept in ["PersistentVolumeClaim/postgres", "Secret/postgres"] {
        assert_eq!(find(&objects, kept)["metadata"]["annotations"]["helm.sh/resource-policy"], "keep", "{kept}");
    }
}

#[test]
fn postgres_takes_a_secret_of_the_users() {
    let objects = render_with("postgres", &["auth.existingSecret=mine", "auth.existingSecretKey=pw"]);
    assert_eq!(kinds(&objects, "Secret"), 0);
    let volumes = find(&objects, "StatefulSet/postgres")["spec"]["template"]["spec"]["volumes"].clone();
    let secret =
        volumes.as_array().expect("volumes").iter().find(|volume| volume["name"] == "password").expect("a password");
    assert_eq!(secret["secret"]["secretName"], "mine");
    assert_eq!(secret["secret"]["items"], json!([{"key": "pw", "path": "password"}]));
}

/// Kubernetes refuses a number where a name belongs, and 123 is one to YAML.
#[test]
fn a_name_of_digits_stays_a_name() {
    for (chart, field) in [
        ("cockroach", "tls.existingSecret"),
        ("influxdb", "auth.existingSecret"),
        ("mosquitto", "auth.existingSecret"),
        ("postgres", "auth.existingSecret"),
        ("rabbitmq", "auth.existingSecret"),
        ("redis", "auth.existingSecret"),
        ("registry", "auth.existingSecret"),
        ("rocket.chat", "existingSecret"),
        ("rocket.chat", "mongodb.auth.existingSecret"),
    ] {
        let options = ["--set-string".to_owned(), format!("{field}=123")];
        let folder = self::chart(chart);
        let objects = render(&folder, &release(&folder), &options);
        let text = objects.iter().map(|object| object.0.to_string()).collect::<String>();
        assert!(text.contains(r#":"123""#), "{chart}: nobody takes the Secret");
        assert!(!text.contains(":123,") && !text.contains(":123}"), "{chart}: {field} became a number");
    }
}

/// The password reaches the server as a file, never as an argument or a variable.
#[test]
fn postgres_shows_its_password_to_nobody() {
    for object in render_with("postgres", &[]) {
        let Some((_, spec)) = object.pod() else { continue };
        assert!(!spec.to_string().contains("secretKeyRef"), "{object}");
    }
}

#[test]
fn postgres_settings_become_arguments_with_numbers_as_written() {
    let everything = chart("postgres").join("ci/everything-values.yaml").display().to_string();
    let objects = render(&chart("postgres"), "postgres", &["--values".to_owned(), everything]);
    let container = &find(&objects, "StatefulSet/database")["spec"]["template"]["spec"]["containers"][0];
    let arguments: Vec<_> = container["args"].as_array().expect("args").iter().filter_map(Value::as_str).collect();
    for argument in ["log_min_duration_statement=1000000", "random_page_cost=1.1", "jit=false", "shared_buffers=1GB"] {
        assert!(arguments.contains(&argument), "{argument} is not among {arguments:?}");
    }
}

fn server(objects: &[Object], wanted: &str) -> Value {
    find(objects, wanted)["spec"]["template"]["spec"]["containers"][0].clone()
}

fn variable(container: &Value, name: &str) -> Value {
    let variables = container["env"].as_array().expect("env");
    variables.iter().find(|variable| variable["name"] == name).unwrap_or_else(|| panic!("no variable {name}")).clone()
}

/// Keys reach the pod from the Secret that the playbook makes, under the names of cfg.example.yml; nothing of them is a value.
#[test]
fn encrypted_configuration_comes_from_a_secret() {
    for (service, name, key) in [
        ("mercure", "MERCURE_PUBLISHER_JWT_KEY", "pub_key"),
        ("mercure", "MERCURE_SUBSCRIBER_JWT_KEY", "sub_key"),
        ("scrutiny", "SCRUTINY_WEB_INFLUXDB_TOKEN", "influxdb_token"),
        ("scrutiny", "SCRUTINY_WEB_INFLUXDB_INIT_PASSWORD", "influxdb_password"),
    ] {
        let workload = format!("Deployment/{service}");
        let source = |sets: &[&str]| {
            variable(&server(&render_with(service, sets), &workload), name)["valueFrom"]["secretKeyRef"].clone()
        };
        assert_eq!(source(&[]), json!({"name": format!("{service}-config"), "key": key}));
        assert_eq!(source(&["existingSecret=mine"])["name"], "mine");
        let example = crate::helm::root().join(format!("build/playbooks/{service}/cfg.example.yml"));
        let example: Value = serde_saphyr::from_str(&std::fs::read_to_string(example).expect("an example"))
            .expect("the example is YAML");
        assert_eq!(example[key], "", "{service}: an example holds no value");
    }
}

/// In check mode the Secret may be still to come: the release is then seen to change, and the chart does not miss it.
#[test]
fn a_secret_to_come_changes_the_pod() {
    let version = |sets: &[&str]| {
        let objects = render_with("mercure", sets);
        find(&objects, "Deployment/mercure")["spec"]["template"]["metadata"]["annotations"]["config-version"].clone()
    };
    assert_eq!(version(&[]), Value::Null, "there is no cluster to ask");
    assert_eq!(version(&["global.pendingSecrets={mercure-config}"]), "pending");
    assert_eq!(version(&["global.pendingSecrets={another}"]), Value::Null);
}

/// The user's variables win over the chart's.
#[test]
fn variables_of_the_values_win() {
    let container =
        server(&render_with("mercure", &["env.SERVER_NAME=:80", "env.LIMIT=1000000"]), "Deployment/mercure");
    assert_eq!(variable(&container, "SERVER_NAME")["value"], ":80");
    assert_eq!(variable(&container, "LIMIT")["value"], "1000000");
}

/// The hub needs nothing of its node; only the collector does, and it can be left out.
#[test]
fn scrutiny_asks_disks_from_a_pod_of_its_own() {
    let objects = render_with("scrutiny", &[]);
    let hub = find(&objects, "Deployment/scrutiny").to_string();
    assert!(!hub.contains("hostPath") && !hub.contains("\"privileged\":true"), "{hub}");
    let collector = server(&objects, "DaemonSet/scrutiny-collector");
    assert_eq!(variable(&collector, "COLLECTOR_API_ENDPOINT")["value"], "http://scrutiny:8080");
    assert_eq!(variable(&collector, "COLLECTOR_HOST_ID")["valueFrom"]["fieldRef"]["fieldPath"], "spec.nodeName");
    assert_eq!(kinds(&render_with("scrutiny", &["collector.enabled=false"]), "DaemonSet"), 0);
}

/// What it is told in a file makes it start anew.
#[test]
fn a_changed_file_restarts_its_readers() {
    let checksum = |sets: &[&str]| {
        let objects = render_with("scrutiny", sets);
        find(&objects, "DaemonSet/scrutiny-collector")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            .clone()
    };
    let (first, second) =
        (checksum(&["collector.config.log.level=DEBUG"]), checksum(&["collector.config.log.level=INFO"]));
    assert!(first.is_string() && second.is_string() && first != second, "{first} {second}");
}
