//! Whether the API server would take objects, without giving it any: everything that it checks at creation, and no unknown field.

use crate::{Cluster, Error};
use kube::Resource;
use kube::api::{Api, DynamicObject};
use kube::core::{GroupVersionKind, Status};
use kube::discovery::{Discovery, Scope};
use serde_json::Value;

/// What the API server says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It would take it.
    Valid,
    /// It would not, for this reason.
    Refused(String),
    /// It does not know the kind: a custom resource whose definition is not installed.
    UnknownKind(String),
}

/// The kinds that an API server knows, and a way to try objects on it. Nothing is kept there.
pub struct DryRun {
    cluster: Cluster,
    discovery: Discovery,
    namespaces: Vec<String>,
}

/// Objects of releases may exist already. The server checks an object before it looks whether its name is taken.
const TAKEN: &str = "AlreadyExists";

impl DryRun {
    /// Asks for the kinds and namespaces that there are.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn new(cluster: &Cluster) -> Result<Self, Error> {
        let discovery = Discovery::new(cluster.client.clone()).run().await;
        let discovery = discovery.map_err(|error| cluster.error("asking for the kinds of objects", error))?;
        let namespaces: Vec<k8s_openapi::api::core::v1::Namespace> =
            cluster.list(Api::all(cluster.client.clone()), "namespaces", "").await?;
        let namespaces = namespaces.into_iter().filter_map(|namespace| namespace.metadata.name).collect();
        Ok(Self { cluster: cluster.clone(), discovery, namespaces })
    }

    /// Tries an object: its schema with no field unknown or given twice (`fieldValidation=Strict`), the values, and admission.
    /// An object of a namespace that does not exist yet is tried in `default`.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn check(&self, object: &Value) -> Result<Verdict, Error> {
        let Some(kind) = kind_of(object) else {
            return Ok(Verdict::Refused("it has no `apiVersion` and `kind`".to_owned()));
        };
        let Some((resource, capabilities)) = self.discovery.resolve_gvk(&kind) else {
            return Ok(Verdict::UnknownKind(format!("{}/{}", kind.api_version(), kind.kind)));
        };
        let (namespace, object) = match capabilities.scope {
            Scope::Cluster => (None, object.clone()),
            Scope::Namespaced => self.placed(object),
        };
        let path = DynamicObject::url_path(&resource, namespace.as_deref());
        let request = http::Request::post(format!("{path}?dryRun=All&fieldValidation=Strict"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes());
        let Ok(request) = request else {
            return Ok(Verdict::Refused(format!("`{path}` is no path")));
        };
        match self.cluster.client.request::<Value>(request).await {
            Ok(_) => Ok(Verdict::Valid),
            Err(kube::Error::Api(status)) if status.reason == TAKEN || is_port_taken(&status) => Ok(Verdict::Valid),
            Err(kube::Error::Api(status)) if status.code < 500 => Ok(Verdict::Refused(status.message.clone())),
            Err(error) => Err(self.cluster.error(format!("trying {}", kind.kind), error)),
        }
    }

    /// The object in a namespace that exists. A pod by itself would need its service account, which is one of the objects to come.
    fn placed(&self, object: &Value) -> (Option<String>, Value) {
        let mut object = object.clone();
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
        let exists = self.namespaces.iter().any(|name| name == namespace);
        let namespace = if exists { namespace } else { "default" }.to_owned();
        object["metadata"]["namespace"] = Value::String(namespace.clone());
        if object["kind"] == "Pod" && object["spec"].is_object() {
            object["spec"]["serviceAccountName"] = Value::String("default".to_owned());
        }
        (Some(namespace), object)
    }
}

/// A fixed node port that the very service holds already.
fn is_port_taken(status: &Status) -> bool {
    status.message.contains("provided port is already allocated")
}

fn kind_of(object: &Value) -> Option<GroupVersionKind> {
    let version = object["apiVersion"].as_str()?;
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    Some(GroupVersionKind::gvk(group, version, object["kind"].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_are_read_from_the_version() {
        let kind = kind_of(&json!({"apiVersion": "apps/v1", "kind": "Deployment"})).unwrap();
        assert_eq!((kind.group.as_str(), kind.version.as_str()), ("apps", "v1"));
        let kind = kind_of(&json!({"apiVersion": "v1", "kind": "Service"})).unwrap();
        assert_eq!((kind.group.as_str(), kind.version.as_str()), ("", "v1"));
        assert!(kind_of(&json!({"kind": "Service"})).is_none());
    }
}
