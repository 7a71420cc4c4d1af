//! One way to set a chart's values, and what Helm made of it.

use crate::lint::Object;

/// A set of values, and the objects that the chart renders to with it.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `default`, or the file with the values, below the chart's or the playbook's folder: `ci/everything-values.yaml`, `values.yml`.
    pub name: String,
    /// Whether it is what people get: the defaults, or with what this repository sets. The others try the chart's edges.
    pub is_deployed: bool,
    /// `fullnameOverride` in it.
    pub full_name: Option<String>,
    /// What came out, Helm's hooks too.
    pub objects: Vec<Object>,
}

impl Configuration {
    /// An object's name without `fullnameOverride`, as the default configuration has it.
    pub(crate) fn usual_name(&self, name: &str, release: &str) -> String {
        match self.full_name.as_deref().and_then(|full| name.strip_prefix(full)) {
            Some(rest) => format!("{release}{rest}"),
            None => name.to_owned(),
        }
    }
}
