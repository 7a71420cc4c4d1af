//! The whole catalogue: `cluster deploy --all` beside the same releases by `helm upgrade --install --wait`, one after the other.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Project, Service, services};

/// What was measured, of how many services.
pub struct Catalogue {
    /// Services with charts of our own: those that both deploy.
    pub services: usize,
    /// `cluster deploy --all`.
    pub ours: Duration,
    /// Helm's turns, one after the other.
    pub helm: Duration,
}

/// Each in a sandbox of its own with nothing in it, one after the other.
pub fn catalogue() -> Result<Catalogue> {
    let (project, password, own) = prepared()?;
    let begun = Instant::now();
    let flags = ["deploy", "--all", "--target=sandbox", "--keep-going", "--quiet", "--vault-password-file"];
    let ended = project.command(flags)?.arg(&password).output()?;
    let ours = begun.elapsed();
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    drop(project);
    let (project, _, own_again) = prepared()?;
    secrets(&project, &own_again)?;
    let begun = Instant::now();
    own_again.iter().try_for_each(|service| helm(&project, service))?;
    Ok(Catalogue { services: own.len(), ours, helm: begun.elapsed() })
}

/// A sandbox that is up, with configuration for each vaulted service.
fn prepared() -> Result<(Project, PathBuf, Vec<Service>)> {
    let project = Project::new()?;
    let password = project.write(".vault-password", "bench\n")?;
    let mut own = Vec::new();
    for service in services(&project)? {
        if service.vault {
            service.configure(&project, &values(&service, &project)?, &password)?;
        }
        if !service.is_upstream(&project)? {
            own.push(service);
        }
    }
    project.done(["sandbox", "up"])?;
    Ok((project, password, own))
}

fn values(service: &Service, project: &Project) -> Result<BTreeMap<String, String>> {
    let keys = service.keys(project)?.into_iter();
    Ok(keys.map(|key| (key, "0123456789abcdef0123456789abcdef".to_owned())).collect())
}

/// What the playbooks make of `cfg.enc`; not part of what is measured.
fn secrets(project: &Project, own: &[Service]) -> Result<()> {
    for service in own.iter().filter(|service| service.vault) {
        let values = values(service, project)?.into_iter().map(|(key, value)| format!("--from-literal={key}={value}"));
        let (name, namespace) = (format!("{}-config", service.release()), format!("--namespace={}", service.namespace));
        let words: Vec<_> =
            ["create", "secret", "generic", &name, &namespace].map(str::to_owned).into_iter().chain(values).collect();
        if service.namespace != "default" {
            project.kubectl(&["create", "namespace", &service.namespace])?;
        }
        project.kubectl(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn helm(project: &Project, service: &Service) -> Result<()> {
    let mut command = Command::new(support::tools().join("helm"));
    command.args(["upgrade", "--install", "--wait", "--create-namespace", "--timeout=3m", &service.release()]);
    command.arg(format!("build/charts/{}", service.chart())).arg(format!("--namespace={}", service.namespace));
    command.arg(format!("--values=build/playbooks/{}/values.yml", service.name));
    let ended = command.env("KUBECONFIG", project.kubeconfig()).current_dir(project.path()).output().context("helm")?;
    ensure!(ended.status.success(), "{}: {}", service.name, String::from_utf8_lossy(&ended.stderr));
    Ok(())
}
