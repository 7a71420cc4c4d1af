//! A sandbox whose playbooks fetch from the test's repository into a cache of the test's own.

use super::Repository;
use anyhow::{Context, Result, ensure};
use e2e::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use support::reference;
use tempfile::TempDir;

/// A service that installs a chart of others, and what its wiring promises.
pub struct Chart {
    pub name: &'static str,
    pub version: &'static str,
    pub namespace: &'static str,
    /// One of the chart's definitions.
    pub definition: &'static str,
    /// Values that have to reach upstream's chart, as JSON.
    pub values: &'static [(&'static str, &'static str)],
}

/// In the order in which they need each other.
pub const CHARTS: &[Chart] = &[
    Chart {
        name: "cert-manager",
        version: "v1.21.1",
        namespace: "cert-manager",
        definition: "certificates.cert-manager.io",
        values: &[
            // Definitions are no part of the release.
            ("/crds/enabled", "false"),
            ("/resources/limits/memory", "\"192Mi\""),
            ("/webhook/resources/requests/cpu", "\"10m\""),
        ],
    },
    Chart {
        name: "sealed-secrets",
        version: "2.18.5",
        namespace: "kube-system",
        definition: "sealedsecrets.bitnami.com",
        values: &[
            ("/fullnameOverride", "\"sealed-secrets-controller\""),
            ("/podLabels/app", "\"sealed-secrets\""),
            ("/keyrenewperiod", "\"720h\""),
        ],
    },
    Chart {
        name: "chaos-mesh",
        version: "2.8.3",
        namespace: "chaos-mesh",
        definition: "podchaos.chaos-mesh.org",
        values: &[
            ("/chaosDaemon/runtime", "\"containerd\""),
            ("/chaosDaemon/socketPath", "\"/run/k3s/containerd/containerd.sock\""),
            ("/dashboard/securityMode", "true"),
            ("/webhook/certManager/enabled", "true"),
            ("/controllerManager/replicaCount", "1"),
        ],
    },
];

impl Chart {
    /// Its archive's file name.
    pub fn archive(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }

    /// A later version.
    pub fn newer(&self) -> String {
        format!("{}9", self.version)
    }
}

pub struct Setting<'w> {
    world: &'w World,
    repository: Option<Repository>,
    cache: TempDir,
}

impl<'w> Setting<'w> {
    /// All charts are published, none is fetched or deployed.
    pub fn new(world: &'w World) -> Result<Self> {
        let repository = Repository::new()?;
        for chart in CHARTS {
            repository.publish(chart.name, chart.version)?;
        }
        let cache = TempDir::with_prefix("upstream-cache-")?;
        let vars = world.project.path().join(".cluster/sandbox/vars.yml");
        let before = std::fs::read_to_string(&vars)?;
        let mut text: String =
            before.lines().filter(|line| !line.starts_with("upstream_")).map(|line| format!("{line}\n")).collect();
        writeln!(text, "upstream_repository: \"{}\"", repository.url())?;
        writeln!(text, "upstream_cache: \"{}\"", cache.path().display())?;
        std::fs::write(vars, text)?;
        let setting = Self { world, repository: Some(repository), cache };
        setting.clean()?;
        Ok(setting)
    }

    /// Neither releases, nor definitions, nor archives in the charts.
    pub fn clean(&self) -> Result<()> {
        let releases = self.world.project.helm(&["list", "--all", "--all-namespaces", "--short"])?;
        // The last one first: chaos-mesh has objects of cert-manager's kinds.
        for chart in CHARTS.iter().rev() {
            if releases.lines().any(|release| release == chart.name) {
                let namespace = format!("--namespace={}", chart.namespace);
                self.world.project.helm(&["uninstall", chart.name, &namespace])?;
            }
            for archive in self.placed(chart)? {
                std::fs::remove_file(self.charts(chart).join(archive))?;
            }
        }
        let names = self.world.project.kubectl(&["get", "crds", "--output=name"])?;
        let groups: Vec<_> = CHARTS.iter().filter_map(|chart| Some(chart.definition.split_once('.')?.1)).collect();
        let ours: Vec<_> = names.lines().filter(|name| groups.iter().any(|group| name.ends_with(group))).collect();
        if !ours.is_empty() {
            self.world.project.kubectl(&[&["delete", "--wait"], ours.as_slice()].concat())?;
        }
        Ok(())
    }

    pub fn publish(&self, chart: &str, version: &str) -> Result<()> {
        self.repository.as_ref().context("the repository runs")?.publish(chart, version)
    }

