//! Taking a sandbox away.

use crate::directory::Directory;
use crate::event::{Event, Tell};
use crate::lock::Lock;
use crate::process::{self, Identity};
use crate::state::State;
use crate::{Component, Error};
use std::time::Duration;

/// How long processes may take to end by themselves. Their data is deleted afterwards, so that nothing is lost by force;
/// an API server with open watches would take half a minute.
const GRACE: Duration = Duration::from_secs(1);

/// How long to wait for an `up` that is under way.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn down(directory: &Directory, tell: Tell<'_>) -> Result<(), Error> {
    let nothing = !directory.path().exists() && !directory.lock().exists();
    if nothing && process::find(&directory.path()).is_empty() {
        tell(Event::Down { stopped: 0 });
        return Ok(());
    }
    let lock = Lock::acquire(directory, LOCK_PATIENCE, tell).await?;
    let processes = processes(directory);
    for (name, process) in &processes {
        if let Ok(component) = name.parse::<Component>() {
            tell(Event::ComponentStopping { component, pid: process.pid });
        }
    }
    let identities: Vec<_> = processes.iter().map(|(_, process)| process.clone()).collect();
    let left = process::terminate(&identities, GRACE).await;
    if !left.is_empty() {
        let named = |process: &Identity| {
            let name = processes.iter().find(|(_, it)| it == process).map_or("?", |(name, _)| name);
            format!("{name} (process {})", process.pid)
        };
        return Err(Error::StillRunning { processes: left.iter().map(named).collect() });
    }
    directory.remove()?;
    lock.remove(directory)?;
    tell(Event::Down { stopped: processes.len() });
    Ok(())
}

/// Recorded processes that run, and those that were started but never recorded.
fn processes(directory: &Directory) -> Vec<(String, Identity)> {
    let mut all: Vec<_> =
        State::recorded_processes(directory).into_iter().filter(|(_, process)| process.is_alive()).collect();
    for (name, process) in process::find(&directory.path()) {
        if !all.iter().any(|(_, known)| *known == process) {
            all.push((name, process));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test]
    async fn what_is_not_there_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::of_project(folder.path().try_into().unwrap());
        down(&directory, &|_| {}).await.unwrap();
        assert!(!directory.parent().exists());
    }

    #[tokio::test]
    async fn a_damaged_sandbox_goes_away_and_strangers_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::of_project(folder.path().try_into().unwrap());
        directory.create().unwrap();
        let ours = std::process::id();
        // The id of a running process, with the start of another: a recycled one.
        let state = format!(r#"{{"version": 0, "processes": {{"etcd": {{"pid": {ours}, "started": "x"}}}}}}"#);
        std::fs::write(directory.state(), state).unwrap();
        let events = Mutex::new(Vec::new());
        down(&directory, &|event| events.lock().unwrap().push(event)).await.unwrap();
        assert_eq!(*events.lock().unwrap(), [Event::Down { stopped: 0 }]);
        assert!(!directory.parent().exists());
    }
}
