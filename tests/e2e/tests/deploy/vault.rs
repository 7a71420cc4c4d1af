//! Encrypted configuration: it reaches the Secret in the cluster, and nothing else that can be looked at.

use crate::watch::Watch;
use anyhow::{Context, Result, ensure};
use e2e::{World, ends_with, says};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use support::{Ended, Service, services, tools};
use tempfile::TempDir;

/// Stands in every value. Long enough to be sought inside other text.
const MARKER: &str = "zq7Marker4711";

/// A value that is too short to be sought, so that only its origin hides it.
const SHORT: &str = "zq9Xw7k";

/// A vaulted service, and the configuration that this test gives it.
struct Vaulted {
    service: Service,
    values: BTreeMap<String, String>,
}

/// Every service whose `service.yml` says `vault: true`, with a marker for each key of its example.
fn vaulted(world: &World) -> Result<Vec<Vaulted>> {
    let mut found = Vec::new();
    for service in services(&world.project)?.into_iter().filter(|service| service.vault) {
        let keys = service.keys(&world.project)?;
        let marked = |key: String| {
            let value = format!("{MARKER}-{}-{key}-0123456789", service.name);
            (key, value)
        };
        let mut values: BTreeMap<_, _> = keys.into_iter().map(marked).collect();
        values.insert("short".to_owned(), SHORT.to_owned());
        found.push(Vaulted { service, values });
    }
    ensure!(found.len() >= 2, "the catalogue has vaulted services");
    Ok(found)
}

impl Vaulted {
    fn name(&self) -> &str {
        &self.service.name
    }

    /// Makes its `cfg.enc`.
    fn encrypt(&self, world: &World, password: &Path) -> Result<()> {
        self.service.configure(&world.project, &self.values, password)
    }

    /// What the Secret in the cluster holds.
    fn live(&self, world: &World) -> Result<BTreeMap<String, String>> {
        let name = format!("{}-config", self.service.release());
        let namespace = format!("--namespace={}", self.service.namespace);
        let template = r#"--output=go-template={{range $k, $v := .data}}{{$k}}={{$v | base64decode}}{{"\n"}}{{end}}"#;
        let text = world.project.kubectl(&["get", "secret", &name, &namespace, template])?;
        Ok(text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }
}

/// A password file, and a Helm that writes down what it is told.
struct Setting {
    folder: TempDir,
}

impl Setting {
    fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("cluster-vault-test-")?;
        std::fs::write(folder.path().join("password"), "of the vault\n")?;
        let recorded = folder.path().join("helm.log");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{log}'\ncase \"$*\" in *--values=-*) exec {helm} \"$@\" <<EOF\n$(tee -a '{log}')\nEOF\n;; esac\nexec {helm} \"$@\"\n",
            log = recorded.display(),
            helm = tools().join("helm").display(),
        );
        let helm = folder.path().join("helm");
        std::fs::write(&helm, script)?;
        std::fs::set_permissions(&helm, std::fs::Permissions::from_mode(0o700))?;
        Ok(Self { folder })
    }

    fn password(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// The Helm that writes down what it is told.
    fn helm(&self) -> PathBuf {
        self.folder.path().join("helm")
    }
}

/// One deployment of all vaulted services, watched.
fn deploy(world: &World, setting: &Setting, services: &[Vaulted], more: &[&str]) -> Result<(Ended, Vec<String>)> {
    let temporary = TempDir::with_prefix("cluster-vault-temporary-")?;
    let mut command =
        world.project.command(["deploy", "--target=sandbox", "-vvv", "--diff", "--vault-password-file"])?;
    command.arg(setting.password()).args(more).args(services.iter().map(Vaulted::name));
    command.env("TMPDIR", temporary.path()).env("CLUSTER_LOG", "trace");
    let watch = Watch::start(&[MARKER, SHORT], &[temporary.path(), Path::new("/dev/shm"), Path::new("/tmp")])?;
    let ended = Ended::from(command.output()?);
    let mut leaks = watch.stop()?;
    let places = [("standard output", &ended.stdout), ("standard error", &ended.stderr)];
    for (place, text) in places {
        leaks.extend(found_in(text).into_iter().map(|line| format!("{place}: {line}")));
    }
    Ok((ended, leaks))
}

/// The lines that hold a marker, in clear or in base64.
fn found_in(text: &str) -> Vec<String> {
    // Base64 of the marker at the three places within a group of three bytes, without what the neighbours change.
    let encoded = ["enE3TWFya2VyNDcx", "pxN01hcmtlcjQ3MT", "6cTdNYXJrZXI0Nz"];
    let shorts = ["enE5WHc3a", "pxOVh3N2", "6cTlYdzdr"];
    let sought = [MARKER, SHORT].into_iter().chain(encoded).chain(shorts);
    let sought: Vec<_> = sought.collect();
    text.lines().filter(|line| sought.iter().any(|one| line.contains(one))).map(str::to_owned).collect()
}

