//! The connection to one cluster, and its nodes.

use crate::Error;
use k8s_openapi::api::core::v1 as core;
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;

/// A cluster that can be asked. Clones share the connection.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) client: Client,
    server: String,
}

/// One machine of the cluster.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// `kubernetes.io/arch`
    pub architecture: String,
    /// Condition `Ready`.
    pub ready: bool,
    /// Made by kwok: its pods have no containers, so nothing inside them answers.
    pub simulated: bool,
    /// `v1.35.4+k3s1`
    pub version: String,
}

/// The API answers within milliseconds or not at all; a rollout's wait is many short requests.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// kwok's mark on the nodes it plays (kwok 0.8, `--manage-nodes-with-annotation-selector`).
const SIMULATED: &str = "kwok.x-k8s.io/node";

impl Cluster {
    /// The cluster of a kubeconfig file's current context, or of several files with colons between, as `KUBECONFIG` has them:
    /// what an earlier one says holds.
    pub async fn from_kubeconfig_file(path: &str) -> Result<Self, Error> {
        let mut kubeconfig = Kubeconfig::default();
        for file in path.split(':').filter(|file| !file.is_empty()) {
            let next = Kubeconfig::read_from(file).and_then(|next| kubeconfig.merge(next));
            kubeconfig = next.map_err(|source| unusable(file, source))?;
        }
        Self::new(path, kubeconfig, None).await
    }

    /// The cluster of a kubeconfig's text, reached at `server` (`https://127.0.0.1:40001`) instead of the address in it:
    /// the way through an SSH forward, with the certificate still checked against its own name.
    pub async fn from_kubeconfig_text(name: &str, text: &str, server: Option<&str>) -> Result<Self, Error> {
        let kubeconfig = Kubeconfig::from_yaml(text).map_err(|source| unusable(name, source))?;
        Self::new(name, kubeconfig, server).await
    }

    async fn new(name: &str, kubeconfig: Kubeconfig, server: Option<&str>) -> Result<Self, Error> {
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|source| unusable(name, source))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        if let Some(server) = server {
            let original = config.cluster_url.host().unwrap_or("127.0.0.1").to_owned();
            config.cluster_url = server.parse().map_err(|_| Error::Api {
                asked: format!("connecting to `{server}`"),
                answer: "this is no URL".to_owned(),
            })?;
            config.tls_server_name.get_or_insert(original);
        }
        let server = config.cluster_url.to_string();
        let client =
            Client::try_from(config).map_err(|error| Error::from_kube(&server, "setting up the client", error))?;
        Ok(Self { client, server })
    }

    /// Address of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The API server's version, such as `v1.35.4`.
    pub async fn version(&self) -> Result<String, Error> {
        let info = self.client.apiserver_version().await;
        info.map(|info| info.git_version).map_err(|error| self.error("asking for the version", error))
    }

    /// The machines, by name.
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        let nodes: Vec<core::Node> = self.list(Api::all(self.client.clone()), "nodes", "").await?;
        Ok(nodes.iter().map(Node::from_object).collect())
    }

    pub(crate) fn error(&self, asked: impl Into<String>, error: kube::Error) -> Error {
        Error::from_kube(&self.server, asked, error)
    }

    /// All objects of an API, filtered by labels (empty: all).
    pub(crate) async fn list<K>(&self, api: Api<K>, what: &str, labels: &str) -> Result<Vec<K>, Error>
    where
        K: Clone + DeserializeOwned + Debug,
    {
        let list = api.list(&ListParams::default().labels(labels)).await;
        list.map(|list| list.items).map_err(|error| self.error(format!("listing {what}"), error))
    }

    /// One object, or `None`.
    pub(crate) async fn get<K>(&self, api: Api<K>, what: &str, name: &str) -> Result<Option<K>, Error>
    where
        K: Clone + DeserializeOwned + Debug,
    {
        api.get_opt(name).await.map_err(|error| self.error(format!("reading {what} `{name}`"), error))
    }
}

/// Host and port of the API server in a kubeconfig's text, as the machine that the file lies on reaches it.
pub fn server_address(kubeconfig: &str) -> Result<(String, u16), Error> {
    let parsed = Kubeconfig::from_yaml(kubeconfig).map_err(|source| unusable("of the controller", source))?;
    let context = parsed.current_context.as_deref();
    let named = parsed.contexts.iter().find(|one| Some(one.name.as_str()) == context);
    let wanted = named.and_then(|one| one.context.as_ref()).map(|context| context.cluster.as_str());
    let cluster = parsed.clusters.iter().find(|one| wanted.is_none_or(|name| one.name == name));
    let server = cluster.and_then(|one| one.cluster.as_ref()).and_then(|cluster| cluster.server.clone());
    let url: Option<http::Uri> = server.as_deref().and_then(|server| server.parse().ok());
    let host = url.as_ref().and_then(http::Uri::host).map(|host| host.trim_matches(['[', ']']).to_owned());
    let port = url.as_ref().and_then(http::Uri::port_u16).unwrap_or(443);
    host.map(|host| (host, port)).ok_or_else(|| Error::Api {
        asked: "finding the API server in the controller's kubeconfig".to_owned(),
        answer: format!("`{}` is no URL", server.unwrap_or_default()),
    })
}

fn unusable(path: &str, source: kube::config::KubeconfigError) -> Error {
    Error::Kubeconfig { path: path.to_owned(), source: Box::new(source) }
}

impl Node {
    fn from_object(node: &core::Node) -> Self {
        let status = node.status.as_ref();
        let ready = status
            .and_then(|status| status.conditions.as_ref())
            .is_some_and(|all| all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"));
        Self {
            name: node.name_any(),
            architecture: node.labels().get("kubernetes.io/arch").cloned().unwrap_or_default(),
            ready,
            simulated: is_simulated(node),
            version: status
                .and_then(|status| status.node_info.as_ref())
                .map(|info| info.kubelet_version.clone())
                .unwrap_or_default(),
        }
    }
}

/// Whether kwok plays the node.
pub(crate) fn is_simulated(node: &core::Node) -> bool {
    node.annotations().contains_key(SIMULATED)
}

#[cfg(test)]
mod tests {
    use super::server_address;

    #[test]
    fn the_current_context_says_where_the_server_is() {
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: b\nclusters:\n\
            - {name: one, cluster: {server: 'https://a:1'}}\n- {name: two, cluster: {server: 'https://127.0.0.1:6443'}}\n\
            contexts:\n- {name: b, context: {cluster: two, user: u}}\nusers: []\n";
        assert_eq!(server_address(text).unwrap(), ("127.0.0.1".to_owned(), 6443));
        assert!(server_address("clusters: []").is_err());
    }
}
