//! A schema knows every value of its chart.

use crate::helm::{charts, name};
use serde_json::Value;
use std::fs;

fn json(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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
