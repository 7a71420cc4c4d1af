//! `values.schema.json` of charts: what its author writes, completed from `build/charts/common/definitions.json`.
//!
//! An author writes the properties that are the chart's own. What is added: the shared ones that its values.yaml has, `required`, and a
//! copy of every shared definition that is referred to, since Helm resolves no reference to another file. Definitions of the chart's own
//! stand in `$defs`.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where the shared part lies in a repository.
pub const DEFINITIONS: &str = "build/charts/common/definitions.json";

/// Helm passes these to every chart that has a library, whether its values name them or not.
const ALWAYS: [&str; 2] = ["common", "global"];

/// Why a schema can't be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesSchemaError {
    /// A reference to a shared definition that does not exist.
    #[error("`#/definitions/{0}` is not in `{DEFINITIONS}`; a definition of the chart's own goes to `$defs`")]
    UnknownDefinition(String),
    /// A value that neither the chart's own properties nor the shared ones know.
    #[error("values.yaml has `{0}`, for which neither the chart's schema nor `{DEFINITIONS}` has a property")]
    UnknownValue(String),
}

/// The text of a chart's `values.schema.json`: `own` is what it has of its own (`{}` for none), `values` its default values, `shared` the
/// content of [`DEFINITIONS`].
///
/// # Errors
/// A value without a property, or a reference that leads nowhere.
pub fn values_schema(chart: &str, own: &Value, values: &Value, shared: &Value) -> Result<String, ValuesSchemaError> {
    let mut schema = beginning(chart);
    schema.extend(own.as_object().cloned().unwrap_or_default());
    schema.shift_remove("definitions");
    let mut values = values.as_object().cloned().unwrap_or_default();
    for name in ALWAYS {
        values.entry(name).or_insert(Value::Null);
    }
    fill(&mut schema, &values, shared);
    if let Some(unknown) = values.keys().find(|name| schema["properties"].get(name.as_str()).is_none()) {
        return Err(ValuesSchemaError::UnknownValue(unknown.clone()));
    }
    // The chart's own definitions come after its properties.
    if let Some(definitions) = schema.shift_remove("$defs") {
        schema.insert("$defs".to_owned(), definitions);
    }
    let definitions = definitions(&Value::Object(schema.clone()), shared)?;
    schema.insert("definitions".to_owned(), json!(definitions));
    let text = serde_json::to_string_pretty(&schema).expect("a JSON value is always printable");
    Ok(format!("{text}\n"))
}

fn beginning(chart: &str) -> Map<String, Value> {
    let beginning = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("Values of the {chart} chart"),
        "type": "object",
        "additionalProperties": false,
        "required": [],
        "properties": {},
    });
    beginning.as_object().cloned().unwrap_or_default()
}

/// Adds the shared properties that the values have; a component's values are an object with properties of its own.
fn fill(schema: &mut Map<String, Value>, values: &Map<String, Value>, shared: &Value) {
    let mut properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in values {
        if let Some(property) = properties.get_mut(name) {
            let component = value.as_object().filter(|component| component.contains_key("image"));
            if let (Some(component), Some(property)) = (component, property.as_object_mut())
                && property.contains_key("properties")
            {
                fill(property, component, shared);
            }
        } else if let Some(property) = shared["properties"].get(name) {
            properties.insert(name.clone(), property.clone());
        }
    }
    schema.insert("required".to_owned(), json!(required(schema, &properties, values, shared)));
    properties.sort_keys();
    schema.insert("properties".to_owned(), Value::Object(properties));
}

