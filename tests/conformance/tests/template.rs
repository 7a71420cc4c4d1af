//! Every case of `tests/conformance/template/cases.yml` through ansible-core's templating and through ours. Results are
//! compared with their types; where one fails the other must fail too.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use template::{Engine, FileOptions, Scope, Value, Variable, Variables};
use yaml::Node;

/// What is different on purpose, by the case's text, and why. An entry that is no longer true fails the test.
const KNOWN: &[(&str, &str)] = &[
    ("{{ +i }}", "minijinja's grammar has no unary plus"),
    ("{{ lipsum is defined }}", "no playbook needs Latin"),
    (
        "{{ u | groupby('k.z', default=0) | map('first') | list }}",
        "ansible-core 2.19.5 trips over the very members that `default` is for",
    ),
];

struct Group {
    area: String,
    unordered: bool,
    scope: Arc<dyn Scope>,
    cases: Vec<Node>,
}

#[test]
fn templates_give_what_they_give_in_ansible() {
    let groups = groups();
    let theirs = reference();
    let engine = Engine::new().with_search_path([directory().into_std_path_buf()]);
    let cases: Vec<_> = groups.iter().flat_map(|group| group.cases.iter().map(move |case| (group, case))).collect();
    assert_eq!(cases.len(), theirs.len(), "the reference answered another number of cases");
    assert!(cases.len() > 400, "only {} cases were found", cases.len());
    let mut found = BTreeMap::new();
    for ((group, case), theirs) in cases.into_iter().zip(theirs) {
        let ours = evaluate(&engine, case, &group.scope);
        let same = match (&ours, theirs.get("ok")) {
            (Ok(ours), Some(theirs)) => normal(ours, group.unordered) == normal(theirs, group.unordered),
            (Err(_), None) => true,
            _ => false,
        };
        if !same {
            let ours = ours.map_or_else(|error| format!("error: {error}"), |value| value.to_string());
            found.insert(text(case), format!("{}: {}\n  ours:    {ours}\n  ansible: {theirs}", group.area, text(case)));
        }
    }
    let mut failures: Vec<String> = found
        .iter()
        .filter(|(case, _)| !KNOWN.iter().any(|(known, _)| known == case))
        .map(|(_, shown)| shown.clone())
        .collect();
    let stale = KNOWN.iter().filter(|(known, _)| !found.contains_key(*known));
    failures.extend(stale.map(|(known, _)| format!("`{known}` is no difference any more; remove it from KNOWN")));
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

fn evaluate(engine: &Engine, case: &Node, scope: &Arc<dyn Scope>) -> Result<Json, template::Error> {
    let Some(entries) = case.as_mapping() else {
        return engine.render(case, scope).map(checked);
    };
    if let Some(node) = entries.get("node") {
        return engine.render(node, scope).map(checked);
    }
    if let Some(node) = entries.get("condition") {
        return engine.condition(node, scope).map(Json::Bool);
    }
    if let Some(node) = entries.get("expression") {
        return engine.expression(node.as_str().unwrap(), &node.position, scope).map(checked);
    }
    let mut options = FileOptions::default();
    for (key, value) in entries.iter() {
        let flag = || matches!(value.value, yaml::Value::Bool(true));
        match key.as_str().unwrap() {
            "trim_blocks" => options.trim_blocks = flag(),
            "lstrip_blocks" => options.lstrip_blocks = flag(),
            "variable_start_string" => options.variable_start_string = value.as_str().unwrap().to_owned(),
            "variable_end_string" => options.variable_end_string = value.as_str().unwrap().to_owned(),
            "file" => {}
            other => panic!("unknown option `{other}` in a case"),
        }
    }
    let content = entries.get("file").unwrap().as_str().unwrap();
    engine.render_file(content, directory().join("case.j2").as_str(), &options, scope).map(Json::String)
}

/// A result that is `omit` as a whole is an error for ansible-core's templar; no case has one.
fn checked(value: Value) -> Json {
    assert!(!value.is_omit());
    value.to_json()
}

/// Lists in a fixed order where their order is of no account.
fn normal(value: &Json, unordered: bool) -> Json {
    match value {
        Json::Array(items) if unordered => {
            let mut items = items.clone();
            items.sort_by_key(Json::to_string);
            Json::Array(items)
        }
        other => other.clone(),
    }
}

fn text(case: &Node) -> String {
    case.as_str().map_or_else(|| case.to_data().to_string(), str::to_owned)
}

fn groups() -> Vec<Group> {
    let path = directory().join("cases.yml");
    let root = yaml::load_one(path.as_str(), &std::fs::read_to_string(&path).unwrap()).unwrap();
    let groups = root.as_sequence().unwrap().iter().map(|group| {
        let group = group.as_mapping().unwrap();
        let mut variables = Variables::new();
        for (name, node) in group.get("vars").into_iter().flat_map(|vars| vars.as_mapping().unwrap().iter()) {
            variables.set(name.as_str().unwrap(), Variable::Authored(Arc::new(node.clone())));
        }
        for (name, node) in group.get("data").into_iter().flat_map(|data| data.as_mapping().unwrap().iter()) {
            variables.set(name.as_str().unwrap(), Variable::from(node.to_data()));
        }
        Group {
            area: group.get("area").unwrap().as_str().unwrap().to_owned(),
            unordered: group.get("unordered").is_some(),
            scope: Arc::new(variables),
            cases: group.get("cases").unwrap().as_sequence().unwrap().to_vec(),
        }
    });
    groups.collect()
}

/// What ansible-core gives for all cases, from one process.
fn reference() -> Vec<Json> {
    let python = directory().join("../../../.tools/venv/bin/python");
    assert!(python.exists(), "`{python}` is missing, the reference to compare with; run scripts/venv.sh");
    let output = Command::new(python)
        .args([directory().join("reference.py"), directory().join("cases.yml"), directory()])
        .output()
        .unwrap();
    assert!(output.status.success(), "the reference failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(&line.replace("NaN", "null")).unwrap()).collect()
}

fn directory() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("template")
}
