//! What K3s brings that plain Kubernetes does not: a StorageClass and the classes of its Ingress controllers.

use crate::Error;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::networking::v1::IngressClass;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{Api, PostParams};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

/// The provisioner of K3s' `local-path` StorageClass.
pub(crate) const LOCAL_PATH: &str = "rancher.io/local-path";

/// Classes that the Ingress controllers of the catalogue would install: (name, controller, default). Traefik's is K3s'
/// default.
pub(crate) const INGRESS_CLASSES: [(&str, &str, bool); 2] =
    [("traefik", "traefik.io/ingress-controller", true), ("nginx", "k8s.io/ingress-nginx", false)];

/// Makes what is not there. What is there stays as it is: a chart may have taken it over, or the user changed it.
pub(crate) async fn apply(client: &Client) -> Result<(), Error> {
    // https://github.com/k3s-io/k3s/blob/v1.35.6%2Bk3s1/manifests/local-storage.yaml
    let storage_class = json!({
        "metadata": {
            "name": "local-path",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": LOCAL_PATH,
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    });
    let classes: FuturesUnordered<_> = INGRESS_CLASSES
        .iter()
        .map(|(name, controller, is_default)| {
            let class = json!({
                "metadata": {
                    "name": name,
                    "annotations": {"ingressclass.kubernetes.io/is-default-class": is_default.to_string()},
                },
                "spec": {"controller": controller},
            });
            ensure::<IngressClass>(client, class, "ingress class")
        })
        .collect();
    ensure::<StorageClass>(client, storage_class, "storage class").await?;
    classes.try_collect().await
}

async fn ensure<K>(client: &Client, object: serde_json::Value, what: &str) -> Result<(), Error>
where
    K: Resource<Scope = k8s_openapi::ClusterResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize,
{
    let object: K = serde_json::from_value(object).expect("the objects above have the shape of their kinds");
    let asked = format!("making {what} `{}`", object.name_any());
    match Api::all(client.clone()).create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        result => result.map(drop).map_err(Error::api(asked)),
    }
}
