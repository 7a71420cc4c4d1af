//! Every folder of `tests/conformance/inventory` through ansible-core and through ours: hosts, groups, variables, patterns.
//! A folder `err_*` must be refused by both.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use camino::{Utf8Path, Utf8PathBuf};
use inventory::{Inventory, Variables};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::process::Command;

/// What is different on purpose, by case and question, and why. An entry that is no longer true fails the test.
const KNOWN: [(&str, &str, &str); 2] = [
    ("range_backwards", "error", "ansible-core takes `pi-[4:1]` for no host at all, silently; here it is a mistake"),
    (
        "template_of_literal",
        "error",
        "ansible-core fails on `a={{ 'x' }}`, which it reads as a set in a set; here it is text",
    ),
];

/// Variables that ansible-core adds and that are not the inventory's to know.
const NOT_THE_INVENTORYS: [&str; 7] = [
    "ansible_config_file",
    "ansible_facts",
    "ansible_inventory_sources",
    "ansible_playbook_python",
    "ansible_verbosity",
    "ansible_version",
    "playbook_dir",
];

#[derive(Deserialize)]
struct Case {
    sources: Vec<String>,
    playbook_dir: Option<Utf8PathBuf>,
    #[serde(default)]
    patterns: Vec<(String, Option<String>)>,
}

#[test]
fn inventories_are_read_as_ansible_reads_them() {
    let folders = folders();
    let reference = reference(&folders);
    let mut differences = Vec::new();
    for folder in &folders {
        let name = folder.file_name().unwrap();
        let text = std::fs::read_to_string(folder.join("case.json")).unwrap();
        let case: Case = serde_json::from_str(&text).unwrap();
        compare(folder, &case, &reference[name], &mut |question, ours, theirs| {
            differences.push((name.to_owned(), question, ours, theirs));
        });
    }
    let unexpected: Vec<String> = differences
        .iter()
        .filter(|(case, question, ..)| !KNOWN.iter().any(|(known, what, _)| known == case && what == question))
        .map(|(case, question, ours, theirs)| format!("{case}: {question}\n  ours:    {ours}\n  ansible: {theirs}"))
        .collect();
    let stale: Vec<String> = KNOWN
        .iter()
        .filter(|(known, what, _)| !differences.iter().any(|(case, question, ..)| known == case && what == question))
        .map(|(case, question, _)| format!("{case}: {question} is no difference any more; remove it from KNOWN"))
        .collect();
    let failures = [unexpected, stale].concat();
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// The compute profile through the real command, text for text.
#[test]
fn the_compute_profile_is_listed_as_ansible_inventory_lists_it() {
    let path = root().join("ansible/inventory/compute.ini");
    let ours = Inventory::load(&[&path]).unwrap();
    let graph = ansible_inventory(&["--graph", "-i", path.as_str()]);
    assert_eq!(ours.to_graph(None).unwrap(), graph);
    let list: Value = serde_json::from_str(&ansible_inventory(&["--list", "-i", path.as_str()])).unwrap();
    assert_eq!(ours.to_list(None).unwrap(), list);
    let host: Value = serde_json::from_str(&ansible_inventory(&["--host", "pi-3", "-i", path.as_str()])).unwrap();
    assert_eq!(ours.to_host("pi-3", None).unwrap(), host);
}

fn compare(folder: &Utf8Path, case: &Case, theirs: &Value, differ: &mut impl FnMut(String, Value, Value)) {
    let path = |source: &String| if source.contains(',') { source.clone() } else { folder.join(source).into_string() };
    let ours = match Inventory::load(&case.sources.iter().map(path).collect::<Vec<_>>()) {
        Ok(ours) => ours,
        Err(error) => {
            if theirs.get("error").is_none() {
                differ("error".to_owned(), json!(error.to_string()), theirs["graph"].clone());
            }
            return;
        }
    };
    if theirs.get("error").is_some() {
        differ("error".to_owned(), json!(ours.to_graph(None).unwrap()), theirs["error"].clone());
        return;
    }
    let mut question = |name: &str, ours: Value, theirs: &Value| {
        if ours != *theirs {
            differ(name.to_owned(), ours, theirs.clone());
        }
    };
    let playbook_dir = case.playbook_dir.as_ref().map(|directory| folder.join(directory));
    let list = ours.to_list(playbook_dir.as_deref()).unwrap();
    for (group, value) in theirs["list"].as_object().unwrap().iter().filter(|(group, _)| *group != "_meta") {
        question(&format!("group `{group}`"), list[group].clone(), value);
    }
    question("list", list, &theirs["list"]);
    question("graph", ours.to_graph(None).unwrap().trim_end().into(), &theirs["graph"]);
    for (host, theirs) in theirs["variables"].as_object().unwrap() {
        let mut theirs = theirs.as_object().unwrap().clone();
        NOT_THE_INVENTORYS.iter().for_each(|name| drop(theirs.remove(*name)));
        let variables = data(&ours.variables(host, playbook_dir.as_deref()).unwrap());
        for name in variables.keys().chain(theirs.keys()) {
            let theirs = theirs.get(name).unwrap_or(&Value::Null);
            question(
                &format!("variable `{name}` of `{host}`"),
                variables.get(name).cloned().unwrap_or(Value::Null),
                theirs,
            );
        }
    }
    for ((pattern, limit), theirs) in case.patterns.iter().zip(theirs["patterns"].as_array().unwrap()) {
        // A limit's file is named relative to the case.
        let limit = limit.as_ref().map(|limit| limit.replace('@', &format!("@{folder}/")));
        let selected = match ours.select(pattern, limit.as_deref()) {
            Ok(selection) => {
                let name = |message: &str| message.split('`').nth(1).unwrap().to_owned();
                let unmatched: Vec<_> = selection.warnings.iter().map(|warning| name(&warning.message)).collect();
                json!({ "hosts": selection.hosts, "unmatched": unmatched })
            }
            Err(_) => json!({ "error": true }),
        };
        let limited = limit.map(|limit| format!(" limited to `{limit}`")).unwrap_or_default();
        question(&format!("pattern `{pattern}`{limited}"), selected, theirs);
    }
}

fn data(variables: &Variables) -> Map<String, Value> {
    variables.iter().map(|(name, value)| (name.clone(), value.to_data())).collect()
}

/// What ansible-core says about all cases, from one process.
fn reference(folders: &[Utf8PathBuf]) -> Map<String, Value> {
    let script = cases().join("reference.py");
    let output = Command::new(venv("python")).arg(script).args(folders).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the reference failed:\n{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ansible_inventory(arguments: &[&str]) -> String {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = Command::new(venv("ansible-inventory"))
        .args(arguments)
        .current_dir(elsewhere.path())
        .env_remove("ANSIBLE_CONFIG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A program of the reference's environment.
fn venv(program: &str) -> Utf8PathBuf {
    let path = root().join(".tools/venv/bin").join(program);
    assert!(path.exists(), "`{path}` is missing, the reference to compare with; run scripts/venv.sh");
    path
}

fn folders() -> Vec<Utf8PathBuf> {
    let entries = cases().read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let mut folders: Vec<_> = entries.filter(|path| path.join("case.json").exists()).collect();
    folders.sort();
    assert!(folders.len() > 30, "only {} cases were found", folders.len());
    folders
}

fn cases() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory")
}

fn root() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize_utf8().unwrap()
}
