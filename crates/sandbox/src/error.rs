//! What can go wrong with a sandbox.

use crate::{Component, api};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Diagnose, Exit, Mistakes, Position};
use std::time::Duration;

/// Why the sandbox is not as it was asked to be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Programs of the control plane are not installed.
    #[error("the sandbox needs {}, not found in {}", quoted(missing), listed(searched))]
    MissingTools {
        /// Names of the programs.
        missing: Vec<String>,
        /// The folders that were searched.
        searched: Vec<String>,
    },
    /// The machines of the inventory do not make nodes.
    #[error("{0}")]
    Nodes(#[source] Mistakes),
    /// The inventory can not be read.
    #[error(transparent)]
    Inventory(#[from] inventory::Error),
    /// More nodes than the address ranges hold.
    #[error("a sandbox has at most {limit} nodes, not {count}")]
    TooManyNodes {
        /// How many were asked for.
        count: usize,
        /// How many there can be.
        limit: usize,
    },
    /// A component's port is used by another program.
    #[error("port {port} of {component} is taken by another program")]
    PortTaken {
        /// Whose port.
        component: Component,
        /// The port on 127.0.0.1.
        port: u16,
    },
    /// No port is left on this machine.
    #[error("no free port between {first} and {last} on 127.0.0.1")]
    NoPort {
        /// First port tried.
        first: u16,
        /// Last port tried.
        last: u16,
    },
    /// A component ended by itself.
    #[error("{component} ended while it was needed{}", tail_of(log, tail))]
    ComponentDied {
        /// Which one.
        component: Component,
        /// Its log file.
        log: Utf8PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Something did not become true in time.
    #[error("timed out after {} s waiting for {waited_for}: {last_state}{}", timeout.as_secs(), tail_of(log, tail))]
    Timeout {
        /// The condition.
        waited_for: String,
        /// How things stood at the end.
        last_state: String,
        /// How long.
        timeout: Duration,
        /// The log of the component that was waited for.
        log: Utf8PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// Another process is bringing the sandbox up or down.
    #[error("another process is at work on the sandbox `{directory}`{}", holder.map_or(String::new(), |pid| format!(" (process {pid})")))]
    Locked {
        /// The sandbox.
        directory: Utf8PathBuf,
        /// Who holds the lock.
        holder: Option<i32>,
    },
    /// Somebody else brought it up.
    #[error("the sandbox `{directory}` belongs to another user")]
    Foreign {
        /// The sandbox.
        directory: Utf8PathBuf,
    },
    /// The sandbox was never brought up, or went down.
    #[error("the sandbox is not up")]
    Down,
    /// The files of the sandbox were written by another version of this program, or damaged.
    #[error("the state of the sandbox `{path}` can not be used: {reason}")]
    State {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no such component.
    #[error("the sandbox has no component `{name}`")]
    UnknownComponent {
        /// What was asked for.
        name: String,
        /// The nearest one.
        nearest: Option<String>,
    },
    /// A file or folder of the sandbox.
    #[error("can not {action} `{path}`")]
    File {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("{component} can not be started from `{program}`")]
    Start {
        /// Which one.
        component: Component,
        /// Its executable.
        program: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Processes that do not end.
    #[error("processes of the sandbox did not end: {}", processes.join(", "))]
    StillRunning {
        /// Name and process id of each.
        processes: Vec<String>,
    },
    /// The Kubernetes API refused something, or did not answer.
    #[error("{asked}: {answer}")]
    Api {
        /// What was asked.
        asked: String,
        /// Its own words, or those of the way to it.
        answer: String,
    },
    /// The kubeconfig does not work.
    #[error("the kubeconfig `{path}` can not be used")]
    Kubeconfig {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// A certificate could not be made.
    #[error("the certificates of the sandbox can not be made")]
    Certificate {
        /// Why.
        #[source]
        source: rcgen::Error,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file<P: AsRef<Utf8Path>>(action: &'static str, path: P) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err` on requests.
    pub(crate) fn api(asked: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let asked = asked.into();
        move |error| Self::Api { asked, answer: api::said(&error) }
    }
}

impl Diagnose for Error {
    fn position(&self) -> Option<Position> {
        match self {
            Self::Inventory(error) => error.position(),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::MissingTools { .. } => "run `make tools`, or set CLUSTER_TOOLS_DIR to the folder that has them",
            Self::PortTaken { .. } | Self::State { .. } => {
                "run `cluster sandbox down`, then `cluster sandbox up` (what was deployed in it is lost)"
            }
            Self::Inventory(error) => return error.hint(),
            Self::ComponentDied { component, tail, .. } => return Some(died(*component, tail)),
            Self::Timeout { .. } | Self::Api { .. } => {
                "run `cluster sandbox status` to see what is missing, then `cluster sandbox up` again"
            }
            Self::Locked { .. } => "wait until it is done, then try again",
            Self::Foreign { .. } => "use a clone of your own, or go on as the user who brought it up",
            Self::Down => "run `cluster sandbox up`",
            Self::UnknownComponent { nearest: Some(nearest), .. } => return Some(format!("did you mean `{nearest}`?")),
            Self::UnknownComponent { nearest: None, .. } => {
                return Some(format!("the components are {}", quoted(&Component::ALL.map(|c| c.name().to_owned()))));
            }
            Self::TooManyNodes { limit, .. } => return Some(format!("ask for at most {limit} with `--workers`")),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Inventory(error) => error.exit(),
            Self::MissingTools { .. } | Self::Nodes(_) | Self::TooManyNodes { .. } | Self::UnknownComponent { .. } => {
                Exit::Usage
            }
            _ => Exit::Failed,
        }
    }

    fn parts(&self) -> Vec<&dyn Diagnose> {
        match self {
            Self::Nodes(mistakes) => mistakes.parts(),
            Self::Inventory(error) => error.parts(),
            _ => Vec::new(),
        }
    }
}

/// What to do about a component that does not live, from what it said.
fn died(component: Component, tail: &str) -> String {
    if tail.contains("address already in use") {
        "another program took its port: run `cluster sandbox up` again".to_owned()
    } else if component == Component::Etcd {
        "its data may be damaged: run `cluster sandbox down`, then `cluster sandbox up`".to_owned()
    } else {
        format!("run `cluster sandbox logs {component}` for all that it said")
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn listed(folders: &[String]) -> String {
    match folders {
        [] => "any folder".to_owned(),
        some => some.join(", "),
    }
}

fn tail_of(log: &Utf8PathBuf, tail: &str) -> String {
    match tail.trim() {
        "" => format!("; its log `{log}` is empty"),
        tail => format!("; the end of `{log}`:\n{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_says_where_it_was_looked_for() {
        let error = Error::MissingTools {
            missing: vec!["etcd".to_owned(), "kwok".to_owned()],
            searched: vec!["/p/.tools/bin".to_owned(), "PATH".to_owned()],
        };
        assert_eq!(error.to_string(), "the sandbox needs `etcd`, `kwok`, not found in /p/.tools/bin, PATH");
        assert!(error.hint().unwrap().contains("make tools"));
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn a_dead_component_shows_its_last_words() {
        let error = Error::ComponentDied {
            component: Component::KubeApiserver,
            log: "/s/logs/kube-apiserver.log".into(),
            tail: "bind: address already in use\n".to_owned(),
        };
        insta::assert_snapshot!(error, @r"
        kube-apiserver ended while it was needed; the end of `/s/logs/kube-apiserver.log`:
        bind: address already in use
        ");
        assert!(error.hint().unwrap().contains("took its port"));
    }
}
