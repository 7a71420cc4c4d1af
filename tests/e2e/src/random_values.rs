//! Random values for a chart, as its `values.schema.json` allows them.
//!
//! What a schema only calls an object or a list of objects (affinity, tolerations, peers of a network policy), and what only a cluster
//! can judge (a priority class), is chosen from a few that Kubernetes takes. Conditions (`if`, `not`) are left to Helm, which then refuses
//! the values: that is an answer too.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;
use regex::Regex;
use serde_json::{Map, Value, json};

/// Values that the schema allows, each property given or left to the chart's default.
pub fn values(schema: &Value) -> BoxedStrategy<Value> {
    Generator { root: schema.clone() }.object(schema, false)
}

struct Generator {
    root: Value,
}

/// Whole numbers go so far above the smallest: what is larger is tried by nobody.
const SPAN: i64 = 5000;

/// Lists and maps have at most so many entries.
const MOST: usize = 3;

impl Generator {
    /// `complete`: required properties have to be there, since no default is below them.
    fn any(&self, name: &str, schema: &Value, complete: bool) -> BoxedStrategy<Value> {
        let schema = self.resolve(schema);
        if let Some(known) = known(name) {
            return known;
        }
        if name == "resources" {
            // Mostly what makes sense; the rest tries what charts say of requests above limits.
            return prop_oneof![6 => resources(), 1 => self.object(schema, complete)].boxed();
        }
        if let Some(choices) = schema["enum"].as_array() {
            return select(choices.clone()).boxed();
        }
        if let Some(constant) = schema.get("const") {
            return Just(constant.clone()).boxed();
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ if schema["properties"].is_object() => vec!["object"],
            _ => vec!["string"],
        };
        let alternatives = kinds.into_iter().map(|kind| self.of_kind(kind, schema, complete));
        alternatives.reduce(|one, other| prop_oneof![one, other].boxed()).unwrap_or_else(|| Just(Value::Null).boxed())
    }

    fn of_kind(&self, kind: &str, schema: &Value, complete: bool) -> BoxedStrategy<Value> {
        match kind {
            "boolean" => any::<bool>().prop_map(Value::from).boxed(),
            "integer" => number(schema).prop_map(Value::from).boxed(),
            "number" => (number(schema), select(vec![0.0, 0.5])).prop_map(|(n, part)| json!(n as f64 + part)).boxed(),
            "array" => self.array(schema),
            "object" => self.object(schema, complete),
            "string" => text(schema).prop_map(Value::from).boxed(),
            _ => Just(Value::Null).boxed(),
        }
    }

    fn object(&self, schema: &Value, complete: bool) -> BoxedStrategy<Value> {
        let schema = self.resolve(schema);
        let Some(properties) = schema["properties"].as_object() else { return self.map(schema) };
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut entries: BoxedStrategy<Vec<(String, Option<Value>)>> = Just(Vec::new()).boxed();
        for (name, schema) in properties {
            let value = self.any(name, schema, complete);
            let value = match complete && required.contains(&name.as_str()) {
                true => value.prop_map(Some).boxed(),
                false => proptest::option::weighted(0.4, value).boxed(),
            };
            let name = name.clone();
            entries = (entries, value)
                .prop_map(move |(mut entries, value)| {
                    entries.push((name.clone(), value));
                    entries
                })
                .boxed();
        }
        let entries = entries.prop_map(|entries| {
            entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Map<_, _>>()
        });
        entries.prop_map(Value::Object).boxed()
    }

    /// Names and values of the user's choice.
    fn map(&self, schema: &Value) -> BoxedStrategy<Value> {
        let patterns = schema["patternProperties"].as_object().into_iter().flatten();
        // Those whose schema is `false` are names that nothing may have.
        let named = patterns.filter(|(_, value)| value.is_object()).map(|(pattern, value)| (matching(pattern), value));
        let any_name = || matching("[a-z]([a-z0-9-]{0,8}[a-z0-9])?");
        let others = schema.get("additionalProperties").filter(|value| value.is_object());
        let Some((name, value)) = named.chain(others.map(|value| (any_name(), value))).next() else {
            return Just(json!({})).boxed();
        };
        let value = match words(self.resolve(value)) {
            Some(words) => prop_oneof![words, self.any("", value, true)].boxed(),
            None => self.any("", value, true),
        };
        btree_map(name, value, 0..=MOST).prop_map(|entries| json!(entries)).boxed()
    }

