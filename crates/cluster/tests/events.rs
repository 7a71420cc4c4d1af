//! `docs/reference/events.md` is what the types of the events say.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const HEAD: &str = "<!-- Generated from the types of the events: change them there, then run `make docs`. -->

# Events

With `--output json` every line of standard output is one object. An event has the field `event`, and `time` (RFC 3339); where several
services are deployed at once also `service`. Durations are numbers of seconds. Fields are only ever added. What a command lists
(`cluster catalog list`) are objects without `event`.

What ends a command is an event `error` with `message`, and where there is more to say `causes`, `label`, `hint`, and the place as `file`,
`line` and `column`; `exit_code` is what the process ends with. Something odd in a file is a `warning` with the same fields.
";

/// `UPDATE_DOCS=1 cargo test -p cluster` writes the file anew.
#[test]
fn the_committed_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/events.md");
    let wanted = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &wanted).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), wanted, "{path} is stale: run `make docs`");
}

#[test]
fn every_event_and_field_says_what_it_is() {
    for (name, event) in events() {
        assert!(!text(&event["description"]).is_empty(), "{name} has no description");
        for (field, schema) in fields(&event) {
            assert!(!description(&schema).is_empty(), "{name}: {field} has no description");
        }
    }
}

fn reference() -> String {
    let mut reference = HEAD.to_owned();
    for (name, event) in events() {
        write!(reference, "\n## `{name}`\n\n{}\n", text(&event["description"])).unwrap();
        let fields = fields(&event);
        if !fields.is_empty() {
            reference.push_str("\n| Field | Type | Meaning |\n|---|---|---|\n");
        }
        for (field, schema) in fields {
            writeln!(reference, "| `{field}` | {} | {} |", kind(&schema), description(&schema).replace('|', "\\|"))
                .unwrap();
        }
    }
    reference
}

/// Every event by its name.
fn events() -> BTreeMap<String, Value> {
    let schema = cluster::events_schema();
    let mut found = BTreeMap::new();
    collect(&schema, &schema, &mut found);
    found
}

fn collect(schema: &Value, root: &Value, found: &mut BTreeMap<String, Value>) {
    let schema = resolved(schema, root);
    let name = schema["properties"]["event"]["const"].as_str();
    if let Some(name) = name {
        let mut event = schema.clone();
        event["description"] = schema["description"].clone();
        flatten(&mut event, root);
        found.insert(name.to_owned(), event);
        return;
    }
    for key in ["anyOf", "oneOf"] {
        schema[key].as_array().into_iter().flatten().for_each(|part| collect(part, root, found));
    }
}

/// What `$ref` and `allOf` bring, and every alternative of what is flattened into the event.
fn flatten(event: &mut Value, root: &Value) {
    let mut properties = event["properties"].as_object().cloned().unwrap_or_default();
    let mut open: Vec<Value> = parts(event);
    while let Some(part) = open.pop() {
        let part = resolved(&part, root).clone();
        for (name, schema) in part["properties"].as_object().into_iter().flatten() {
            match properties.get_mut(name) {
                Some(known) if schema["const"].is_string() => add_word(known, &schema["const"]),
                Some(_) => {}
                None => {
                    properties.insert(name.clone(), schema.clone());
                }
            }
        }
        open.extend(parts(&part));
    }
    for schema in properties.values_mut() {
        let target = resolved(schema, root).clone();
        let own = schema["description"].as_str().map(str::to_owned);
        *schema = target;
        if let Some(own) = own {
            schema["description"] = Value::String(own);
        }
    }
    event["properties"] = Value::Object(properties);
}

/// A tag has one word in each alternative.
fn add_word(tag: &mut Value, word: &Value) {
    let mut words = tag["enum"].as_array().cloned().unwrap_or_default();
    words.extend(tag.as_object_mut().and_then(|tag| tag.remove("const")));
    words.push(word.clone());
    words.sort_by_key(|word| word.as_str().map(str::to_owned));
    words.dedup();
    tag["enum"] = Value::Array(words);
    tag["description"] = Value::String("Which of these it is; the fields below depend on it.".to_owned());
    if let Some(tag) = tag.as_object_mut() {
        tag.remove("type");
    }
}

fn parts(schema: &Value) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::new();
    for key in ["allOf", "anyOf", "oneOf"] {
        parts.extend(schema[key].as_array().into_iter().flatten().cloned());
    }
    if schema.get("$ref").is_some() {
        parts.push(Value::Object(Map::from_iter([("$ref".to_owned(), schema["$ref"].clone())])));
    }
    parts
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    let is_alone = schema.as_object().is_some_and(|object| !object.contains_key("properties"));
    pointer.filter(|_| is_alone).and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

fn fields(event: &Value) -> Vec<(String, Value)> {
    let properties = event["properties"].as_object().into_iter().flatten();
    properties.filter(|(name, _)| *name != "event").map(|(name, schema)| (name.clone(), schema.clone())).collect()
}

fn kind(schema: &Value) -> String {
    let alternatives: Vec<_> =
        ["anyOf", "oneOf"].iter().flat_map(|key| schema[*key].as_array().into_iter().flatten()).collect();
    let words: Vec<_> =
        alternatives.iter().filter_map(|one| one["const"].as_str()).map(|word| format!("`{word}`")).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ if schema["const"].is_string() => format!("`{}`", text(&schema["const"])),
        _ if !schema["enum"].is_null() => {
            let words: Vec<_> = schema["enum"].as_array().into_iter().flatten().map(text).collect();
            format!("`{}`", words.join("`, `"))
        }
        _ => "object".to_owned(),
    }
}

fn description(schema: &Value) -> String {
    text(&schema["description"]).replace('\n', " ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
