//! Bringing a sandbox up, and repairing it.

use crate::directory::{self, Directory};
use crate::event::{Event, Tell};
use crate::health::Health;
use crate::lock::Lock;
use crate::ports::Ports;
use crate::process::{self, Identity};
use crate::state::State;
use crate::tools::Programs;
use crate::{
    Component, Error, NodeSpec, Options, Report, Tools, api, apiserver, certificates, controller, controller_manager,
    defaults, environment, etcd, kwok, nodes, scheduler,
};
use futures::future::{join_all, try_join_all};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, Client};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks at something that is not ready yet.
const PAUSE: Duration = Duration::from_millis(25);

/// Lines of a log that an error shows.
const TAIL: usize = 8;

pub(crate) async fn up(directory: &Directory, options: &Options, tell: Tell<'_>) -> Result<Report, Error> {
    NodeSpec::check(&options.nodes)?;
    let tools = Tools::search(directory.root(), options.tools.as_deref());
    let programs = tools.require()?;
    let _lock = Lock::acquire(directory, options.timeout, tell).await?;
    let state = State::load(directory)?;
    if let Some(state) = &state
        && is_healthy(directory, state, options).await
    {
        let nodes = options.nodes.len();
        tell(Event::AlreadyUp { nodes });
        return Ok(report(directory, options, true));
    }
    let state = prepare(directory, &programs, state, tell).await?;
    write_files(directory, &state, &tools)?;
    let run = Run { directory, options, programs, tell, began: Instant::now(), state: Mutex::new(state) };
    run.start_all().await?;
    tell(Event::Up { elapsed: run.began.elapsed() });
    Ok(report(directory, options, false))
}

fn report(directory: &Directory, options: &Options, already_up: bool) -> Report {
    Report { already_up, nodes: options.nodes.len(), kubeconfig: directory.kubeconfig() }
}

/// Whether nothing has to be done.
async fn is_healthy(directory: &Directory, state: &State, options: &Options) -> bool {
    let all_run = Component::ALL.into_iter().all(|component| state.running(component).is_some());
    if !all_run || !directory.kubeconfig().exists() || !directory.vars().exists() {
        return false;
    }
    let healthy = |component| async move {
        match Health::of(component, directory, state).await {
            Ok(health) => health.check().await.is_ok(),
            Err(_) => false,
        }
    };
    let nodes = async {
        let Ok(client) = api::client(&directory.kubeconfig()).await else { return false };
        let in_step = nodes::are_in_step(&client, &options.nodes, state.ports.kwok).await.unwrap_or(false);
        in_step && nodes::readiness(&client).await.is_ok_and(|(_, not_ready)| not_ready.is_empty())
    };
    let nodes = tokio::time::timeout(api::REQUEST_TIMEOUT, nodes);
    let (components, nodes) = tokio::join!(join_all(Component::ALL.map(healthy)), nodes);
    nodes.unwrap_or(false) && components.into_iter().all(|it| it)
}

/// Folders, ports, and an end to processes that nobody recorded.
async fn prepare(
    directory: &Directory,
    programs: &Programs,
    state: Option<State>,
    tell: Tell<'_>,
) -> Result<State, Error> {
    directory.create()?;
    let known: Vec<Identity> = state.iter().flat_map(|state| state.processes.values().cloned()).collect();
    let strays: Vec<Identity> = process::find(&directory.path())
        .into_iter()
        .map(|(_, process)| process)
        .filter(|process| !known.contains(process))
        .collect();
    process::terminate(&strays, Duration::from_secs(1)).await;
    let Some(mut state) = state else {
        return Ok(State::new(programs.folder(), Ports::choose(&directory.path())?));
    };
    process::settle(state.processes.values()).await;
    let lost: Vec<Component> =
        state.processes.iter().filter(|(_, process)| !process.is_alive()).map(|(component, _)| *component).collect();
    for component in &lost {
        tell(Event::ComponentLost { component: *component });
    }
    let all_gone = lost.len() == state.processes.len();
    state.processes.retain(|component, _| !lost.contains(component));
    // After a restart of the machine all are gone, and others may have taken the ports.
    if all_gone && Component::ALL.into_iter().any(|component| state.ports.check_free(component).is_err()) {
        state.ports = Ports::choose(&directory.path())?;
    }
    Ok(state)
}

fn write_files(directory: &Directory, state: &State, tools: &Tools) -> Result<(), Error> {
    state.save(directory)?;
    certificates::ensure(directory)?;
    certificates::write_kubeconfigs(directory, state.ports.kube_apiserver)?;
    directory::write(&directory.stages(), &kwok::configuration(directory))?;
    let (log, text) = kwok::simulated_log(directory);
    if !log.exists() {
        directory::write(&log, &text)?;
    }
    directory::write(&directory.vars(), &environment::variables(directory, tools)).map(drop)
}

/// One `up`.
struct Run<'a> {
    directory: &'a Directory,
    options: &'a Options,
    programs: Programs,
    tell: Tell<'a>,
    began: Instant,
    state: Mutex<State>,
}