    fn array(&self, schema: &Value) -> BoxedStrategy<Value> {
        let limit = |name: &str| schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
        let least = limit("minItems").unwrap_or(0);
        let most = limit("maxItems").unwrap_or(MOST).min(MOST).max(least);
        let is_unique = schema["uniqueItems"] == true;
        let items = self.any("", schema.get("items").unwrap_or(&Value::Null), true);
        let list = vec(items, least..=most).prop_map(move |mut items| {
            if is_unique {
                let mut seen = Vec::new();
                items.retain(|item| {
                    !seen.contains(item) && {
                        seen.push(item.clone());
                        true
                    }
                });
            }
            Value::Array(items)
        });
        list.boxed()
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|reference| self.root.pointer(reference.trim_start_matches('#'))) {
            Some(found) => self.resolve(found),
            None => schema,
        }
    }
}

/// Values of Kubernetes' own types, which the schemas only call objects.
fn known(name: &str) -> Option<BoxedStrategy<Value>> {
    let choices = match name {
        "priorityClassName" => ["", "system-cluster-critical", "system-node-critical"].map(Value::from).to_vec(),
        // The longest that there may be: what is put behind it must not make a name too long.
        "fullnameOverride" => vec![json!(""), json!("a"), json!("db-1"), json!("n".repeat(52))],
        "schedule" => {
            ["@daily", "0 3 * * *", "*/15 0-6,22 1 jan-mar sun", "61 * * * *", "a b c d e"].map(Value::from).to_vec()
        }
        "affinity" => vec![
            json!({}),
            json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {"matchExpressions":
                [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}}]}}),
        ],
        "tolerations" => {
            vec![json!([]), json!([{"key": "a", "operator": "Exists"}, {"operator": "Exists", "effect": "NoSchedule"}])]
        }
        "ipBlock" => vec![json!({"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}), json!({"cidr": "fd00::/8"})],
        "endPort" => vec![json!(65535)],
        "matchExpressions" => vec![json!([{"key": "a.b/c", "operator": "In", "values": ["1", "true"]}])],
        "egress" => vec![
            json!([]),
            json!([{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 53, "protocol": "UDP"}]}]),
        ],
        _ => return None,
    };
    Some(select(choices).boxed())
}

/// Amounts from small to large, as people write them; each pair of neighbours is the same or grows.
const CPU: [&str; 9] = ["0", "0.001", "5m", "\"10m\"", "\"0.1\"", "100m", "0.5", "1", "\"2\""];
const MEMORY: [&str; 9] =
    ["4194304", "16Mi", "\"33554432\"", "0.0625Gi", "128M", "256Mi", "1000000000", "\"1Gi\"", "1.5Gi"];

/// Requests that no limit is below.
fn resources() -> BoxedStrategy<Value> {
    let ordered = |amounts: [&'static str; 9]| {
        (0..amounts.len(), 0..amounts.len())
            .prop_map(move |(one, other)| (amount(amounts[one.min(other)]), amount(amounts[one.max(other)])))
    };
    let all = (ordered(CPU), ordered(MEMORY), proptest::option::of(ordered(MEMORY)));
    let all = all.prop_map(|(cpu, memory, storage)| {
        let mut value =
            json!({"requests": {"cpu": cpu.0, "memory": memory.0}, "limits": {"cpu": cpu.1, "memory": memory.1}});
        if let Some((request, limit)) = storage {
            value["requests"]["ephemeral-storage"] = request;
            value["limits"]["ephemeral-storage"] = limit;
        }
        value
    });
    all.boxed()
}

