//! One broken thing for each rule that other programs and the API server try.

use crate::run::{lint, told};
use anyhow::{Context, Result, ensure};
use e2e::{World, ends_with};
use serde_json::Value;
use std::fs;

/// Service, rule, and what is said.
const EXPECTED: [(&str, &str, &str); 10] = [
    ("ollama", "api-objects", "unknown field \"spec.replcas\""),
    ("ollama", "api-objects", "`selector` does not match template `labels`"),
    ("postgres", "helm-lint", "chart metadata is missing these dependencies"),
    ("redis", "render", "bogus"),
    ("mercure", "playbook-native", "unknown keyword `bogus`"),
    ("mercure", "playbook-ansible", "'bogus' is not a valid attribute"),
    ("dnsutils", "ansible-lint", "name[casing]"),
    ("dnsutils", "render", "under another release's name, `second`: execution error"),
    ("mercure", "object-names", "dnsutils installs it too"),
    ("scrutiny", "render", "YAML parse error on scrutiny"),
];

pub fn is_found(world: &World) -> Result<()> {
    world.project.write(
        "build/charts/ollama/templates/broken.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: broken, labels: {app: ollama}}\nspec:\n  replcas: 1\n  selector: \
         {matchLabels: {app: x}}\n  template:\n    metadata: {labels: {app: x}}\n    spec: {containers: [{name: a, image: \"b:1\"}]}\n",
    )?;
    world.project.write(
        "build/charts/ollama/templates/lost.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: lost, labels: {app: ollama}}\nspec:\n  selector: {matchLabels: {app: lost}}\n  \
         template:\n    metadata: {labels: {app: other}}\n    spec: {containers: [{name: a, image: \"b:1\"}]}\n",
    )?;
    edit(world, "build/charts/postgres/Chart.yaml", |text| {
        text.split("dependencies:").next().unwrap_or_default().to_owned()
    })?;
    edit(world, "build/charts/redis/ci/everything-values.yaml", |text| format!("{text}bogus: 1\n"))?;
    edit(world, "build/playbooks/mercure/build.yml", |text| text.replace("  remote_user: pi\n", "  bogus: pi\n"))?;
    edit(world, "build/playbooks/dnsutils/build.yml", |text| text.replace("- name: Deploy", "- name: deploy"))?;
    world.project.write("build/charts/scrutiny/templates/broken.yaml", "kind: ConfigMap\ndata: {a: \"b\"\nx: [\n")?;
    let names = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: same, namespace: common}\n";
    for service in ["dnsutils", "mercure"] {
        world.project.write(&format!("build/charts/{service}/templates/same.yaml"), names)?;
    }
    let refusal = "{{- if eq .Release.Name \"second\" }}{{ fail \"never twice\" }}{{ end }}\n";
    world.project.write("build/charts/dnsutils/templates/twice.yaml", refusal)?;
    let services = ["ollama", "postgres", "redis", "mercure", "dnsutils", "scrutiny"];
    let ended = lint(world, &[&services[..], &["--output=json"]].concat())?;
    ends_with(&ended, 1)?;
    let findings: Vec<_> = told(&ended, "lint_finding").collect();
    let untried: Vec<_> = told(&ended, "lint_not_run").collect();
    for (service, rule, message) in EXPECTED {
        if untried
            .iter()
            .any(|not_run| not_run["rule"] == rule && not_run["reason"].to_string().contains("not installed"))
        {
            println!("skipped: {rule} needs Ansible");
            continue;
        }
        let is_it = |finding: &&Value| {
            finding["service"] == service
                && finding["rule"] == rule
                && finding["message"].as_str().unwrap_or_default().contains(message)
        };
        findings.iter().find(is_it).with_context(|| format!("{service}: {rule}: {message}: {findings:#?}"))?;
    }
    cycle(world)
}

/// The catalogue as a whole.
fn cycle(world: &World) -> Result<()> {
    edit(world, "build/playbooks/redis/service.yml", |text| format!("{text}requires: [mercure]\n"))?;
    edit(world, "build/playbooks/mercure/service.yml", |text| {
        text.replace("phase: application", "phase: core") + "requires: [redis]\n"
    })?;
    let ended = lint(world, &["--output=json"])?;
    ends_with(&ended, 1)?;
    let cycle = told(&ended, "lint_finding").find(|finding| finding["message"].to_string().contains("circle"));
    let cycle = cycle.with_context(|| ended.stdout.clone())?;
    ensure!(cycle["rule"] == "catalog" && cycle["line"].as_u64() > Some(1), "{cycle:#}");
    Ok(())
}

fn edit(world: &World, path: &str, change: impl Fn(String) -> String) -> Result<()> {
    let text = fs::read_to_string(world.project.path().join(path))?;
    let changed = change(text.clone());
    ensure!(changed != text, "nothing to change in {path}");
    world.project.write(path, &changed)?;
    Ok(())
}
