//! A rendered Kubernetes object.

use serde_json::Value;
use std::fmt;

/// A rendered Kubernetes object, and the template that it came from.
#[derive(Debug, Clone)]
pub struct Object {
    /// The object itself.
    pub value: Value,
    /// `notes/templates/server.yaml`, as Helm's comment says; empty when there was none.
    pub source: String,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}

/// The labels and the spec of the pods that an object makes, or is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pod<'a> {
    pub(crate) labels: &'a Value,
    pub(crate) spec: &'a Value,
}

impl<'a> Pod<'a> {
    /// Every container, those that run first too.
    pub(crate) fn containers(self) -> impl Iterator<Item = &'a Value> {
        ["initContainers", "containers"].into_iter().flat_map(move |key| items(&self.spec[key]))
    }
}

impl Object {
    /// `Deployment`
    pub fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.value["metadata"]["labels"][name].as_str()
    }

    /// A long-running workload, not a Job.
    pub(crate) fn serves(&self) -> bool {
        matches!(self.kind(), "Deployment" | "StatefulSet" | "DaemonSet")
    }

    /// Whether it came from a chart of other people, which this one only depends on. The library has no objects of its own.
    pub fn is_upstream(&self) -> bool {
        self.source.split('/').nth(1) == Some("charts")
    }

    /// The pods that the object makes, or is.
    pub(crate) fn pod(&self) -> Option<Pod<'_>> {
        let template = match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => &self.value["spec"]["template"],
            "CronJob" => &self.value["spec"]["jobTemplate"]["spec"]["template"],
            "Pod" => &self.value,
            _ => return None,
        };
        Some(Pod { labels: &template["metadata"]["labels"], spec: &template["spec"] })
    }
}

/// The items of a list, none of anything else.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Whether a selector's labels are all among these. One without labels selects everything, which nobody means.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object();
    selector.is_some_and(|selector| {
        !selector.is_empty() && selector.iter().all(|(name, value)| labels.get(name) == Some(value))
    })
}

/// The objects that `helm template` printed.
///
/// # Errors
/// A document that is not YAML, with its template's name.
pub fn parse_manifests(text: &str) -> Result<Vec<Object>, String> {
    let mut objects = Vec::new();
    for document in format!("\n{text}").split("\n---\n") {
        let mut comments = document.lines().filter_map(|line| line.strip_prefix("# Source: "));
        let source = comments.next().unwrap_or_default().trim().to_owned();
        let value: Value = serde_saphyr::from_str(document)
            .map_err(|error| format!("`{source}` renders to no YAML: {}", error.without_snippet()))?;
        if !value.is_null() {
            objects.push(Object { value, source });
        }
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_template() {
        let text = "---\n# Source: notes/templates/a.yaml\nkind: Service\nmetadata: {name: a}\n---\n# Source: \
                    notes/charts/other/templates/b.yaml\nkind: Pod\n---\n# Source: notes/templates/empty.yaml\n";
        let objects = parse_manifests(text).unwrap();
        assert_eq!(objects.len(), 2);
        assert_eq!((objects[0].to_string().as_str(), objects[0].is_upstream()), ("Service/a", false));
        assert!(objects[1].is_upstream());
        let refusal = parse_manifests("---\n# Source: notes/templates/a.yaml\na: b: c\n").unwrap_err();
        assert!(refusal.starts_with("`notes/templates/a.yaml` renders to no YAML"), "{refusal}");
    }
}
