//! Services that install the charts of others: their wiring, with stand-ins that have upstream's names and definitions as far as
//! ours touch them. Upstream's own charts are not run: there may be no network.

mod repository;
mod setting;

use anyhow::{Context, Result, ensure};
use e2e::{World, ends_with, says};
use repository::Repository;
use serde_json::Value;
use setting::{CHARTS, Setting};
use support::tools;

/// Values, namespaces, the order of definitions and what needs them; again: nothing is touched, nothing fetched.
pub fn wired(world: &World) -> Result<()> {
    let setting = Setting::new(world)?;
    for chart in CHARTS {
        says(&world.deployed(&[chart.name])?, "release revision 1 (deployed)")?;
        ensure!(setting.status(chart)?["info"]["status"] == "deployed", "{}", chart.name);
        let arrived = setting.values(chart)?;
        for (path, wanted) in chart.values {
            let found = arrived.pointer(path).unwrap_or(&Value::Null);
            let shown = found.to_string();
            ensure!(shown == *wanted, "{}: {path} is {shown} instead of {wanted}", chart.name);
        }
        ensure!(setting.definition(chart)?.contains(chart.version), "{}", setting.definition(chart)?);
        ensure!(setting.noted_digest(chart)?.len() == 64, "the digest of the first fetch is noted");
    }
    let issuers = world.project.kubectl(&["get", "clusterissuers,certificates", "-A", "--output=name"])?;
    for issuer in
        ["clusterissuer.cert-manager.io/cluster-ca", "clusterissuer.cert-manager.io/selfsigned", "chaos-mesh-cert"]
    {
        ensure!(issuers.contains(issuer), "{issuer} is missing: {issuers}");
    }
    let (versions, downloads) = (setting.versions()?, setting.downloads());
    for chart in CHARTS {
        says(&world.deployed(&[chart.name])?, "changed=0")?;
    }
    ensure!(versions == setting.versions()?, "the second run touched something");
    ensure!(downloads == setting.downloads() && downloads == CHARTS.len(), "{downloads} archives were fetched");
    Ok(())
}

/// `ansible-playbook` makes what ours makes, with Helm 4 too.
pub fn both_engines(world: &World) -> Result<()> {
    let setting = Setting::new(world)?;
    let chart = &CHARTS[0];
    let said = setting.with_ansible(chart, &[])?;
    ensure!(said.contains("failed=0") && said.contains("changed=2"), "{said}");
    let versions = setting.versions()?;
    says(&world.deployed(&[chart.name])?, "changed=0")?;
    world.with_helm(&tools().join("helm4"), || says(&world.deployed(&[chart.name])?, "changed=0"))?;
    ensure!(versions == setting.versions()?, "ours, or Helm 4, changed what ansible-playbook had deployed");
    Ok(())
}

/// A newer chart with other definitions: Helm would leave these as they are.
pub fn definitions_are_upgraded(world: &World) -> Result<()> {
    let setting = Setting::new(world)?;
    // One whose definitions are templates, one that has them in `crds`.
    for chart in &CHARTS[..2] {
        world.deployed(&[chart.name])?;
        let newer = chart.newer();
        setting.publish(chart.name, &newer)?;
        setting.replace(
            chart,
            "Chart.yaml",
            &format!("version: {}\n", chart.version),
            &format!("version: {newer}\n"),
        )?;
        let checked = world.deployed(&[chart.name, "--check"])?;
        says(&checked, "custom resource definitions differ from the chart")?;
        ensure!(setting.definition(chart)?.contains(chart.version), "check mode applied the definitions");
        let ended = world.deployed(&[chart.name])?;
        says(&ended, &format!("changed: [amd-build] Apply the definitions of {}", chart.name))?;
        says(&ended, "release revision 2 (deployed)")?;
        ensure!(setting.definition(chart)?.contains(&newer), "the definitions are the old ones");
        // Helm would install an old archive beside the new one.
        ensure!(setting.placed(chart)? == [format!("{}-{newer}.tgz", chart.name)], "{:?}", setting.placed(chart)?);
        says(&world.deployed(&[chart.name])?, "changed=0")?;
    }
    Ok(())
}

/// What is not the archive that was recorded is not installed, wherever it was recorded.
pub fn another_digest_is_refused(world: &World) -> Result<()> {
    let setting = Setting::new(world)?;
    let chart = &CHARTS[1];
    world.deployed(&[chart.name])?;
    let recorded = setting.noted_digest(chart)?;
    setting.spoil(chart)?;
    let ended = world.deploy(&[chart.name])?;
    ends_with(&ended, 1)?;
    says(&ended, "is not the archive that was recorded")?;
    says(&ended, &recorded)?;
    says(&ended, &setting.digest(chart)?)?;
    // Deleted as the message says, it is fetched anew, and it is the recorded one.
    std::fs::remove_file(setting.cached(chart))?;
    says(&world.deployed(&[chart.name])?, "changed=0")?;
    // Recorded in the working tree, it holds for every machine.
    let said = setting.with_ansible(chart, &["upstream_record=true"])?;
    ensure!(said.contains("failed=0"), "{said}");
    let file = format!("build/charts/{}/upstream.yml", chart.name);
    let text = std::fs::read_to_string(world.project.path().join(&file))?;
    ensure!(text.contains(&format!("{}: \"{recorded}\"", chart.archive())), "{text}");
    setting.replace(chart, "upstream.yml", &recorded, &"0".repeat(64))?;
    let ended = world.deploy(&[chart.name])?;
    ends_with(&ended, 1)?;
    says(&ended, &file)?;
    says(&ended, &"0".repeat(64))?;
    says(&ended, &recorded)
}

/// Without the repository the cache is enough; without both it is said what is missing, and `--all` goes on.
pub fn without_network(world: &World) -> Result<()> {
    let mut setting = Setting::new(world)?;
    let chart = &CHARTS[1];
    world.deployed(&[chart.name])?;
    setting.clean()?;
    setting.end_repository();
    says(&world.deployed(&[chart.name])?, "release revision 1 (deployed)")?;
    setting.clean()?;
    std::fs::remove_file(setting.cached(chart))?;
    let ended = world.deploy(&[chart.name])?;
    ends_with(&ended, 1)?;
    says(&ended, &format!("{} is neither in the cache nor to be had from http://127.0.0.1:", chart.archive()))?;
    says(&ended, "-e upstream_repository=URL")?;
    says(&ended, setting.cached(chart).to_str().context("UTF-8")?)?;
    let said = setting.with_ansible(chart, &["upstream_optional=true"])?;
    ensure!(said.contains("failed=0") && said.contains("changed=0"), "{said}");
    ensure!(said.contains("service_not_run") || !said.contains("Install"), "{said}");
    let releases = world.project.helm(&["list", "--all-namespaces", "--short"])?;
    ensure!(releases.trim().is_empty(), "{releases}");
    Ok(())
}
