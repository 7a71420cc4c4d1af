//! A chart's `Chart.yaml`, as far as the catalogue shows it.

use crate::tree;
use camino::Utf8Path;
use diagnostic::Mistake;
use serde::Deserialize;

/// Name and version of a chart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    /// The chart's name.
    pub name: String,
    /// The chart's own version.
    pub version: semver::Version,
    /// The version of what it installs.
    #[serde(default)]
    pub app_version: Option<String>,
    /// What it is.
    #[serde(default)]
    pub description: Option<String>,
}

impl Chart {
    /// Reads `Chart.yaml` in a chart's folder. Helm checks the rest of it.
    pub(crate) fn read(folder: &Utf8Path) -> Result<Self, Box<Mistake>> {
        let path = folder.join("Chart.yaml");
        let text = diagnostic::text("file", path.as_str(), std::fs::read(&path))?;
        serde_saphyr::from_str(&text).map_err(|error| Box::new(tree::mistake(&error, path.as_str())))
    }
}
