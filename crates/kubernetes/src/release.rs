//! Helm's releases, read from where Helm 3 and 4 store them: Secrets of type `helm.sh/release.v1`, named
//! `sh.helm.release.v1.<name>.v<revision>`, whose `release` is base64 of gzip of JSON (helm `pkg/storage/driver/util.go`).

use crate::workload::{self, Workload};
use crate::{Cluster, Error};
use flate2::read::GzDecoder;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// A revision of a release.
#[derive(Debug, Clone)]
pub struct Release {
    /// Release name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// From 1.
    pub revision: u32,
    /// Its state.
    pub status: ReleaseStatus,
    /// `ollama-0.1.0`
    pub chart: String,
    /// The application's version that the chart names.
    pub app_version: String,
    /// When it was deployed, RFC 3339.
    pub updated: String,
    /// What Helm says of the last action (`Install complete`).
    pub description: String,
    /// The rendered objects, as YAML documents.
    pub manifest: String,
}

/// Helm's states (helm `pkg/release`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseStatus {
    /// The newest revision that holds.
    Deployed,
    /// An older one.
    Superseded,
    /// The last action failed.
    Failed,
    /// A helm is installing, or died while it did.
    PendingInstall,
    /// A helm is upgrading, or died while it did.
    PendingUpgrade,
    /// A helm is rolling back, or died while it did.
    PendingRollback,
    /// A helm is uninstalling, or died while it did.
    Uninstalling,
    /// Uninstalled, history kept.
    Uninstalled,
    /// Anything newer than this list.
    #[serde(other)]
    Unknown,
}

impl ReleaseStatus {
    /// Whether Helm refuses any action with "another operation is in progress".
    pub fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }

    /// As Helm writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
            Self::Uninstalling => "uninstalling",
            Self::Uninstalled => "uninstalled",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Deserialize)]
struct Stored {
    version: u32,
    info: Info,
    chart: Chart,
    #[serde(default)]
    manifest: String,
}

#[derive(Deserialize)]
struct Info {
    status: ReleaseStatus,
    #[serde(default)]
    last_deployed: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Chart {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
    #[serde(default, rename = "appVersion")]
    app_version: String,
}

impl Cluster {
    /// All kept revisions of a release, oldest first; empty when it is not installed.
    pub async fn history(&self, namespace: &str, release: &str) -> Result<Vec<Release>, Error> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let labels = format!("owner=helm,name={release}");
        let secrets = self.list(api, &format!("revisions of release `{release}`"), &labels).await?;
        let mut revisions =
            secrets.iter().map(|secret| decode(namespace, release, secret)).collect::<Result<Vec<_>, _>>()?;
        revisions.sort_by_key(|revision| revision.revision);
        Ok(revisions)
    }

    /// The newest revision of a release.
    pub async fn release(&self, namespace: &str, release: &str) -> Result<Option<Release>, Error> {
        Ok(self.history(namespace, release).await?.pop())
    }
}

impl Release {
    /// The workloads among its objects.
    pub fn workloads(&self) -> Result<Vec<Workload>, Error> {
        let documents = self.objects()?;
        Ok(documents.iter().filter_map(|object| workload::from_object(object, &self.namespace)).collect())
    }

    /// Names of the Services among its objects, with whether each selects pods.
    pub fn services(&self) -> Result<Vec<String>, Error> {
        let named = |object: &serde_json::Value| object["metadata"]["name"].as_str().map(str::to_owned);
        let documents = self.objects()?;
        let selecting = documents.iter().filter(|o| o["kind"] == "Service" && o["spec"]["selector"].is_object());
        Ok(selecting.filter_map(named).collect())
    }

    /// The names of the admission webhooks that it configures.
    ///
    /// # Errors
    /// As [`Release::workloads`].
    pub fn webhooks(&self) -> Result<Vec<String>, Error> {
        let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
        let name = |object: serde_json::Value| {
            let is_webhook = object["kind"].as_str().is_some_and(|kind| kinds.contains(&kind));
            object["metadata"]["name"].as_str().filter(|_| is_webhook).map(str::to_owned)
        };
        let mut names: Vec<_> = self.objects()?.into_iter().filter_map(name).collect();
        names.dedup();
        Ok(names)
    }

