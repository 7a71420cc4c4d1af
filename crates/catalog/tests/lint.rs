//! Every rule: a good service keeps all of them, and one edit breaks each.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use catalog::lint::{
    Configuration, Files, Finding, Images, Manifests, RULES, Rendered, Report, Subject, lint, object_names,
    parse_manifests,
};
use catalog::{Error, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The texts that a service is made of here, by name.
type Texts = BTreeMap<&'static str, String>;

/// A service that keeps every rule.
fn good() -> Texts {
    BTreeMap::from([
        ("service.yml", include_str!("inputs/lint/service.yml").to_owned()),
        ("values.yaml", include_str!("inputs/lint/values.yaml").to_owned()),
        ("images.yml", include_str!("inputs/lint/images.yml").to_owned()),
        ("manifests.yaml", include_str!("inputs/lint/manifests.yaml").to_owned()),
        ("values.yml", "persistence: {size: 2Gi}\n".to_owned()),
        ("cfg.example.yml", "# Signs tokens.\npub_key: \"\"\n".to_owned()),
        ("cfg.enc", vault_file()),
        ("README.md", "# notes\n\nNotes that several people share.\n".to_owned()),
        ("chart README.md", "# notes\n\nThe chart of notes.\n".to_owned()),
        ("Chart.yaml", "name: notes\nversion: 0.1.0\n".to_owned()),
        ("values.schema.json", "{}".to_owned()),
        ("templates/NOTES.txt", "It runs.".to_owned()),
        ("templates/tests/http.yaml", "kind: Pod".to_owned()),
        ("ci/everything-values.yaml", "persistence: {size: 9Gi}\n".to_owned()),
        ("ci/nothing-values.yaml", "persistence: {}\n".to_owned()),
    ])
}

/// An envelope as Ansible writes it; nobody knows its password.
fn vault_file() -> String {
    let password = vault::Password::new(b"any".to_vec()).unwrap();
    vault::encrypt(b"pub_key: x\n", &password, None).unwrap()
}

fn subject(texts: &Texts) -> Subject {
    let mut service: Service = serde_saphyr::from_str(&texts["service.yml"]).unwrap();
    service.folder = "build/playbooks/notes".into();
    service.chart_folder = "build/charts/notes".into();
    let (mut playbook, mut chart) = (Files::new(service.folder.clone()), Files::new(service.chart_folder.clone()));
    let of_playbook = ["service.yml", "values.yml", "cfg.example.yml", "cfg.enc", "README.md"];
    for (path, text) in texts {
        match *path {
            "manifests.yaml" | "images.yml" => {}
            path if of_playbook.contains(&path) => playbook.insert(path, text.as_str()),
            path => chart.insert(path.trim_start_matches("chart "), text.as_str()),
        }
    }
    let objects = parse_manifests(&texts["manifests.yaml"]).unwrap();
    let second = texts["manifests.yaml"].replace("name: notes", "name: second-notes").replace("Zmlyc3Q", "c2Vjb25");
    let configuration = |name: &str, is_deployed| Configuration {
        name: name.to_owned(),
        is_deployed,
        full_name: None,
        objects: objects.clone(),
    };
    let configurations = vec![configuration("default", true), configuration("ci/everything-values.yaml", false)];
    let second = parse_manifests(&second).unwrap();
    let images = Arc::new(Images::parse(&texts["images.yml"], "build/images.yml").unwrap());
    let rendered = Rendered::Manifests(Manifests { configurations, second });
    Subject { service, playbook, chart, rendered, images }
}

/// What is found after one edit: `from` becomes `to` wherever it stands in a text. An empty `from` takes the text away.
fn after(text: &'static str, from: &str, to: &str) -> Report {
    let mut texts = good();
    if from.is_empty() {
        texts.remove(text).unwrap();
    } else {
        let changed = texts[text].replace(from, to);
        assert_ne!(changed, texts[text], "{text} has no `{from}`");
        texts.insert(text, changed);
    }
    lint(&subject(&texts))
}

fn told(finding: &Finding) -> String {
    let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
    let place = format!("{}{line}", finding.file.as_deref().unwrap_or("-"));
    let object = finding.object.as_deref().map_or_else(String::new, |object| format!(" {object}"));
    format!("{place}{object}: {}", finding.message)
}

/// Rule, text, what is replaced in it and by what, and what is said of it.
const EDITS: &[(&str, &str, &str, &str, &str)] = &[
    ("readme", "README.md", "", "", "build/playbooks/notes/README.md: there is no `README.md`"),
    ("readme", "chart README.md", "# notes", "notes", "build/charts/notes/README.md: `README.md` says nothing"),
    ("schema-comment", "service.yml", "$schema=", "$scheme=", "service.yml:1: the first line does not name the schema"),
    ("chart-files", "templates/NOTES.txt", "", "", "templates/NOTES.txt: there is no `templates/NOTES.txt`"),
    ("chart-files", "values.schema.json", "", "", "there is no `values.schema.json`"),
    ("chart-files", "templates/tests/http.yaml", "", "", "there is no test for `helm test`"),
    ("edge-configurations", "ci/nothing-values.yaml", "", "", "there is no `ci/nothing-values.yaml`"),
    ("edge-configurations", "values.yml", "", "", "build/playbooks/notes/values.yml: there is no `values.yml`"),
    ("vault-example", "cfg.example.yml", "", "", "service.yml:7: there is no `cfg.example.yml`"),
    ("vault-example", "cfg.example.yml", "\"\"", "abc", "cfg.example.yml:2: `pub_key` has a value"),
    ("vault-example", "values.yaml", "existingSecret", "secretName", "the chart has no value `existingSecret`"),
    ("vault-example", "service.yml", "vault: true", "vault: false", "`cfg.enc` is there, but"),
    ("encrypted-files", "cfg.enc", "$ANSIBLE_VAULT", "pub_key: x\n", "cfg.enc:1: `cfg.enc` is not encrypted"),
    (
        "default-passwords",
        "values.yaml",
        "password: \"\"",
        "password: hunter2",
        "values.yaml:5: `password` has a value",
    ),
    ("default-passwords", "values.yml", "size: 2Gi", "apiKey: 12345", "values.yml:1: `apiKey` has a value"),
    ("default-passwords", "values.yml", "{size: 2Gi}", "{passwords: [a1]}", "values.yml:1: `passwords` has a value"),
    ("default-passwords", "values.yml", "{size: 2Gi}", "{owners: [changeme]}", "`owners` is a well-known password"),
    ("default-passwords", "values.yml", "{size: 2Gi}", "{owner: changeme}", "`owner` is a well-known password"),
    (
        "default-passwords",
        "manifests.yaml",
        "Zmlyc3Q",
        "Zml5c3Q",
        "secret/notes: `password` is the same in every release",
    ),
    (
        "default-passwords",
        "manifests.yaml",
        "Zmlyc3QtZ2VuZXJhdGVkLXBhc3N3b3JkLW9mLXRoaXJ0eS10d28=",
        "Zmlyc3Q=",
        "is generated, but short",
    ),
    (
        "plaintext-secrets",
        "templates/tests/http.yaml",
        "kind: Pod",
        "env:\n  password: Tr0ub4dor-and-3",
        "http.yaml:2: a value under `password`",
    ),
    ("image-version", "manifests.yaml", "busybox:1.38", "busybox:latest", "image `busybox:latest` has no version"),
    ("image-version", "manifests.yaml", "busybox:1.38", "busybox", "image `busybox` has no version"),
    ("image-digest", "manifests.yaml", "@sha256:0123", "", "image `example/notes:1.2.3` is known to be `sha256:0123`"),
    ("image-digest", "manifests.yaml", "@sha256:0123", "@sha256:9", "has another digest than the known `sha256:0123`"),
    ("architectures", "manifests.yaml", "busybox:1.38", "busybox:1.39", "is not listed in `build/images.yml`"),
    (
        "architectures",
        "images.yml",
        "[amd64, arm64], digest",
        "[amd64], digest",
        "it can be scheduled to arm64, for which image",
    ),
    (
        "architectures",
        "images.yml",
        "[amd64, arm64], digest",
        "[amd64], digest",
        "service.yml:6: the images exist for amd64, and",
    ),
    (
        "requests-and-limits",
        "manifests.yaml",
        "limits: {memory: 64Mi}",
        "limits: {}",
        "`notes` has no limits of memory",
    ),
    ("probes", "manifests.yaml", "livenessProbe", "otherProbe", "container `notes` has no livenessProbe"),
    (
        "run-as-non-root",
        "manifests.yaml",
        "runAsUser: 1000",
        "runAsUser: 0",
        "deployment/notes: `runAsUser` is not above 0",
    ),
    ("run-as-non-root", "manifests.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "`runAsNonRoot` is not true"),
    ("seccomp-profile", "manifests.yaml", "{type: RuntimeDefault}", "{type: Unconfined}", "is not RuntimeDefault"),
    ("read-only-root", "manifests.yaml", "readOnlyRootFilesystem: true", "x: 1", "of container `http` is writable"),
    ("privilege-escalation", "manifests.yaml", "allowPrivilegeEscalation: false", "privileged: true", "is privileged"),
    ("privilege-escalation", "manifests.yaml", "allowPrivilegeEscalation: false", "x: 1", "can gain privileges"),
    ("capabilities", "manifests.yaml", "drop: [ALL]", "drop: [NET_RAW]", "does not drop all capabilities"),
    ("capabilities", "manifests.yaml", "drop: [ALL]", "drop: [ALL], add: [CHOWN]", "adds [\"CHOWN\"]"),
    ("host-namespaces", "manifests.yaml", "automountServiceAccountToken: true", "hostPID: true", "`hostPID` is true"),
    (
        "host-paths",
        "manifests.yaml",
        "persistentVolumeClaim: {claimName: notes}",
        "hostPath: {path: /}",
        "`/` of the node is mounted",
    ),
    (
        "service-account-token",
        "manifests.yaml",
        "automountServiceAccountToken: false",
        "x: 1",
        "pod/notes-test-http: the service account's token",
    ),
    (
        "network-policy",
        "manifests.yaml",
        "podSelector: {matchLabels: {app.k",
        "podSelector: {matchLabels: {x.k",
        "no policy covers its pods",
    ),
    ("network-policy", "manifests.yaml", "[Ingress, Egress]", "[Ingress]", "it says nothing of one direction"),
    (
        "network-policy",
        "manifests.yaml",
        "automountServiceAccountToken: true",
        "hostNetwork: true",
        "no policy reaches pods",
    ),
    ("labels", "manifests.yaml", "    app: notes\n", "    apps: notes\n", "it has no label `app`"),
    ("labels", "manifests.yaml", "    helm.sh/chart: notes-0.1.0\n", "", "it has no label `helm.sh/chart`"),
    ("labels", "manifests.yaml", "    app: notes\n", "    app: other\n", "its label `app` is `other`, not `notes`"),
    (
        "selectors",
        "manifests.yaml",
        "component: server}\n  ports",
        "component: web}\n  ports",
        "service/notes: its selector finds nothing",
    ),
    (
        "selectors",
        "manifests.yaml",
        ", app.kubernetes.io/component: server}\n  ports",
        "}\n  ports",
        "its selector finds Deployment/notes, Pod/",
    ),
    ("service-ports", "manifests.yaml", "targetPort: http", "targetPort: web", "no container has port \"web\""),
    ("service-name", "service.yml", "vault: true", "vault: true\nrelease: memos", "no Service is called `memos`"),
    (
        "volumes",
        "manifests.yaml",
        "volumeMounts: [{name: data",
        "volumeMounts: [{name: x",
        "volume `data` is mounted nowhere",
    ),
    (
        "volumes",
        "manifests.yaml",
        "volumeMounts: [{name: data",
        "volumeMounts: [{name: x",
        "`x` is mounted, but no volume",
    ),
    ("unique-names", "manifests.yaml", "name: NOTES_LIMIT", "name: NOTES_DATA", "`NOTES_DATA` stands twice in env"),
    (
        "storage-class",
        "manifests.yaml",
        "accessModes: [ReadWriteOnce]",
        "storageClassName: fast",
        "class `fast` is taken by default",
    ),
    ("storage-class", "values.yaml", "storageClass", "class", "no value `storageClass` chooses its class"),
    ("shared-names", "manifests.yaml", "  name: notes\n", "  name: fixed\n", "a second release has it too"),
    (
        "verify-targets",
        "service.yml",
        "port: 80",
        "port: 81",
        "service.yml:9: Service `notes` has no port 81, only [80]",
    ),
    ("verify-targets", "service.yml", "{service: notes,", "{service: memos,", "the chart renders no Service `memos`"),
    (
        "verify-targets",
        "service.yml",
        "exec: {workload: deployment/notes",
        "exec: {workload: deployment/x",
        "renders no `deployment/x`",
    ),
    (
        "verify-targets",
        "service.yml",
        "backup: {workload: deployment",
        "backup: {workload: daemonset",
        "renders no `daemonset/notes`",
    ),
    (
        "exceptions",
        "service.yml",
        "rule: service-account-token",
        "rule: service-acount-token",
        "service.yml:13: `service-acount-token` is no rule",
    ),
    ("exceptions", "service.yml", "rule: service-account-token", "rule: labels", "rule `labels` knows no exceptions"),
    (
        "exceptions",
        "manifests.yaml",
        "automountServiceAccountToken: true",
        "automountServiceAccountToken: false",
        "is not needed",
    ),
];

#[test]
fn a_good_service_keeps_every_rule() {
    let report = lint(&subject(&good()));
    let found: Vec<_> = report.findings.iter().map(told).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(report.passed.len(), RULES.len());
}

#[test]
fn one_edit_breaks_each_rule() {
    for (rule, text, from, to, said) in EDITS {
        let report = after(text, from, to);
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.rule == *rule).map(told).collect();
        assert!(found.iter().any(|one| one.contains(said)), "{rule} ({text}: {from} -> {to}): {found:#?}");
        assert!(!report.passed.contains(rule), "{rule}");
    }
}

#[test]
fn no_rule_is_without_an_edit() {
    let tried: BTreeSet<_> = EDITS.iter().map(|edit| edit.0).collect();
    let rules: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(tried, rules);
}

/// One finding, with the configurations in which it was made, and the rule's hint.
#[test]
fn a_finding_of_several_configurations_is_one() {
    let report = after("manifests.yaml", "livenessProbe", "otherProbe");
    let [finding] = report.findings.as_slice() else { panic!("{:#?}", report.findings) };
    assert_eq!(finding.configurations, ["default", "ci/everything-values.yaml"]);
    assert_eq!(finding.file.as_deref(), Some("build/charts/notes/templates/server.yaml"));
    assert_eq!(finding.object.as_deref(), Some("deployment/notes"));
}

/// An exception is for one workload, under the name that the default values give it.
#[test]
fn exceptions_follow_renamed_objects() {
    let mut subject = subject(&good());
    let Rendered::Manifests(manifests) = &mut subject.rendered else { panic!("it is rendered") };
    let renamed = include_str!("inputs/lint/manifests.yaml").replace("  name: notes", "  name: memos");
    manifests.configurations.push(Configuration {
        name: "ci/other-values.yaml".to_owned(),
        is_deployed: false,
        full_name: Some("memos".to_owned()),
        objects: parse_manifests(&renamed).unwrap(),
    });
    let report = lint(&subject);
    assert_eq!(report.findings, []);
}

#[test]
fn without_manifests_rules_are_not_run_and_exceptions_not_blamed() {
    let mut subject = subject(&good());
    subject.rendered = Rendered::Missing("no chart".to_owned());
    let report = lint(&subject);
    assert_eq!(report.findings, []);
    assert_eq!(report.not_run.len(), RULES.iter().filter(|rule| rule.needs_manifests).count());
    assert!(report.not_run.iter().all(|not_run| not_run.reason == "no chart"));
}

/// What comes from other people's charts is not held to the rules for ours.
#[test]
fn objects_of_dependencies_are_left_alone() {
    let foreign = "\n---\n# Source: notes/charts/other/templates/x.yaml\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: \
                   {containers: [{name: x, image: \"busybox:1.38\"}]}}}\n";
    let mut texts = good();
    texts.get_mut("manifests.yaml").unwrap().push_str(foreign);
    assert_eq!(lint(&subject(&texts)).findings, []);
}

#[test]
fn the_reference_names_every_rule_with_exceptions() {
    let reference = include_str!("../../../docs/reference/service.yml");
    for rule in RULES.iter().filter(|rule| rule.can_be_excepted) {
        assert!(reference.contains(&format!(" {} ", rule.name)), "{} is not in docs/reference/service.yml", rule.name);
    }
}

#[test]
fn the_facts_of_this_repository_are_well_formed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let images = match Images::load(root.into()) {
        Ok(images) => images,
        Err(Error::Mistakes(mistakes)) => panic!("{:#?}", mistakes.iter().collect::<Vec<_>>()),
        Err(error) => panic!("{error}"),
    };
    assert!(images.iter().count() > 40);
}

#[test]
fn two_services_with_objects_of_one_name_are_told_apart_by_namespace() {
    let own = subject(&good());
    let other = |namespace: &str| {
        let mut texts = good();
        let named = format!("name: memos\nnamespace: {namespace}\nrelease: notes\n");
        texts.insert("service.yml", texts["service.yml"].replace("name: notes\n", &named));
        let manifests = texts["manifests.yaml"].replace("namespace: default", &format!("namespace: {namespace}"));
        texts.insert("manifests.yaml", manifests);
        subject(&texts)
    };
    let found = object_names(&[own.clone(), other("default")]);
    assert_eq!(found[0], []);
    let all: Vec<_> = found[1].iter().map(told).collect();
    assert!(all.iter().any(|one| one.contains("deployment/notes: notes installs it too")), "{all:#?}");
    assert_eq!(object_names(&[own.clone(), other("elsewhere")])[1], []);
    assert_eq!(object_names(&[own])[0], []);
}