impl Run<'_> {
    async fn start_all(&self) -> Result<(), Error> {
        self.start(Component::Etcd)?;
        self.start(Component::KubeApiserver)?;
        let client = api::client(&self.directory.kubeconfig()).await?;
        self.wait_until_served(&client).await?;
        // The rest starts while the API server still makes its built-in roles, which takes it more than a second.
        self.start(Component::KubeScheduler)?;
        let nodes = async {
            self.make_nodes(&client).await?;
            self.start(Component::Kwok)?;
            self.start(Component::Controller)?;
            defaults::apply(&client).await
        };
        let control = async {
            self.wait_until_ready(Component::KubeApiserver).await?;
            // It asks once a second whether the API server is ready (`WaitForAPIServer`): started earlier, it is late.
            self.start(Component::KubeControllerManager)
        };
        let others = Component::ALL.into_iter().filter(|component| *component != Component::KubeApiserver);
        let health = try_join_all(others.map(|component| self.wait_until_ready(component)));
        tokio::try_join!(nodes, control, health)?;
        tokio::try_join!(self.wait_for_nodes(&client), self.wait_for_service_account(&client))?;
        Ok(())
    }

    /// Never held across an await.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a component that does not run, and records it at once.
    fn start(&self, component: Component) -> Result<(), Error> {
        let mut state = self.state();
        if state.running(component).is_some() {
            return Ok(());
        }
        state.ports.check_free(component)?;
        let (directory, ports) = (self.directory, &state.ports);
        let arguments = match component {
            Component::Etcd => etcd::arguments(directory, ports),
            Component::KubeApiserver => apiserver::arguments(directory, ports),
            Component::KubeControllerManager => controller_manager::arguments(directory, ports),
            Component::KubeScheduler => scheduler::arguments(directory, ports),
            Component::Kwok => kwok::arguments(directory, ports),
            Component::Controller => controller::arguments(&directory.path()),
        };
        let program = self.programs.of(component).unwrap_or(&self.options.controller);
        let process = process::start(component, program, &arguments, &directory.log(component))?;
        (self.tell)(Event::ComponentStarting { component, pid: process.pid });
        state.processes.insert(component, process);
        state.save(directory)
    }

    /// The API server answers requests about a second before it says that it is ready.
    async fn wait_until_served(&self, client: &Client) -> Result<(), Error> {
        self.wait(Component::KubeApiserver, "kube-apiserver to answer", || async {
            nodes::readiness(client).await.map(drop).map_err(|error| error.to_string())
        })
        .await
    }

    async fn wait_until_ready(&self, component: Component) -> Result<(), Error> {
        let what = format!("{component} to be ready");
        // Those that depend on the API are started when that answers.
        self.wait(component, &what, || async {
            self.state().running(component).map(drop).ok_or_else(|| "not started".to_owned())
        })
        .await?;
        let state = self.state().clone();
        let health = Health::of(component, self.directory, &state).await?;
        self.wait(component, &what, || health.check()).await?;
        (self.tell)(Event::ComponentReady { component, elapsed: self.began.elapsed() });
        Ok(())
    }

    async fn make_nodes(&self, client: &Client) -> Result<(), Error> {
        let port = self.state().ports.kwok;
        let nodes::Changes { created, updated, deleted } = nodes::sync(client, &self.options.nodes, port).await?;
        if (created, updated, deleted) != (0, 0, 0) {
            (self.tell)(Event::NodesChanged { created, updated, deleted });
        }
        Ok(())
    }

    async fn wait_for_nodes(&self, client: &Client) -> Result<(), Error> {
        self.wait(Component::Kwok, "all nodes to be Ready", || async {
            match nodes::readiness(client).await {
                Ok((_, not_ready)) if not_ready.is_empty() => Ok(()),
                Ok((ready, not_ready)) => Err(not_ready_text(ready, &not_ready)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
        (self.tell)(Event::NodesReady { nodes: self.options.nodes.len(), elapsed: self.began.elapsed() });
        Ok(())
    }

    /// Without it no pod can be made in the namespace.
    async fn wait_for_service_account(&self, client: &Client) -> Result<(), Error> {
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
        let what = "the default ServiceAccount of namespace `default`";
        self.wait(Component::KubeControllerManager, what, || async {
            match accounts.get_opt("default").await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("it is not there".to_owned()),
                Err(error) => Err(api::said(&error)),
            }
        })
        .await
    }

    /// Waits for a condition on which `component` works; stops early when any component ends.
    async fn wait<F>(&self, component: Component, waited_for: &str, check: impl Fn() -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), String>>,
    {
        let timeout = self.options.timeout;
        let deadline = Instant::now() + timeout;
        loop {
            // An API server whose etcd hangs does not answer at all.
            let left = deadline.saturating_duration_since(Instant::now());
            let checked = tokio::time::timeout(left, check()).await;
            let Err(last_state) = checked.unwrap_or_else(|_| Err("no answer".to_owned())) else { return Ok(()) };
            if let Some(dead) = self.dead() {
                let log = self.directory.log(dead);
                return Err(Error::ComponentDied { component: dead, tail: directory::tail(&log, TAIL), log });
            }
            if Instant::now() >= deadline {
                let log = self.directory.log(component);
                let tail = directory::tail(&log, TAIL);
                return Err(Error::Timeout { waited_for: waited_for.to_owned(), last_state, timeout, log, tail });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The first of the started components that ended.
    fn dead(&self) -> Option<Component> {
        let state = self.state();
        state.processes.iter().find(|(_, process)| !process.is_alive()).map(|(component, _)| *component)
    }
}

fn not_ready_text(ready: usize, not_ready: &[String]) -> String {
    const SHOWN: usize = 5;
    let names = not_ready.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if not_ready.len() > SHOWN { ", …" } else { "" };
    format!("{ready} of {} are, not yet {names}{more}", ready + not_ready.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_nodes_are_not_all_named() {
        let names: Vec<_> = (1..=7).map(|i| format!("pi-{i}")).collect();
        assert_eq!(not_ready_text(3, &names), "3 of 10 are, not yet pi-1, pi-2, pi-3, pi-4, pi-5, …");
        assert_eq!(not_ready_text(0, &names[..1]), "0 of 1 are, not yet pi-1");
    }
}
