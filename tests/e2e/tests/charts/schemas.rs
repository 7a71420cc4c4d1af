//! What the charts' schemas share has one source, `build/charts/common/definitions.json`.

use crate::helm::{charts, name, root};
use serde_json::Value;
use std::fs;
use std::process::Command;

fn json(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `$ref` in a schema.
fn references(node: &Value, found: &mut Vec<String>) {
    match node {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Rewritten first when `UPDATE_SCHEMAS` is set: for all charts, or for those that it names.
fn update() {
    let Some(wanted) = std::env::var_os("UPDATE_SCHEMAS") else { return };
    let python = root().join(".tools/venv/bin/python3");
    let program = if python.is_file() { python.into_os_string() } else { "python3".into() };
    let status = Command::new(program).arg(root().join("scripts/schemas.py")).status().expect("Python starts");
    assert!(status.success(), "scripts/schemas.py ended with {status} ({})", wanted.display());
}

#[test]
fn schemas_share_one_source() {
    update();
    let shared = json(&root().join("build/charts/common/definitions.json"));
    for chart in charts() {
        let schema = json(&chart.join("values.schema.json"));
        let mut stale = Vec::new();
        for (definition, value) in schema["definitions"].as_object().into_iter().flatten() {
            if shared["definitions"][definition] != *value {
                stale.push(format!("definition `{definition}`"));
            }
        }
        let mut found = Vec::new();
        references(&schema, &mut found);
        stale.extend(found.into_iter().filter(|reference| schema.pointer(&reference[1..]).is_none()));
        assert!(stale.is_empty(), "{}: {stale:?}: run `scripts/schemas.py {0}`", name(&chart));
    }
}

/// A misspelt value is refused, and none that values.yaml has.
#[test]
fn schemas_know_every_value() {
    for chart in charts() {
        let schema = json(&chart.join("values.schema.json"));
        assert_eq!(schema["additionalProperties"], false, "{}: unknown values are taken", name(&chart));
        let values = fs::read_to_string(chart.join("values.yaml")).expect("a chart has values");
        let values: Value = serde_saphyr::from_str(&values).expect("values are YAML");
        for key in values.as_object().expect("values are a map").keys() {
            assert!(schema["properties"].get(key).is_some(), "{}: no property for `{key}`", name(&chart));
        }
    }
}