/// In check mode, in text, as JSON: the Secret has the values, and they stand nowhere else.
pub fn nothing_leaks(world: &World) -> Result<()> {
    let setting = Setting::new()?;
    let services = vaulted(world)?;
    services.iter().try_for_each(|service| service.encrypt(world, &setting.password()))?;
    let mut leaks = Vec::new();
    for more in [&["--check"][..], &[], &["--output=json"]] {
        let (ended, found) = world.with_helm(&setting.helm(), || deploy(world, &setting, &services, more))?;
        ends_with(&ended, 0)?;
        leaks.extend(found.into_iter().map(|leak| format!("{more:?}: {leak}")));
    }
    for service in &services {
        ensure!(service.live(world)? == service.values, "the Secret of {} differs", service.name());
        let release = world.project.helm(&[
            "get",
            "all",
            &service.service.release(),
            &format!("--namespace={}", service.service.namespace),
        ])?;
        leaks.extend(found_in(&release).into_iter().map(|line| format!("release storage: {line}")));
    }
    let helm = std::fs::read_to_string(setting.folder.path().join("helm.log"))?;
    ensure!(helm.contains("upgrade --install"), "helm was not recorded: {helm}");
    leaks.extend(found_in(&helm).into_iter().map(|line| format!("helm was told: {line}")));
    leaks.extend(in_logs(&world.project.path().join(".cluster/sandbox"))?);
    ensure!(leaks.is_empty(), "the secrets stand in {} places:\n{}", leaks.len(), leaks.join("\n"));
    Ok(())
}

/// What the sandbox's processes wrote down, but for the cluster's own store, where the Secret belongs.
fn in_logs(folder: &Path) -> Result<Vec<String>> {
    let mut leaks = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "etcd") {
            continue;
        }
        if path.is_dir() {
            leaks.extend(in_logs(&path)?);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let lines = found_in(&String::from_utf8_lossy(&bytes));
            leaks.extend(lines.into_iter().map(|line| format!("{}: {line}", path.display())));
        }
    }
    Ok(leaks)
}

/// Values from an encrypted file end in Helm's records, as values do, but not in what is shown, however short they are.
pub fn encrypted_values_are_not_shown(world: &World) -> Result<()> {
    let setting = Setting::new()?;
    let values = world.project.write("private.yml", &format!("podAnnotations: {{note: {SHORT}}}\n"))?;
    let (values, password) = (values.to_str().context("UTF-8")?.to_owned(), setting.password());
    let password = password.to_str().context("UTF-8")?;
    world.project.done(["vault", "encrypt", &values, "--vault-password-file", password])?;
    let deploy = ["--values", &values, "--vault-password-file", password, "-vvv", "--diff", "ollama"];
    let shown = world.deployed(&deploy)?;
    let leaks = [found_in(&shown.stdout), found_in(&shown.stderr)].concat();
    ensure!(leaks.is_empty(), "shown:\n{}", leaks.join("\n"));
    let live = world.project.helm(&["get", "values", "ollama"])?;
    ensure!(live.contains(SHORT), "the values did not arrive: {live}");
    Ok(())
}

/// Again: nothing is touched. A new value: the Secret has it, and the pods start anew.
pub fn changes_reach_the_pods(world: &World) -> Result<()> {
    let setting = Setting::new()?;
    let mut services = vaulted(world)?;
    services.truncate(1);
    let service = &mut services[0];
    let name = service.name().to_owned();
    service.encrypt(world, &setting.password())?;
    let password = setting.password();
    let arguments = ["--vault-password-file", password.to_str().context("UTF-8")?, &name];
    world.deployed(&arguments)?;
    let (before, revision) = (world.object_versions()?, world.revision(&service.service.release())?);
    says(&world.deployed(&arguments)?, "changed=0")?;
    ensure!(before == world.object_versions()?, "the second run touched something");
    for value in service.values.values_mut() {
        value.push_str("-new");
    }
    service.encrypt(world, &setting.password())?;
    world.deployed(&arguments)?;
    ensure!(service.live(world)? == service.values, "the Secret has the old values");
    ensure!(world.revision(&service.service.release())? == revision + 1, "the pods did not start anew");
    Ok(())
}

/// What is missing or wrong is told before anything is reached, for all services at once, and no value with it.
pub fn mistakes_come_first(world: &World) -> Result<()> {
    let setting = Setting::new()?;
    let services = vaulted(world)?;
    let names: Vec<_> = services.iter().map(Vaulted::name).collect();
    let missing = world.deploy(&names)?;
    ends_with(&missing, 2)?;
    for name in &names {
        says(&missing, &format!("service `{name}` needs `build/playbooks/{name}/cfg.enc`, which does not exist"))?;
        says(&missing, &format!("cluster vault create {name}"))?;
    }
    services.iter().try_for_each(|service| service.encrypt(world, &setting.password()))?;
    let nobody = world.deploy(&names)?;
    ends_with(&nobody, 2)?;
    says(&nobody, "is encrypted, and there is no vault password")?;
    let wrong = setting.folder.path().join("wrong");
    std::fs::write(&wrong, "another\n")?;
    let refused = world.deploy(&[&["--vault-password-file", wrong.to_str().context("UTF-8")?], &names[..]].concat())?;
    ends_with(&refused, 2)?;
    for name in &names {
        says(&refused, &format!("build/playbooks/{name}/cfg.enc"))?;
    }
    ensure!(!missing.stderr.contains("Target:") && !refused.stderr.contains("Target:"), "something was reached first");
    Ok(())
}
