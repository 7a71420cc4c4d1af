//! Helm, and the charts that it is tried on.

use crate::object::Object;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository exists")
}

/// The application charts: every folder with a `Chart.yaml` that is not a library. Those that wire an upstream chart can't be
/// rendered without it.
pub(crate) fn charts() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("build/charts")).expect("build/charts exists");
    let mut charts: Vec<_> =
        entries.map(|entry| entry.expect("a readable folder").path()).filter(|path| is_application(path)).collect();
    charts.sort();
    assert!(!charts.is_empty(), "no chart in build/charts");
    charts
}

fn is_application(path: &Path) -> bool {
    fs::read_to_string(path.join("Chart.yaml"))
        .is_ok_and(|text| text.contains("\ntype: application\n") && !text.contains("\n    repository: "))
}

/// The release's usual name: the service's as a DNS label.
pub(crate) fn release(chart: &Path) -> String {
    name(chart).replace('.', "-")
}

/// A chart's default value at a path such as `image.tag`, if it has one.
pub(crate) fn default_value(chart: &Path, path: &str) -> Option<Value> {
    let text = fs::read_to_string(chart.join("values.yaml")).expect("a chart has values");
    let values: Value = serde_saphyr::from_str(&text).expect("values are YAML");
    path.split('.').try_fold(values, |value, key| value.get(key).cloned())
}

/// The folder's name.
pub(crate) fn name(chart: &Path) -> &str {
    chart.file_name().and_then(|name| name.to_str()).expect("charts have names")
}

/// Values files of a chart's edge configurations, in its `ci` folder as chart-testing has it, and none for the default.
pub(crate) fn configurations(chart: &Path) -> Vec<Vec<String>> {
    let mut configurations = vec![Vec::new()];
    let mut files: Vec<_> =
        fs::read_dir(chart.join("ci")).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    configurations.extend(files.iter().map(|file| vec!["--values".to_owned(), file.display().to_string()]));
    configurations
}

/// Runs the pinned Helm, away from any cluster and from the user's own settings.
pub(crate) fn helm(arguments: &[&str]) -> Output {
    run("helm", arguments)
}

/// The same with Helm 4.
pub(crate) fn helm4(arguments: &[&str]) -> Output {
    run("helm4", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let tools = std::env::var_os("CLUSTER_TOOLS_DIR").map_or_else(|| root().join(".tools/bin"), PathBuf::from);
    let helm = tools.join(program);
    assert!(helm.is_file(), "{} does not exist: run `make tools` first", helm.display());
    let nowhere = tools.join("no-such-file");
    Command::new(&helm)
        .args(arguments)
        .env("KUBECONFIG", &nowhere)
        .env("HELM_CACHE_HOME", &nowhere)
        .env("HELM_CONFIG_HOME", &nowhere)
        .env("HELM_DATA_HOME", &nowhere)
        .output()
        .expect("helm starts")
}

/// Both streams, for messages.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The objects of a chart, hooks too.
pub(crate) fn render(chart: &Path, release: &str, options: &[String]) -> Vec<Object> {
    let path = chart.display().to_string();
    let mut arguments = vec!["template", release, &path, "--kube-version", "1.35.0"];
    arguments.extend(options.iter().map(String::as_str));
    let output = helm(&arguments);
    assert!(output.status.success(), "{} {options:?}: {}", name(chart), said(&output));
    let text = String::from_utf8(output.stdout).expect("manifests are text");
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", name(chart)));
    documents.into_iter().filter(|document| !document.is_null()).map(Object).collect()
}

/// What Helm says when it refuses values; panics if it takes them.
pub(crate) fn refusal(chart: &Path, set: &str) -> String {
    let path = chart.display().to_string();
    let output = helm(&["template", &release(chart), &path, "--set", set]);
    assert!(!output.status.success(), "{} takes `{set}`", name(chart));
    said(&output)
}