/// What YAML takes the text for: a number, or a text, with or without quotes.
fn amount(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn number(schema: &Value) -> BoxedStrategy<i64> {
    let above = schema["exclusiveMinimum"].as_i64().map(|limit| limit.saturating_add(1));
    let least = above.or(schema["minimum"].as_i64()).unwrap_or(0);
    let most = schema["maximum"].as_i64().unwrap_or(i64::MAX).min(least.saturating_add(SPAN));
    prop_oneof![Just(least), Just(most.max(least)), least..=most.max(least)].boxed()
}

/// A text that the pattern matches and that is no longer than it may be; the shortest that is allowed counts as likely.
fn text(schema: &Value) -> BoxedStrategy<String> {
    let least = schema["minLength"].as_u64().and_then(|least| usize::try_from(least).ok()).unwrap_or(0);
    let most = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(200);
    let fitting = move |text: &String| (least..=most).contains(&text.chars().count());
    match schema["pattern"].as_str() {
        Some(pattern) => matching(pattern).prop_filter("of the right length", fitting).boxed(),
        None => matching("[a-z][a-z0-9 :'\"#{}-]{0,12}|[a-z]{1,8}").prop_filter("of the right length", fitting).boxed(),
    }
}

/// For texts of the user's choice, such as labels' values: what YAML would take for something else has to stay text.
const WORDS: [&str; 9] = ["a", "true", "no", "1", "007", "1e6", "1.10", "0x1f", "null"];

/// Those that a text may be, if the schema is one of texts only.
fn words(schema: &Value) -> Option<BoxedStrategy<Value>> {
    if schema["type"] != "string" || schema["enum"].is_array() {
        return None;
    }
    let pattern = Regex::new(schema["pattern"].as_str().unwrap_or_default()).ok()?;
    let words: Vec<_> = WORDS.into_iter().filter(|word| pattern.is_match(word)).collect();
    (!words.is_empty()).then(|| select(words).prop_map(Value::from).boxed())
}

/// Texts that a schema's pattern matches. JSON Schema's patterns match anywhere; what is not anchored goes on for a while.
fn matching(pattern: &str) -> BoxedStrategy<String> {
    let alternatives = pattern.split("$|^").map(|part| {
        let part = part.strip_prefix('^').unwrap_or(part);
        let text = match part.strip_suffix('$').filter(|rest| !rest.ends_with('\\')) {
            Some(whole) => whole.to_owned(),
            None if part == pattern => part.to_owned(),
            None => format!("{part}[a-z0-9 :'\"#{{}}._-]{{0,10}}"),
        };
        // What may be anything but blanks is tried with what people type; what may be as long as it likes stays short enough to be read.
        let text = text
            .replace("\\S", "[a-z0-9.:/_-]")
            .replace("[^\\s/]", "[a-z0-9.-]")
            .replace("[^@\\s]", "[a-z0-9.-]")
            .replace("[^\\r\\n]", "[ -~é–☃]")
            .replace("]*", "]{0,12}")
            .replace("]+", "]{1,12}")
            .replace(")*", "){0,3}")
            .replace(")+", "){1,3}");
        let texts = string_regex(&text).unwrap_or_else(|error| panic!("`{pattern}`: {error}"));
        // No YAML file can hold these, except in escapes.
        texts.prop_filter("printable", |text| !text.chars().any(is_unprintable)).boxed()
    });
    alternatives.reduce(|one, other| prop_oneof![one, other].boxed()).expect("splitting leaves one part at least")
}

fn is_unprintable(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    #[test]
    fn values_fit_their_schema() {
        let schema = json!({"definitions": {"port": {"type": "integer", "minimum": 1, "maximum": 65535}}, "type": "object", "properties": {
            "port": {"$ref": "#/definitions/port"},
            "name": {"type": "string", "pattern": "^[a-z]{2,4}$"},
            "kind": {"enum": ["A", "B"]},
            "list": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["x"], "properties": {"x": {"type": "boolean"}}}},
        }});
        let (mut runner, strategy) = (TestRunner::deterministic(), values(&schema));
        let mut seen = 0;
        for _ in 0..200 {
            let value = strategy.new_tree(&mut runner).expect("a value").current();
            if let Some(port) = value["port"].as_i64() {
                assert!((1..=65535).contains(&port), "{value}");
                seen += 1;
            }
            if let Some(name) = value["name"].as_str() {
                assert!((2..=4).contains(&name.len()), "{value}");
            }
            assert!(value["kind"].is_null() || value["kind"] == "A" || value["kind"] == "B", "{value}");
            for item in value["list"].as_array().into_iter().flatten() {
                assert!(item["x"].is_boolean(), "{value}");
            }
        }
        assert!(seen > 40, "only {seen} ports in 200 values");
    }
}
