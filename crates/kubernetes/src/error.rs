//! What can go wrong between here and the Kubernetes API.

use crate::trouble::Trouble;
use diagnostic::{Diagnose, Exit};
use std::time::Duration;

/// Why something about the cluster could not be found out, or did not come true.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig is missing or makes no sense.
    #[error("the kubeconfig `{path}` can not be used")]
    Kubeconfig {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// The API server does not answer.
    #[error("the Kubernetes API at {server} does not answer")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The API server answered with a refusal or with something unexpected.
    #[error("{asked}: the Kubernetes API says: {answer}")]
    Api {
        /// What was asked.
        asked: String,
        /// Its own words.
        answer: String,
    },
    /// A Helm release is stored in a form that we can not read.
    #[error("release `{release}` revision {revision} can not be read: {reason}")]
    Release {
        /// Release.
        release: String,
        /// Revision.
        revision: u32,
        /// Why.
        reason: String,
    },
    /// A workload can't become ready without someone's help.
    #[error("{workload} did not roll out: {trouble}")]
    Stalled {
        /// `deployment/ollama`
        workload: String,
        /// What holds it up.
        trouble: Trouble,
        /// Namespace, for the hint.
        namespace: String,
        /// The pod in trouble.
        pod: Option<String>,
    },
    /// The deadline passed.
    #[error("timed out after {} waiting for {waited_for}: {last_state}", humane(*.timeout))]
    Timeout {
        /// What the wait was for.
        waited_for: String,
        /// The last state seen.
        last_state: String,
        /// How long the wait was.
        timeout: Duration,
        /// What held it up, if that is known.
        trouble: Option<Trouble>,
    },
    /// The user interrupted.
    #[error("interrupted while waiting for {waited_for}")]
    Interrupted {
        /// What the wait was for.
        waited_for: String,
    },
}

/// `90s` as `1m 30s`.
fn humane(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{}ms", duration.as_millis()),
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m {seconds}s"),
    }
}

impl Error {
    /// From an error of the client, with what was asked.
    pub(crate) fn from_kube(server: &str, asked: impl Into<String>, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Api { asked: asked.into(), answer: status.message.clone() },
            kube::Error::Service(_) | kube::Error::HyperError(_) => {
                Self::Unreachable { server: server.to_owned(), source: Box::new(error) }
            }
            other => Self::Api { asked: asked.into(), answer: other.to_string() },
        }
    }
}

impl Diagnose for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Stalled { trouble, namespace, pod, .. } => trouble.hint(namespace, pod.as_deref()),
            Self::Timeout { trouble, .. } => trouble
                .as_ref()
                .and_then(|trouble| trouble.hint("default", None))
                .or_else(|| Some("wait longer with `--timeout 10m`".to_owned())),
            Self::Unreachable { .. } => Some(
                "is the cluster up? For the sandbox: `cluster sandbox up`; for boards: `ssh` to the controller and look at \
                 `systemctl status k3s`"
                    .to_owned(),
            ),
            Self::Kubeconfig { .. } => Some("set KUBECONFIG to a kubeconfig that `kubectl` can use".to_owned()),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Kubeconfig { .. } => Exit::Usage,
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Interrupted { .. } => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::humane;
    use rstest::rstest;
    use std::time::Duration;

    #[rstest]
    #[case(500, "500ms")]
    #[case(12_000, "12s")]
    #[case(300_000, "5m")]
    #[case(90_000, "1m 30s")]
    fn durations_read_as_people_say_them(#[case] millis: u64, #[case] expected: &str) {
        assert_eq!(humane(Duration::from_millis(millis)), expected);
    }
}
