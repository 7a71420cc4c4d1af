//! The sandbox on the real control plane. Cold starts are few: each test brings one up and does much with it.

use camino::{Utf8Path, Utf8PathBuf};
use sandbox::{Component, Error, Event, NodeSpec, Options, Role, Sandbox};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::wait_until;

const DEADLINE: Duration = Duration::from_secs(60);

/// A project with a sandbox that goes away at the end of the test, however it ends.
struct Project {
    sandbox: Sandbox,
    tools: Utf8PathBuf,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Project {
    /// `None`, with a line for the count of skipped tests, when the tools are not there.
    fn new() -> Option<Self> {
        let tools = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin").canonicalize_utf8().ok();
        let Some(tools) = tools.filter(|tools| tools.join("kwok").exists() && tools.join("kubectl").exists()) else {
            println!("skipped: the control plane is not built (make tools)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::at(folder.path().try_into().unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Some(Self { sandbox, tools, runtime, _folder: folder })
    }

    fn options(&self, nodes: Vec<NodeSpec>) -> Options {
        let mut options = Options::new(nodes).unwrap();
        options.controller = env!("CARGO_BIN_EXE_sandbox-controller").into();
        options.tools = Some(self.tools.clone());
        options
    }

    /// Brings it up; returns what happened.
    fn up(&self, nodes: &[NodeSpec]) -> Vec<Event> {
        self.try_up(nodes).unwrap_or_else(|error| panic!("up: {error}"))
    }

    fn try_up(&self, nodes: &[NodeSpec]) -> Result<Vec<Event>, Error> {
        let events = Mutex::new(Vec::new());
        let tell = |event| events.lock().unwrap().push(event);
        let began = Instant::now();
        self.runtime.block_on(self.sandbox.up(&self.options(nodes.to_vec()), &tell))?;
        println!("up of {} nodes: {:.2} s", nodes.len(), began.elapsed().as_secs_f64());
        Ok(events.into_inner().unwrap())
    }

    fn down(&self) {
        let began = Instant::now();
        self.runtime.block_on(self.sandbox.down(&|_| {})).unwrap_or_else(|error| panic!("down: {error}"));
        println!("down: {:.2} s", began.elapsed().as_secs_f64());
    }

    fn pids(&self) -> BTreeMap<Component, i32> {
        let status = self.runtime.block_on(self.sandbox.status()).unwrap();
        status.components.iter().map(|it| (it.component, it.pid.unwrap())).collect()
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(self.tools.join("kubectl"))
            .arg(format!("--kubeconfig={}", self.sandbox.kubeconfig_path()))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn apply(&self, object: &Value) {
        self.kubectl(&["apply", "-f", "-"], &object.to_string()).unwrap();
    }

    fn get(&self, what: &str) -> Value {
        let arguments: Vec<&str> = ["get", "-o", "json"].into_iter().chain(what.split(' ')).collect();
        self.kubectl(&arguments, "").map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// Waits until a field (as a JSON pointer) has a value.
    #[track_caller]
    fn wait_for(&self, what: &str, field: &str, expected: &Value) {
        wait_until(format!("{what}{field} = {expected}"), DEADLINE, || {
            let object = self.get(what);
            let found = object.pointer(field).cloned().unwrap_or_default();
            if found == *expected { Ok(()) } else { Err(found) }
        });
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.sandbox.down(&|_| {}));
    }
}

fn machines() -> Vec<NodeSpec> {
    let controller = NodeSpec::new("amd-build", Role::Controller, "amd64", 8, 32 << 30);
    let workers = (1..=4).map(|i| NodeSpec::new(format!("pi-{i}"), Role::Worker, "arm64", 4, 8 << 30));
    [controller].into_iter().chain(workers).collect()
}

/// A Deployment of two replicas on the Pis; `volume` mounts a claim of the same name.
fn deployment(name: &str, memory: &str, volume: bool) -> Value {
    let mut pod = json!({
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "containers": [{
            "name": name, "image": "example.org/app:1",
            "resources": {"requests": {"memory": memory}},
        }],
    });
    if volume {
        pod["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": name}}]);
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    })
}

fn claim(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    })
}

