//! Services with encrypted configuration, found by `service.yml`: their files fit together.

use crate::helm::{charts, name, release, render, root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// The folders of the services with `vault: true` that have a chart of ours.
fn services() -> Vec<(PathBuf, PathBuf)> {
    let folders = charts().into_iter().map(|chart| (root().join("build/playbooks").join(name(&chart)), chart));
    let vaulted: Vec<_> = folders
        .filter(|(folder, _)| {
            fs::read_to_string(folder.join("service.yml")).is_ok_and(|text| text.contains("\nvault: true\n"))
        })
        .collect();
    assert!(!vaulted.is_empty(), "no service has `vault: true`");
    vaulted
}

/// The keys that pods take from a Secret, and whether each must be there.
fn keys_of(node: &Value, secret: &str, found: &mut BTreeSet<(String, bool)>) {
    match node {
        Value::Object(fields) => {
            let reference = &fields.get("secretKeyRef").unwrap_or(&Value::Null);
            if reference["name"] == secret {
                let key = reference["key"].as_str().unwrap_or_default();
                found.insert((key.to_owned(), reference["optional"] != true));
            }
            if fields.get("secretName").is_some_and(|name| name == secret) {
                let items = fields.get("items").and_then(Value::as_array).into_iter().flatten();
                found.extend(items.filter_map(|item| Some((item["key"].as_str()?.to_owned(), true))));
            }
            fields.values().for_each(|field| keys_of(field, secret, found));
        }
        Value::Array(items) => items.iter().for_each(|item| keys_of(item, secret, found)),
        _ => {}
    }
}

/// What the example lists is what the chart takes, and the example holds no value that could be left in place.
#[test]
fn the_example_lists_what_the_chart_takes() {
    for (folder, chart) in services() {
        let example = folder.join("cfg.example.yml");
        let example = fs::read_to_string(&example).unwrap_or_else(|error| panic!("{}: {error}", example.display()));
        let example: Value = serde_saphyr::from_str(&example).expect("an example is YAML");
        let listed: BTreeSet<_> = example.as_object().expect("an example is a map").keys().cloned().collect();
        let mut taken = BTreeSet::new();
        for object in render(&chart, &release(&chart), &[]) {
            keys_of(&object.0, &format!("{}-config", release(&chart)), &mut taken);
        }
        let keys: BTreeSet<_> = taken.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(listed, keys, "{}", name(&chart));
        for (key, _) in taken.iter().filter(|(_, required)| *required) {
            assert_eq!(example[key], "", "{}: the example has a value for `{key}`", name(&chart));
        }
    }
}

/// The Secret is made before the release is, and by the shared steps.
#[test]
fn the_playbook_configures_before_it_installs() {
    for (folder, chart) in services() {
        let playbook = fs::read_to_string(folder.join("build.yml")).expect("a playbook");
        let place = |file: &str| playbook.find(&format!("import_tasks: ../../tasks/{file}"));
        let (config, installed) = (place("config.yml"), place("release.yml"));
        assert!(config.is_some() && config < installed, "{}: {config:?} {installed:?}", name(&chart));
        assert!(playbook.contains("\n    kubectl: kubectl\n"), "{}: no variable `kubectl`", name(&chart));
    }
}
