//! The catalogue as tests see it: what `cluster catalog list` says of each service, and encrypted configuration for those that need it.

use crate::Project;
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A service of the catalogue.
#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The namespace of its release.
    pub namespace: String,
    /// Whether it has encrypted configuration.
    pub vault: bool,
    release: Option<String>,
    chart: Option<String>,
}

/// All of them, in the order of a deployment.
pub fn services(project: &Project) -> Result<Vec<Service>> {
    let list = project.done(["catalog", "list", "--output=json"])?;
    list.stdout.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

impl Service {
    /// Its Helm release.
    pub fn release(&self) -> String {
        self.release.clone().unwrap_or_else(|| self.name.replace('.', "-"))
    }

    /// The folder of its chart's name under `build/charts`.
    pub fn chart(&self) -> &str {
        self.chart.as_deref().unwrap_or(&self.name)
    }

    /// Whether its chart is somebody else's, which has to be fetched.
    pub fn is_upstream(&self, project: &Project) -> Result<bool> {
        let path = project.path().join("build/charts").join(self.chart()).join("Chart.yaml");
        let chart: Value = serde_saphyr::from_str(&std::fs::read_to_string(&path)?)?;
        let dependencies = chart["dependencies"].as_array().cloned().unwrap_or_default();
        Ok(dependencies.iter().any(|one| one["repository"].as_str().is_some_and(|url| !url.is_empty())))
    }

    /// The keys that its `cfg.example.yml` lists.
    pub fn keys(&self, project: &Project) -> Result<Vec<String>> {
        let example = project.path().join("build/playbooks").join(&self.name).join("cfg.example.yml");
        let text = std::fs::read_to_string(&example).with_context(|| example.display().to_string())?;
        let keys: BTreeMap<String, Value> = serde_saphyr::from_str(&text)?;
        Ok(keys.into_keys().collect())
    }

    /// Makes its `cfg.enc`.
    pub fn configure(&self, project: &Project, values: &BTreeMap<String, String>, password: &Path) -> Result<()> {
        let text: String = values.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        let path = project.write(&format!("build/playbooks/{}/cfg.enc", self.name), &text)?;
        let words = ["vault".as_ref(), "encrypt".as_ref(), path.as_os_str(), "--vault-password-file".as_ref()];
        project.done(words.into_iter().chain([password.as_os_str()]))?;
        Ok(())
    }
}