fn service(name: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": [{"port": port}]},
    })
}

/// Command lines of processes that know the directory.
fn processes_of(directory: &Utf8Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(directory.as_str())).collect()
}

fn kill(pid: i32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// The life of a sandbox: up, up again, what K3s has, changed machines, down.
/// A webhook is answered by a pod, and simulated pods answer nothing: it is left out.
fn webhooks_block_nothing(project: &Project) {
    let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]});
    let webhook = json!({
        "name": "all.example.org", "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": {"name": "nobody", "namespace": "default"}}, "rules": [rule],
    });
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        let metadata = json!({"name": "blocks-all"});
        let version = "admissionregistration.k8s.io/v1";
        project.apply(&json!({"apiVersion": version, "kind": kind, "metadata": metadata, "webhooks": [webhook]}));
    }
    project.apply(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "beside-webhooks"}}));
    assert_eq!(project.get("configmap beside-webhooks")["metadata"]["name"], "beside-webhooks");
}

#[test]
fn a_sandbox_is_a_cluster_of_the_inventory_s_machines() {
    let Some(project) = Project::new() else { return };
    let events = project.up(&machines());
    assert!(events.contains(&Event::NodesChanged { created: 5, updated: 0, deleted: 0 }), "{events:?}");
    for event in &events {
        println!("  {event:?}");
    }
    up_again_changes_nothing(&project);
    nodes_are_the_machines(&project);
    leases_name_their_nodes(&project);
    files_are_private(&project);
    workloads_get_what_k3s_gives(&project);
    jobs_and_hooks_complete(&project);
    webhooks_block_nothing(&project);
    logs_say_that_nothing_runs(&project);
    helm_installs_waits_and_tests(&project);
    changed_machines_change_the_nodes(&project);

    let root = project.sandbox.root().to_owned();
    project.down();
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0, "files are left");
    assert_eq!(processes_of(&root), Vec::<String>::new());
    assert!(!project.sandbox.is_up());
    assert!(matches!(project.sandbox.env(), Err(Error::Down)));
    project.down();
}

fn up_again_changes_nothing(project: &Project) {
    let versions = |project: &Project| {
        let classes = project.get("storageclass,ingressclass");
        let items = classes["items"].as_array().unwrap().clone();
        items.into_iter().map(|it| it["metadata"]["resourceVersion"].clone()).collect::<Vec<_>>()
    };
    let (pids, before) = (project.pids(), versions(project));
    assert_eq!(project.up(&machines()), [Event::AlreadyUp { nodes: 5 }]);
    assert_eq!((project.pids(), versions(project)), (pids, before));
    assert!(project.sandbox.is_up());
}

fn nodes_are_the_machines(project: &Project) {
    let status = project.runtime.block_on(project.sandbox.status()).unwrap();
    assert!(status.up, "{status:?}");
    assert!(status.version.unwrap().starts_with("v1.35."));
    let shown: Vec<_> = status
        .nodes
        .iter()
        .map(|it| format!("{} {:?} {} {} {} {}", it.name, it.role, it.arch, it.cpu, it.memory, it.ready))
        .collect();
    assert_eq!(shown[0], "amd-build Controller amd64 8 32Gi true");
    assert_eq!(shown[4], "pi-4 Worker arm64 4 8Gi true");
    let mut addresses: Vec<_> = status.nodes.iter().map(|it| it.address.clone().unwrap()).collect();
    addresses.dedup();
    assert_eq!(addresses.len(), 5);
    assert_eq!(project.get("node amd-build")["metadata"]["labels"]["node-role.kubernetes.io/control-plane"], "true");
}

/// Within the 40 s after which a node would count as silent.
fn leases_name_their_nodes(project: &Project) {
    for node in machines() {
        let lease = format!("lease --namespace=kube-node-lease {}", node.name);
        project.wait_for(&lease, "/spec/holderIdentity", &json!(node.name));
        let owner = &project.get(&lease)["metadata"]["ownerReferences"][0];
        assert_eq!((&owner["kind"], &owner["name"]), (&json!("Node"), &json!(node.name)), "{owner}");
    }
}