/// The shared ones first, then the chart's own.
fn required(
    schema: &Map<String, Value>,
    properties: &Map<String, Value>,
    values: &Map<String, Value>,
    shared: &Value,
) -> Vec<String> {
    let names = |list: Option<&Value>| -> Vec<String> {
        list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut needed = names(shared.get("required"));
    needed.retain(|name| values.contains_key(name));
    let own = names(schema.get("required"));
    let own = own.into_iter().filter(|name| !needed.contains(name) && properties.contains_key(name));
    let own: Vec<_> = own.collect();
    needed.extend(own);
    needed
}

/// The shared definitions that a schema uses, and those that these use.
fn definitions(schema: &Value, shared: &Value) -> Result<BTreeMap<String, Value>, ValuesSchemaError> {
    let (mut found, mut open) = (BTreeMap::new(), Vec::new());
    references(schema, &mut open);
    while let Some(name) = open.pop() {
        if found.contains_key(&name) {
            continue;
        }
        let Some(definition) = shared["definitions"].get(&name) else {
            return Err(ValuesSchemaError::UnknownDefinition(name));
        };
        references(definition, &mut open);
        found.insert(name, definition.clone());
    }
    Ok(found)
}

fn references(node: &Value, found: &mut Vec<String>) {
    match node {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/definitions/"));
            found.extend(name.map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Value {
        json!({
            "required": ["image", "service"],
            "properties": {"image": {"$ref": "#/definitions/image"}, "common": {}, "global": {}, "service": {"type": "object"}},
            "definitions": {"image": {"properties": {"tag": {"$ref": "#/definitions/tag"}}}, "tag": {"type": "string"}, "other": {}},
        })
    }

    fn completed(own: &Value, values: &Value) -> Value {
        serde_json::from_str(&values_schema("notes", own, values, &shared()).unwrap()).unwrap()
    }

    #[test]
    fn what_the_values_have_is_added_with_what_it_refers_to() {
        let schema = completed(&json!({}), &json!({"image": {"tag": "1"}}));
        assert_eq!(schema["required"], json!(["image"]));
        assert_eq!(schema["additionalProperties"], false);
        let names = |key: &str| schema[key].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names("properties"), ["common", "global", "image"]);
        assert_eq!(names("definitions"), ["image", "tag"]);
    }

    #[test]
    fn a_charts_own_properties_stay_and_its_components_are_filled() {
        let own =
            json!({"properties": {"worker": {"properties": {"n": {"type": "integer"}}}}, "definitions": {"stale": {}}});
        let schema = completed(&own, &json!({"worker": {"n": 1, "image": {}}}));
        assert_eq!(schema["properties"]["worker"]["properties"]["image"]["$ref"], "#/definitions/image");
        assert_eq!(schema["properties"]["worker"]["required"], json!(["image"]));
        assert!(schema["definitions"].get("stale").is_none());
    }

    #[test]
    fn what_nobody_knows_is_an_error() {
        let error = values_schema("notes", &json!({}), &json!({"colour": 1}), &shared()).unwrap_err();
        assert_eq!(error, ValuesSchemaError::UnknownValue("colour".to_owned()));
        let own = json!({"properties": {"a": {"$ref": "#/definitions/gone"}}});
        let error = values_schema("notes", &own, &json!({"a": 1}), &shared()).unwrap_err();
        assert_eq!(error, ValuesSchemaError::UnknownDefinition("gone".to_owned()));
    }

    /// `cluster catalog schemas` writes what is not.
    #[test]
    fn the_charts_of_this_repository_come_out_as_they_are() {
        let charts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build/charts");
        let read = |path: std::path::PathBuf| std::fs::read_to_string(path);
        let shared: Value = serde_json::from_str(&read(charts.join("common/definitions.json")).unwrap()).unwrap();
        for entry in std::fs::read_dir(&charts).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !charts.join(&name).join("values.yaml").is_file() {
                continue;
            }
            let text = read(charts.join(&name).join("values.schema.json")).unwrap();
            let values: Value = serde_saphyr::from_str(&read(charts.join(&name).join("values.yaml")).unwrap()).unwrap();
            let own = serde_json::from_str(&text).unwrap();
            assert_eq!(
                values_schema(&name, &own, &values, &shared).unwrap(),
                text,
                "{name}: run `cluster catalog schemas`"
            );
        }
    }
}
