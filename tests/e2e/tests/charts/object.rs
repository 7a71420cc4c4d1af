//! A rendered Kubernetes object.

use serde_json::Value;
use std::fmt;

pub(crate) struct Object(pub(crate) Value);

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}

impl Object {
    pub(crate) fn kind(&self) -> &str {
        self.0["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The pod that the object is or makes: its labels and its spec.
    pub(crate) fn pod(&self) -> Option<(&Value, &Value)> {
        match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => {
                let template = &self.0["spec"]["template"];
                Some((&template["metadata"]["labels"], &template["spec"]))
            }
            "CronJob" => {
                let template = &self.0["spec"]["jobTemplate"]["spec"]["template"];
                Some((&template["metadata"]["labels"], &template["spec"]))
            }
            "Pod" => Some((&self.0["metadata"]["labels"], &self.0["spec"])),
            _ => None,
        }
    }
}