fn files_are_private(project: &Project) {
    let mode = |path: &Utf8Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&project.sandbox.kubeconfig_path()), 0o600);
    assert_eq!(mode(&project.sandbox.directory()), 0o700);
    let variables = std::fs::read_to_string(project.sandbox.vars_path()).unwrap();
    assert!(variables.contains("\nansible_connection: \"local\"\n"), "{variables}");
    assert!(variables.contains(&format!("\nkubeconfig: \"{}\"\n", project.sandbox.kubeconfig_path())), "{variables}");
}

fn workloads_get_what_k3s_gives(project: &Project) {
    project.apply(&claim("store"));
    project.apply(&deployment("store", "64Mi", true));
    project.apply(&service("store", 5432));
    project.wait_for("deployment store", "/status/readyReplicas", &json!(2));
    project.wait_for("pvc store", "/status/phase", &json!("Bound"));
    let volume = project.get("pvc store")["spec"]["volumeName"].as_str().unwrap().to_owned();
    let affinity = "/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0/values/0";
    let node = project.get(&format!("pv {volume}")).pointer(affinity).cloned().unwrap();
    for pod in project.get("pod -l app=store")["items"].as_array().unwrap() {
        assert_eq!(pod["spec"]["nodeName"], node);
    }

    wait_until("addresses of the service", DEADLINE, || {
        let addresses = project.get("service store").pointer("/status/loadBalancer/ingress").cloned();
        addresses.filter(|it| it.as_array().is_some_and(|it| it.len() == 5 && it[0]["ip"] == "198.18.0.1"))
    });
    project.apply(&service("thief", 5432));
    wait_until("the conflict to be told", DEADLINE, || {
        let events = project.get("events").to_string();
        events.contains("port 5432/TCP of the nodes is taken by service default/store")
    });
    assert_eq!(project.get("service thief").pointer("/status/loadBalancer/ingress"), None);

    project.kubectl(&["create", "ingress", "store", "--rule=/*=store:5432"], "").unwrap();
    project.wait_for("ingress store", "/spec/ingressClassName", &json!("traefik"));
    project.wait_for("ingress store", "/status/loadBalancer/ingress/0/ip", &json!("198.18.0.1"));

    project.kubectl(&["delete", "deployment/store", "pvc/store", "service/thief"], "").unwrap();
    wait_until("the volume to be deleted", DEADLINE, || project.get(&format!("pv {volume}")).is_null());
}

fn jobs_and_hooks_complete(project: &Project) {
    project.kubectl(&["create", "job", "once", "--image=example.org/job:1"], "").unwrap();
    project.kubectl(&["run", "hook", "--restart=Never", "--image=example.org/hook:1"], "").unwrap();
    project.wait_for("job once", "/status/succeeded", &json!(1));
    project.wait_for("pod hook", "/status/phase", &json!("Succeeded"));
    project.kubectl(&["delete", "job/once", "pod/hook"], "").unwrap();
    wait_until("the pods to be gone", DEADLINE, || {
        let pods = project.get("pods")["items"].as_array().unwrap().len();
        if pods == 0 { Ok(()) } else { Err(format!("{pods} left")) }
    });
}

fn logs_say_that_nothing_runs(project: &Project) {
    project.apply(&deployment("talker", "16Mi", false));
    project.wait_for("deployment talker", "/status/readyReplicas", &json!(2));
    let logs = project.kubectl(&["logs", "deployment/talker"], "").unwrap();
    assert!(logs.contains("simulated"), "{logs}");
    let error = project.kubectl(&["exec", "deployment/talker", "--", "id"], "").unwrap_err();
    assert!(!error.is_empty());
    project.kubectl(&["delete", "deployment/talker"], "").unwrap();
}