    pub fn end_repository(&mut self) {
        self.repository = None;
    }

    pub fn downloads(&self) -> usize {
        self.repository.as_ref().map_or(0, Repository::downloads)
    }

    /// Helm's status of its release, in its namespace.
    pub fn status(&self, chart: &Chart) -> Result<Value> {
        let namespace = format!("--namespace={}", chart.namespace);
        Ok(serde_json::from_str(&self.world.project.helm(&["status", chart.name, "--output=json", &namespace])?)?)
    }

    /// The values that the stand-in was given.
    pub fn values(&self, chart: &Chart) -> Result<Value> {
        let (name, namespace) = (format!("{}-stand-in", chart.name), format!("--namespace={}", chart.namespace));
        let path = "--output=jsonpath={.data.values\\.json}";
        Ok(serde_json::from_str(&self.world.project.kubectl(&["get", "configmap", &name, path, &namespace])?)?)
    }

    /// What a definition says of its version.
    pub fn definition(&self, chart: &Chart) -> Result<String> {
        let path = "--output=jsonpath={.spec.versions[0].schema.openAPIV3Schema.description}";
        self.world.project.kubectl(&["get", "crd", chart.definition, path])
    }

    /// `resourceVersion`s of definitions, of Helm's records and of what the releases made.
    pub fn versions(&self) -> Result<BTreeMap<String, String>> {
        let kinds = "crds,clusterissuers,certificates,secrets,configmaps,services,networkpolicies";
        let path = "--output=jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}={.metadata.resourceVersion}{\"\\n\"}{end}";
        let list = self.world.project.kubectl(&["get", kinds, "--all-namespaces", path])?;
        let found: BTreeMap<_, _> = list
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, version)| (name.into(), version.into()))
            .collect();
        ensure!(found.len() > 10, "too few objects: {list}");
        Ok(found)
    }

    /// The archive in the cache.
    pub fn cached(&self, chart: &Chart) -> PathBuf {
        self.cache.path().join(chart.archive())
    }

    /// The digest that stands beside it.
    pub fn noted_digest(&self, chart: &Chart) -> Result<String> {
        let path = format!("{}.sha256", self.cached(chart).display());
        let text = std::fs::read_to_string(&path).context(path)?;
        Ok(text.split(' ').next().unwrap_or_default().to_owned())
    }

    /// Its digest now.
    pub fn digest(&self, chart: &Chart) -> Result<String> {
        let output = Command::new("sha256sum").arg(self.cached(chart)).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default().to_owned())
    }

    /// Makes it another archive.
    pub fn spoil(&self, chart: &Chart) -> Result<()> {
        Ok(std::fs::OpenOptions::new().append(true).open(self.cached(chart))?.write_all(b"x")?)
    }

    /// The archives in the chart's `charts` folder.
    pub fn placed(&self, chart: &Chart) -> Result<Vec<String>> {
        let names =
            std::fs::read_dir(self.charts(chart))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names: Vec<String> = names.collect::<Result<_>>()?;
        Ok(names.into_iter().filter(|name| name.ends_with(".tgz")).collect())
    }

    fn charts(&self, chart: &Chart) -> PathBuf {
        self.folder(chart).join("charts")
    }

    fn folder(&self, chart: &Chart) -> PathBuf {
        self.world.project.path().join("build/charts").join(chart.name)
    }

    /// Changes a file of the chart.
    pub fn replace(&self, chart: &Chart, file: &str, old: &str, new: &str) -> Result<()> {
        let path = self.folder(chart).join(file);
        let text = std::fs::read_to_string(&path)?;
        ensure!(text.contains(old), "`{old}` is not in {}:\n{text}", path.display());
        Ok(std::fs::write(path, text.replace(old, new))?)
    }

    /// Runs its playbook with `ansible-playbook`; what that printed.
    pub fn with_ansible(&self, chart: &Chart, variables: &[&str]) -> Result<String> {
        let output = Command::new(reference("ansible-playbook")?)
            .args(["-i", "ansible/inventory/compute.ini", "-e", "@.cluster/sandbox/vars.yml"])
            .args(variables.iter().flat_map(|variable| ["-e", variable]))
            .arg(format!("build/playbooks/{}/build.yml", chart.name))
            .current_dir(self.world.project.path())
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_LOCALHOST_WARNING", "0")
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "ansible-playbook: {said}\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(said)
    }
}

impl Drop for Setting<'_> {
    fn drop(&mut self) {
        // The next scenario has nothing of these; what hinders it shows there.
        let _ = self.clean();
    }
}
