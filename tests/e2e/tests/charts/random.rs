//! Random values from each chart's schema render to valid manifests, or are refused with a reason: no template that fails, no broken
//! YAML, no rule on the structure of objects broken, and nothing that a real API server would not take.

use crate::helm::{charts, name, release, root};
use catalog::Catalog;
use catalog::lint::{
    Configuration, Files, Images, Manifests, Object, Rendered, Subject, find_rule, lint_by, parse_manifests,
};
use e2e::random_values;
use futures::{StreamExt, TryStreamExt, stream};
use kubernetes::{Cluster, DryRun, Verdict};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};
use support::Project;
use tokio::runtime::Runtime;

/// The same values each time, so that a failure can be looked at; other ones with a number in the environment variable `RANDOM_SEED`.
const SEED: u64 = 2026;

/// Sets of values for each chart.
const SETS: usize = 50;

/// Fewer that render would try the schema, and not the templates.
const LEAST_RENDERED: usize = 10;

/// Requests that the API server is given at once.
const AT_ONCE: usize = 8;

/// So many failures of a chart are told.
const TOLD: usize = 3;

/// Rules that hold with whatever values; the others are on what people get by default.
const STRUCTURE: [&str; 9] = [
    "labels",
    "selectors",
    "service-ports",
    "volumes",
    "unique-names",
    "requests-and-limits",
    "probes",
    "read-only-root",
    "privilege-escalation",
];

#[test]
fn random_values_render_or_are_refused() {
    assert!(STRUCTURE.iter().all(|rule| find_rule(rule).is_some()));
    let began = Instant::now();
    let server = Server::start().expect("a sandbox comes up");
    println!("sandbox up: {:.1} s", began.elapsed().as_secs_f64());
    let queue = Mutex::new(charts().into_iter());
    let failures = Mutex::new(Vec::new());
    let costs = Costs::default();
    let workers = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(chart) = next(&queue) {
                    if let Err(failure) = chart_takes_random_values(&chart, &server, &costs) {
                        failures.lock().expect("no worker panics with it").push(format!("{}: {failure}", name(&chart)));
                    }
                }
            });
        }
    });
    println!("{costs}; {:.1} s in all", began.elapsed().as_secs_f64());
    let failures = failures.into_inner().expect("no worker panics with it");
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

/// What the parts took, summed over the workers.
#[derive(Default)]
struct Costs(Mutex<Sums>);

#[derive(Default)]
struct Sums {
    helm: Duration,
    server: Duration,
    sets: usize,
    rendered: usize,
}

impl Costs {
    fn add(&self, add: impl FnOnce(&mut Sums)) {
        add(&mut self.0.lock().expect("no worker panics with it"));
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sums = self.0.lock().expect("no worker panics with it");
        let (helm, server) = (sums.helm.as_secs_f64(), sums.server.as_secs_f64());
        write!(
            formatter,
            "{} of {} sets rendered in {helm:.1} s, tried on the server in {server:.1} s",
            sums.rendered, sums.sets
        )
    }
}

/// A sandbox's API server, which is asked and given nothing.
struct Server {
    _sandbox: Project,
    runtime: Runtime,
    dry_run: DryRun,
    /// What it would take, as text: many values leave most objects as they are.
    taken: Mutex<HashSet<String>>,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let project = Project::new()?;
        project.done(["sandbox", "up"])?;
        let runtime = Runtime::new()?;
        let dry_run = runtime.block_on(async {
            let kubeconfig = project.kubeconfig().to_string_lossy().into_owned();
            DryRun::new(&Cluster::from_kubeconfig_file(&kubeconfig).await?).await
        })?;
        Ok(Self { _sandbox: project, runtime, dry_run, taken: Mutex::default() })
    }

    /// Kinds that only a chart of other people defines are nobody's to try.
    fn takes(&self, objects: &[Object]) -> Result<(), String> {
        let untried = objects.iter().filter(|object| !self.taken().contains(&object.value.to_string()));
        let checks = stream::iter(untried.map(|object| self.take(object)));
        self.runtime.block_on(checks.buffered(AT_ONCE).try_collect())
    }

    async fn take(&self, object: &Object) -> Result<(), String> {
        match self.dry_run.check(&object.value).await.map_err(|error| error.to_string())? {
            Verdict::Refused(reason) => Err(format!("the API server refuses {object}: {reason}")),
            Verdict::Valid | Verdict::UnknownKind(_) => {
                self.taken().insert(object.value.to_string());
                Ok(())
            }
        }
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().expect("no worker panics with it")
    }
}

fn next(queue: &Mutex<std::vec::IntoIter<PathBuf>>) -> Option<PathBuf> {
    queue.lock().expect("no worker panics with it").next()
}