/// The chart of `helm create`: a Deployment with probes, and a test that is a pod.
fn helm_installs_waits_and_tests(project: &Project) {
    let folder = tempfile::tempdir().unwrap();
    let helm = |arguments: &[&str]| {
        let output = Command::new(project.tools.join("helm"))
            .args(arguments)
            .env("KUBECONFIG", project.sandbox.kubeconfig_path())
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "helm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    helm(&["create", "web"]);
    let began = Instant::now();
    helm(&["upgrade", "-i", "web", "./web", "--wait", "--timeout", "60s"]);
    println!("helm upgrade -i --wait: {:.2} s", began.elapsed().as_secs_f64());
    assert!(helm(&["test", "web", "--timeout", "60s"]).contains("Succeeded"));
    helm(&["uninstall", "web", "--wait"]);
}

fn changed_machines_change_the_nodes(project: &Project) {
    let mut small = machines();
    small.iter_mut().for_each(|machine| machine.memory_bytes = 32 << 20);
    let events = project.up(&small);
    assert!(events.contains(&Event::NodesChanged { created: 0, updated: 5, deleted: 0 }), "{events:?}");
    project.apply(&deployment("large", "64Mi", false));
    wait_until("the scheduler to say why", DEADLINE, || {
        let pods = project.get("pod -l app=large").to_string();
        pods.contains("Insufficient memory")
    });

    let fewer = machines()[..4].to_vec();
    let events = project.up(&fewer);
    assert!(events.contains(&Event::NodesChanged { created: 0, updated: 4, deleted: 1 }), "{events:?}");
    assert_eq!(project.get("nodes")["items"].as_array().unwrap().len(), 4);
    project.wait_for("deployment large", "/status/readyReplicas", &json!(2));
}

/// Whatever is killed, `up` starts it again, and what was deployed is ready again.
#[test]
fn up_repairs_what_was_killed() {
    let Some(project) = Project::new() else { return };
    up_is_interrupted(&project);
    project.up(&machines());
    project.apply(&claim("app"));
    project.apply(&deployment("app", "64Mi", true));
    project.wait_for("deployment app", "/status/readyReplicas", &json!(2));

    for component in Component::ALL {
        kill(project.pids()[&component]);
        wait_until("the end of the process", DEADLINE, || !project.sandbox.is_up());
        print!("{component}: ");
        let events = project.up(&machines());
        assert!(events.contains(&Event::ComponentLost { component }), "{events:?}");
        works(&project, &format!("after-{component}"));
    }

    print!("all: ");
    project.pids().into_values().for_each(kill);
    wait_until("the end of the processes", DEADLINE, || processes_of(&project.sandbox.directory()).is_empty());
    project.up(&machines());
    works(&project, "after-all");

    silent_kubelets_recover(&project);
}

/// Drops `up` in the middle, as Ctrl-C does.
fn up_is_interrupted(project: &Project) {
    let interrupt = tokio::sync::Notify::new();
    let tell = |event| {
        if matches!(event, Event::ComponentStarting { component: Component::KubeScheduler, .. }) {
            interrupt.notify_one();
        }
    };
    let options = project.options(machines());
    project.runtime.block_on(async {
        tokio::select! {
            result = project.sandbox.up(&options, &tell) => panic!("not interrupted: {result:?}"),
            () = interrupt.notified() => {}
        }
    });
    assert!(!project.sandbox.is_up());
}

/// New pods are placed and run, with volumes, and the old ones are ready.
fn works(project: &Project, name: &str) {
    let name = name.to_lowercase();
    project.apply(&claim(&name));
    project.apply(&deployment(&name, "1Mi", true));
    project.wait_for(&format!("deployment {name}"), "/status/readyReplicas", &json!(2));
    project.wait_for("deployment app", "/status/readyReplicas", &json!(2));
    let pods = project.get("pods");
    let addresses: Vec<_> =
        pods["items"].as_array().unwrap().iter().map(|it| it["status"]["podIP"].to_string()).collect();
    let mut unique = addresses.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), addresses.len(), "pods share an address: {addresses:?}");
    project.kubectl(&["delete", "--wait=false", &format!("deployment/{name}"), &format!("pvc/{name}")], "").unwrap();
}

