//! What an earlier run left when it was cut off. Helm marks a release `pending-…` while it works on it, and refuses every
//! further action ("another operation is in progress") when it died there. When no helm works on the release any more, it
//! is rolled back to the last revision that held, or uninstalled when there is none.

use super::destination::Destination;
use crate::exit::{Failure, Result, boxed};
use crate::output::{DeployEvent, Output};
use catalog::Service;
use diagnostic::Exit;
use kubernetes::{Release, ReleaseStatus};
use remote::Command;
use std::time::{Duration, Instant};

/// How long a helm that is still at work is waited for; without `--wait` it takes seconds.
const LIVING_HELM: Duration = Duration::from_secs(60);

/// How long a helm that only mends may take.
const MENDING: Duration = Duration::from_secs(120);

/// How often is looked whether it is still there.
const INTERVAL: Duration = Duration::from_millis(300);

/// Puts the release right, if it needs it.
pub(super) async fn recover(destination: &Destination, service: &Service, output: &Output) -> Result<()> {
    let Some(pending) = pending(destination, service).await? else { return Ok(()) };
    if wait_for_living_helm(destination, service).await? && self::pending(destination, service).await?.is_none() {
        let message = "an earlier helm was still at work on it; it has come to its end".to_owned();
        output.event(DeployEvent::Recovered { release: service.release_name(), message });
        return Ok(());
    }
    let history =
        destination.connection.cluster.history(&service.namespace, &service.release_name()).await.map_err(boxed)?;
    let action = Action::by(&history);
    mend(destination, service, action).await?;
    let message = format!(
        "revision {} was left {} by a run that was cut off, and no helm works on it: {}",
        pending.revision,
        pending.status.as_str(),
        action.told()
    );
    output.event(DeployEvent::Recovered { release: service.release_name(), message });
    Ok(())
}

async fn pending(destination: &Destination, service: &Service) -> Result<Option<Release>> {
    let newest =
        destination.connection.cluster.release(&service.namespace, &service.release_name()).await.map_err(boxed)?;
    Ok(newest.filter(|release| release.status.is_pending() || release.status == ReleaseStatus::Uninstalling))
}

/// What puts a release right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Back to the last revision that held.
    RollBack(u32),
    /// Nothing ever held.
    Uninstall,
}

impl Action {
    /// As the history says.
    fn by(history: &[Release]) -> Self {
        let newest = history.last().map(|release| release.status);
        let held = |release: &&Release| matches!(release.status, ReleaseStatus::Deployed | ReleaseStatus::Superseded);
        match history.iter().rev().find(held) {
            Some(release) if newest != Some(ReleaseStatus::Uninstalling) => Self::RollBack(release.revision),
            _ => Self::Uninstall,
        }
    }

    fn told(self) -> String {
        match self {
            Self::RollBack(revision) => format!("rolled back to revision {revision}"),
            Self::Uninstall => "uninstalled, since no revision ever held".to_owned(),
        }
    }

    fn arguments(self, release: &str) -> Vec<String> {
        let words: Vec<String> = match self {
            Self::RollBack(revision) => vec!["rollback".into(), release.into(), revision.to_string()],
            Self::Uninstall => vec!["uninstall".into(), release.into()],
        };
        words
    }
}

async fn mend(destination: &Destination, service: &Service, action: Action) -> Result<()> {
    let mut arguments = vec![destination.connection.helm.clone()];
    arguments.extend(action.arguments(&service.release_name()));
    arguments.push(format!("--namespace={}", service.namespace));
    arguments.push(format!("--kubeconfig={}", destination.connection.kubeconfig));
    let helm = Command {
        script: "exec \"$@\"".to_owned(),
        arguments,
        environment: destination.environment.clone(),
        timeout: Some(MENDING),
        ..Command::default()
    };
    let ended = destination.connection.on_controller(&helm).await?;
    if ended.status == 0 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    let message = format!("release `{}` is stuck, and helm can not put it right: {said}", service.release_name());
    let hint = format!(
        "run `helm uninstall {} -n {}` on the controller, and deploy again",
        service.release_name(),
        service.namespace
    );
    Err(Failure::new(Exit::Failed, message).hinted(hint).into())
}

/// Processes whose command is helm and whose arguments name the release, by `/proc`: BusyBox's `ps` shows no arguments
/// apart from each other.
const LIVING: &str = r#"
for file in /proc/[0-9]*/cmdline; do
    { words=$(tr '\0' '\n' < "$file"); } 2>/dev/null || continue
    program=$(printf '%s\n' "$words" | head -n 1)
    case "${program##*/}" in helm*) ;; *) continue ;; esac
    if printf '%s\n' "$words" | grep -qxF -e "$1"; then echo "$file"; fi
done
"#;

/// Whether a helm was at work on the release; it has ended when this returns.
async fn wait_for_living_helm(destination: &Destination, service: &Service) -> Result<bool> {
    let began = Instant::now();
    let mut found = false;
    loop {
        let arguments = vec![service.release_name()];
        let look = Command { script: LIVING.to_owned(), arguments, ..Command::default() };
        let seen = destination.connection.on_controller(&look).await?;
        if seen.stdout.is_empty() {
            return Ok(found);
        }
        found = true;
        if began.elapsed() > LIVING_HELM {
            let message =
                format!("another helm is at work on release `{}`, for more than a minute now", service.release_name());
            return Err(Failure::new(Exit::Failed, message).hinted("wait until it ends, and deploy again").into());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn history(statuses: &[ReleaseStatus]) -> Vec<Release> {
        let numbered = (1..).zip(statuses);
        let revision = |(revision, status): (u32, &ReleaseStatus)| Release {
            name: "web".into(),
            namespace: "default".into(),
            revision,
            status: *status,
            chart: "web-1".into(),
            app_version: String::new(),
            updated: String::new(),
            description: String::new(),
            manifest: String::new(),
        };
        numbered.map(revision).collect()
    }

    #[rstest]
    #[case(&[ReleaseStatus::PendingInstall], Action::Uninstall)]
    #[case(&[ReleaseStatus::Failed, ReleaseStatus::PendingUpgrade], Action::Uninstall)]
    #[case(&[ReleaseStatus::Superseded, ReleaseStatus::Deployed, ReleaseStatus::PendingUpgrade], Action::RollBack(2))]
    #[case(&[ReleaseStatus::Deployed, ReleaseStatus::Failed, ReleaseStatus::PendingRollback], Action::RollBack(1))]
    #[case(&[ReleaseStatus::Superseded, ReleaseStatus::Uninstalling], Action::Uninstall)]
    fn the_history_says_what_to_do(#[case] statuses: &[ReleaseStatus], #[case] expected: Action) {
        assert_eq!(Action::by(&history(statuses)), expected);
    }
}