fn chart_takes_random_values(chart: &Path, server: &Server, costs: &Costs) -> Result<(), String> {
    let schema = fs::read_to_string(chart.join("values.schema.json")).map_err(|error| error.to_string())?;
    let schema: Value = serde_json::from_str(&schema).map_err(|error| error.to_string())?;
    let strategy = random_values::values(&schema);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let subject = subject(chart);
    let seed = std::env::var("RANDOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let (mut rendered, mut failures) = (0, Vec::new());
    for _ in 0..SETS {
        let mut tree = strategy.new_tree(&mut runner).map_err(|reason| reason.to_string())?;
        let attempt = |values: &Value| attempt(chart, folder.path(), subject.as_ref(), server, costs, values);
        match attempt(&tree.current()) {
            Ok(did_render) => rendered += usize::from(did_render),
            Err(failure) => failures.push(smallest(&mut tree, failure, |values| attempt(values).err())),
        }
        if failures.len() == TOLD {
            break;
        }
    }
    costs.add(|sums| sums.rendered += rendered);
    if !failures.is_empty() {
        return Err(failures.join("\n"));
    }
    if rendered < LEAST_RENDERED {
        return Err(format!("only {rendered} of {SETS} sets rendered, the schema or the chart refused the others"));
    }
    Ok(())
}

/// The failure with as few values as possible, within a few tries.
fn smallest(
    tree: &mut impl ValueTree<Value = Value>,
    mut failure: String,
    try_again: impl Fn(&Value) -> Option<String>,
) -> String {
    let mut values = tree.current();
    let mut tries = 0;
    let mut is_smaller = tree.simplify();
    while is_smaller && tries < 60 {
        tries += 1;
        is_smaller = match try_again(&tree.current()) {
            Some(next) => {
                (failure, values) = (next, tree.current());
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    format!("{failure}\nwith {values}")
}

/// Whether the values rendered; an error when what came out, or the refusal, is not sound.
fn attempt(
    chart: &Path,
    folder: &Path,
    subject: Option<&Subject>,
    server: &Server,
    costs: &Costs,
    values: &Value,
) -> Result<bool, String> {
    let file = folder.join("values.json");
    fs::write(&file, values.to_string()).map_err(|error| error.to_string())?;
    let began = Instant::now();
    let output = template(chart, &file)?;
    costs.add(|sums| (sums.helm, sums.sets) = (sums.helm + began.elapsed(), sums.sets + 1));
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return if is_refusal(&said) { Ok(false) } else { Err(said) };
    }
    let objects = parse_manifests(&String::from_utf8_lossy(&output.stdout))?;
    for object in &objects {
        let value = &object.value;
        let is_object =
            value["apiVersion"].is_string() && value["kind"].is_string() && value["metadata"]["name"].is_string();
        if !is_object {
            return Err(format!("{object} of {} is no object", object.source));
        }
    }
    let began = Instant::now();
    let taken = server.takes(&objects);
    costs.add(|sums| sums.server += began.elapsed());
    taken?;
    match subject {
        Some(subject) => keeps_structure(subject, values, objects).map(|()| true),
        None => Ok(true),
    }
}

/// By the schema, or by the chart in words of its own; an error of a template names what went wrong inside.
fn is_refusal(said: &str) -> bool {
    said.contains("values don't meet the specifications of the schema") || said.contains("execution error at (")
}

fn keeps_structure(subject: &Subject, values: &Value, objects: Vec<Object>) -> Result<(), String> {
    let full_name = values["fullnameOverride"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let configuration = Configuration { name: "random".to_owned(), is_deployed: false, full_name, objects };
    let rendered = Rendered::Manifests(Manifests { configurations: vec![configuration], second: Vec::new() });
    // These rules look at no file.
    let (playbook, chart) = (Files::new("build/playbooks"), Files::new("build/charts"));
    let (service, images) = (subject.service.clone(), Arc::clone(&subject.images));
    let subject = Subject { service, playbook, chart, rendered, images };
    let rules: Vec<_> = STRUCTURE.iter().filter_map(|name| find_rule(name)).collect();
    let findings = lint_by(&subject, &rules).findings.into_iter();
    let findings: Vec<_> = findings
        .map(|finding| format!("{}: {}: {}", finding.rule, finding.object.unwrap_or_default(), finding.message))
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

/// The service of a chart; a chart that is being written may have none yet.
fn subject(chart: &Path) -> Option<Subject> {
    let root = camino::Utf8PathBuf::from_path_buf(root()).ok()?;
    let catalog = Catalog::load(&root).ok()?;
    let service = catalog.iter().find(|service| service.chart_name() == name(chart))?;
    Subject::read(service, Images::default().into()).ok()
}

fn template(chart: &Path, values: &Path) -> Result<Output, String> {
    let tools = support::tools();
    let nowhere = tools.join("no-such-file");
    let mut command = Command::new(tools.join("helm"));
    command.args(["template", &release(chart)]).arg(chart).args(["--kube-version", "1.35.0", "--values"]).arg(values);
    for name in ["KUBECONFIG", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, &nowhere);
    }
    // One on each core, for a few milliseconds.
    command.env("GOGC", "off").env("GOMAXPROCS", "1").output().map_err(|error| error.to_string())
}
