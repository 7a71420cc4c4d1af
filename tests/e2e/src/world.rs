//! The sandbox that the scenarios share, and what they ask of it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::{Ended, Project};

/// A project with its sandbox up.
pub struct World {
    pub project: Project,
    /// What the sandbox tells playbooks, to which scenarios add.
    variables: String,
}

impl World {
    pub fn new() -> Result<Self> {
        let project = Project::new()?;
        project.done(["sandbox", "up"])?;
        let variables = std::fs::read_to_string(variables_of(&project))?;
        Ok(Self { project, variables })
    }

    /// No release, no claim, no Secret and no variable of an earlier scenario; the inventory's own nodes.
    pub fn reset(&self) -> Result<()> {
        self.project.git(&["reset", "--quiet", "--hard", "start"])?;
        self.project.git(&["clean", "--quiet", "--force", "-d"])?;
        self.project.done(["sandbox", "up"])?;
        std::fs::write(variables_of(&self.project), &self.variables)?;
        let releases = self.project.helm(&["list", "--all", "--all-namespaces", "--output=json"])?;
        let releases: Value = serde_json::from_str(&releases)?;
        for release in releases.as_array().into_iter().flatten() {
            let word = |key: &str| release[key].as_str().unwrap_or_default().to_owned();
            self.project.helm(&["uninstall", &word("name"), "--wait", "--namespace", &word("namespace")])?;
        }
        let kinds = "deployments,statefulsets,services,secrets,configmaps,persistentvolumeclaims,jobs,pods";
        self.project.kubectl(&["delete", kinds, "--namespace=default", "--selector=app", "--wait=true"])?;
        // Helm's own records are no longer wanted either, whatever state they are in.
        self.project.kubectl(&["delete", "secrets", "--namespace=default", "--selector=owner=helm"])?;
        Ok(())
    }

    /// `cluster deploy` in the sandbox.
    pub fn deploy(&self, arguments: &[&str]) -> Result<Ended> {
        self.project.cluster(["deploy", "--target=sandbox"].iter().chain(arguments))
    }

    /// The same, which must end well.
    pub fn deployed(&self, arguments: &[&str]) -> Result<Ended> {
        self.project.done(["deploy", "--target=sandbox"].iter().chain(arguments))
    }

    /// Runs something while the sandbox's variables name another Helm.
    pub fn with_helm<T>(&self, helm: &Path, run: impl FnOnce() -> Result<T>) -> Result<T> {
        ensure!(helm.is_file(), "{} is missing: run `make tools`", helm.display());
        let vars = variables_of(&self.project);
        let before = std::fs::read_to_string(&vars)?;
        let kept = before.lines().filter(|line| !line.starts_with("helm:"));
        let text: String = kept.map(|line| format!("{line}\n")).collect();
        std::fs::write(&vars, format!("{text}helm: \"{}\"\n", helm.display()))?;
        let ended = run();
        std::fs::write(&vars, before)?;
        ended
    }

    /// Every namespaced object of the releases, with its `resourceVersion`.
    pub fn object_versions(&self) -> Result<BTreeMap<String, String>> {
        let kinds = "deployments,statefulsets,services,secrets,configmaps,persistentvolumeclaims,networkpolicies,serviceaccounts,\
                     poddisruptionbudgets,ingresses";
        let json = self.project.kubectl(&["get", kinds, "--namespace=default", "--output=json"])?;
        versions(&json)
    }

    /// Every object of every release in any namespace, with its `resourceVersion`.
    pub fn release_objects(&self) -> Result<BTreeMap<String, String>> {
        let kinds = self.project.kubectl(&["api-resources", "--verbs=list", "--output=name"])?;
        let of_releases =
            |kind: &&str| !["events", "events.events.k8s.io", "pods", "leases.coordination.k8s.io"].contains(kind);
        let kinds = kinds.split_whitespace().filter(of_releases).collect::<Vec<_>>().join(",");
        let selector = "--selector=app.kubernetes.io/managed-by=Helm";
        let json = self.project.kubectl(&["get", &kinds, "--all-namespaces", selector, "--output=json"])?;
        versions(&json)
    }

    /// A release's newest revision.
    pub fn revision(&self, release: &str) -> Result<u64> {
        let json = self.project.helm(&["history", release, "--output=json"])?;
        let history: Value = serde_json::from_str(&json)?;
        history.as_array().and_then(|all| all.last()).and_then(|last| last["revision"].as_u64()).context("a revision")
    }

    /// Helm's status of a release.
    pub fn status(&self, release: &str) -> Result<String> {
        let json = self.project.helm(&["status", release, "--output=json"])?;
        let status: Value = serde_json::from_str(&json)?;
        Ok(status["info"]["status"].as_str().unwrap_or_default().to_owned())
    }
}

fn variables_of(project: &Project) -> PathBuf {
    project.path().join(".cluster/sandbox/vars.yml")
}

/// Objects with their `resourceVersion`.
fn versions(json: &str) -> Result<BTreeMap<String, String>> {
    let list: Value = serde_json::from_str(json)?;
    let items = list["items"].as_array().context("a list")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |item: &Value| {
        let metadata = &item["metadata"];
        let (kind, namespace, name) = (text(&item["kind"]), text(&metadata["namespace"]), text(&metadata["name"]));
        (format!("{kind} {namespace}/{name}"), text(&metadata["resourceVersion"]))
    };
    Ok(items.iter().map(entry).collect())
}

/// Fails with everything that was printed when the text is not in it.
pub fn says(ended: &Ended, text: &str) -> Result<()> {
    let found = ended.stdout.contains(text) || ended.stderr.contains(text);
    ensure!(found, "`{text}` is not in:\n{}\n{}", ended.stdout, ended.stderr);
    Ok(())
}

/// Fails with everything that was printed when the exit code is another.
pub fn ends_with(ended: &Ended, code: i32) -> Result<()> {
    ensure!(
        ended.code == Some(code),
        "exit code {:?} instead of {code}\n{}\n{}",
        ended.code,
        ended.stdout,
        ended.stderr
    );
    Ok(())
}