    fn objects(&self) -> Result<Vec<serde_json::Value>, Error> {
        serde_saphyr::from_multiple(&self.manifest).map_err(|error| Error::Release {
            release: self.name.clone(),
            revision: self.revision,
            reason: format!("its manifest is no YAML: {error}"),
        })
    }
}

fn decode(namespace: &str, release: &str, secret: &Secret) -> Result<Release, Error> {
    let revision = secret.labels().get("version").and_then(|version| version.parse().ok()).unwrap_or(0);
    let unreadable = |reason: String| Error::Release { release: release.to_owned(), revision, reason };
    let data = secret.data.as_ref().and_then(|data| data.get("release"));
    let data = data.ok_or_else(|| unreadable("its Secret has no `release`".to_owned()))?;
    let json = unpack(&data.0).map_err(unreadable)?;
    let stored: Stored = serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
    Ok(Release {
        name: release.to_owned(),
        namespace: namespace.to_owned(),
        revision: stored.version,
        status: stored.info.status,
        chart: format!("{}-{}", stored.chart.metadata.name, stored.chart.metadata.version),
        app_version: stored.chart.metadata.app_version,
        updated: stored.info.last_deployed,
        description: stored.info.description,
        manifest: stored.manifest,
    })
}

/// The largest release that we unpack; Kubernetes limits the Secret to 1 MiB, gzip of YAML rarely beats 50:1.
const LARGEST_RELEASE_BYTES: u64 = 256 * 1024 * 1024;

fn unpack(data: &[u8]) -> Result<Vec<u8>, String> {
    let packed = data_encoding::BASE64.decode(data).map_err(|error| format!("no base64: {error}"))?;
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return Ok(packed);
    }
    let mut json = Vec::new();
    let decoder = GzDecoder::new(packed.as_slice());
    decoder.take(LARGEST_RELEASE_BYTES).read_to_end(&mut json).map_err(|error| format!("no gzip: {error}"))?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use k8s_openapi::ByteString;
    use std::io::Write;

    fn secret(json: &str) -> Secret {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(json.as_bytes()).unwrap();
        let text = data_encoding::BASE64.encode(&gzip.finish().unwrap());
        let mut secret = Secret::default();
        secret.labels_mut().insert("version".into(), "3".into());
        secret.data = Some([("release".to_owned(), ByteString(text.into_bytes()))].into());
        secret
    }

    const STORED: &str = r#"{"name":"ollama","version":3,
        "info":{"status":"pending-upgrade","last_deployed":"2026-01-01T00:00:00Z","description":"Preparing upgrade"},
        "chart":{"metadata":{"name":"ollama","version":"0.1.0","appVersion":"1"}},
        "manifest":"---\nkind: Deployment\nmetadata: {name: ollama}\nspec: {}\n---\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: ollama}}\n"}"#;

    #[test]
    fn a_stored_release_is_read() {
        let release = decode("default", "ollama", &secret(STORED)).unwrap();
        assert_eq!((release.revision, release.status), (3, ReleaseStatus::PendingUpgrade));
        assert_eq!(release.chart, "ollama-0.1.0");
        assert_eq!(release.workloads().unwrap()[0].to_string(), "deployment/ollama");
        assert_eq!(release.services().unwrap(), ["web"]);
        assert!(release.status.is_pending());
    }

    #[test]
    fn a_damaged_one_says_which() {
        let mut damaged = secret(STORED);
        damaged.data = Some([("release".to_owned(), ByteString(b"H4sI!".to_vec()))].into());
        let error = decode("default", "ollama", &damaged).unwrap_err().to_string();
        assert!(error.starts_with("release `ollama` revision 3 can not be read: no base64"), "{error}");
    }
}