/// The node controller marks the pods of silent nodes as not ready, after 50 s; the test does so at once.
fn silent_kubelets_recover(project: &Project) {
    kill(project.pids()[&Component::Kwok]);
    wait_until("the end of kwok", DEADLINE, || !project.sandbox.is_up());
    let not_ready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}).to_string();
    let unknown = json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}).to_string();
    for (what, patch) in [("pods", &not_ready), ("nodes", &unknown)] {
        for object in project.get(what)["items"].as_array().unwrap() {
            let name = object["metadata"]["name"].as_str().unwrap();
            project.kubectl(&["patch", what, name, "--subresource=status", "-p", patch], "").unwrap();
        }
    }
    project.wait_for("deployment app", "/status/unavailableReplicas", &json!(2));
    project.up(&machines());
    project.wait_for("deployment app", "/status/readyReplicas", &json!(2));
}

/// The same with nobody helping: kwok is away until the node controller has noticed.
#[test]
#[ignore = "takes a minute and a half; `cargo test -p e2e --test sandbox -- --ignored` before taking a new kwok"]
fn kwok_comes_back_after_a_minute() {
    let Some(project) = Project::new() else { return };
    project.up(&machines());
    project.apply(&deployment("app", "64Mi", false));
    project.wait_for("deployment app", "/status/readyReplicas", &json!(2));
    kill(project.pids()[&Component::Kwok]);
    wait_until("the node controller to notice", 2 * DEADLINE, || {
        project.get("deployment app").pointer("/status/unavailableReplicas") == Some(&json!(2))
    });
    project.up(&machines());
    project.wait_for("deployment app", "/status/readyReplicas", &json!(2));
}

/// Two at once, one of them large; what `up` was killed in the middle of is taken over.
#[test]
fn two_sandboxes_live_side_by_side() {
    let (Some(small), Some(large)) = (Project::new(), Project::new()) else { return };
    let many = NodeSpec::with_workers(machines(), 200);
    std::thread::scope(|scope| {
        scope.spawn(|| large.up(&many));
        // Two terminals in one project: one brings it up, the other waits and finds it up.
        let twice = [(); 2].map(|()| scope.spawn(|| small.up(&machines())));
        let events = twice.map(|it| it.join().unwrap());
        assert_eq!(events.iter().filter(|it| it.contains(&Event::AlreadyUp { nodes: 5 })).count(), 1, "{events:?}");
        assert!(events.iter().flatten().any(|it| matches!(it, Event::WaitingForLock { .. })), "{events:?}");
    });
    assert_eq!(large.get("nodes")["items"].as_array().unwrap().len(), 201);
    assert_eq!(small.get("nodes")["items"].as_array().unwrap().len(), 5);
    assert_eq!(large.up(&many), [Event::AlreadyUp { nodes: 201 }]);

    // As after a SIGKILL of `up` before it recorded anything.
    std::fs::remove_file(small.sandbox.directory().join("state.json")).unwrap();
    small.down();
    assert_eq!(processes_of(small.sandbox.root()), Vec::<String>::new());
    assert!(large.sandbox.is_up());
    large.apply(&deployment("app", "64Mi", false));
    large.wait_for("deployment app", "/status/readyReplicas", &json!(2));
}

/// What is wrong is said, before anything is touched where that can be.
#[test]
fn what_is_wrong_is_said() {
    let Some(project) = Project::new() else { return };
    assert!(matches!(project.try_up(&[]), Err(Error::Nodes(_))));

    let folder = tempfile::tempdir().unwrap();
    let tools = Utf8Path::from_path(folder.path()).unwrap();
    let up = || {
        project.runtime.block_on(
            project.sandbox.up(&Options { tools: Some(tools.to_owned()), ..project.options(machines()) }, &|_| {}),
        )
    };
    match up() {
        Err(Error::MissingTools { missing, .. }) => assert!(missing.contains(&"etcd".to_owned()), "{missing:?}"),
        other => println!("skipped: this machine has a control plane in PATH ({other:?})"),
    }
    assert_eq!(std::fs::read_dir(project.sandbox.root()).unwrap().count(), 0);

    for name in Component::ALL.map(Component::name) {
        let script = tools.join(name);
        std::fs::write(&script, "#!/bin/sh\necho \"${0##*/}: no space left on device\"; exit 1\n").unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    }
    match up() {
        Err(Error::ComponentDied { component: Component::Etcd, tail, .. }) => {
            assert_eq!(tail, "etcd: no space left on device");
        }
        other => panic!("{other:?}"),
    }
}
