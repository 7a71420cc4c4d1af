//! A document against a JSON schema, as far as schemars generates it: every mistake with its place, unknown keys with the
//! nearest valid one.

use crate::tree::{Node, Value};
use diagnostic::{Mistake, Mistakes, closest};
use serde_json::Value as Json;

/// Everything in `node` that `schema` does not allow.
pub(crate) fn validate(node: &Node, schema: &Json, file: &str) -> Mistakes {
    let mut check = Check { root: schema, file, mistakes: Mistakes::new() };
    check.node(node, schema, "the document");
    check.mistakes
}

struct Check<'a> {
    root: &'a Json,
    file: &'a str,
    mistakes: Mistakes,
}

impl<'a> Check<'a> {
    fn node(&mut self, node: &Node, schema: &'a Json, name: &str) {
        let schema = self.resolve(schema);
        if let Some(choices) = constants(schema) {
            return self.choice(node, &choices, name);
        }
        if let Some(alternatives) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Json::as_array) {
            return self.alternatives(node, alternatives, name);
        }
        if !self.of_type(node, schema, name) {
            return;
        }
        match &node.value {
            Value::Mapping(_) => self.mapping(node, schema),
            Value::Sequence(items) => self.sequence(node, items, schema, name),
            Value::String(text) => self.string(node, text, schema, name),
            Value::Integer(number) => self.range(node, *number, schema, name),
            Value::Null | Value::Bool | Value::Number => {}
        }
    }

    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let Some(reference) = schema.get("$ref").and_then(Json::as_str) else { return schema };
        reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }

    fn say(&mut self, node: &Node, message: String) {
        let mistake = Mistake::at(node.position(self.file), message);
        self.mistakes.push(mistake.hinted("docs/reference/service.yml shows every key"));
    }

    fn choice(&mut self, node: &Node, choices: &[&str], name: &str) {
        let list = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
        match node.as_str() {
            Some(text) if choices.contains(&text) => {}
            Some(text) => {
                let mistake = Mistake::at(node.position(self.file), format!("{name} can't be `{text}`"));
                self.mistakes.push(mistake.hinted(suggestion(text, choices).unwrap_or(format!("one of {list}"))));
            }
            None => self.say(node, format!("{name} must be one of {list}, not {}", node.kind())),
        }
    }

    /// Either "this or nothing", as optional fields are, or mappings that differ by their one key, as enums are.
    fn alternatives(&mut self, node: &Node, alternatives: &'a [Json], name: &str) {
        let tagged: Vec<_> = alternatives.iter().filter_map(|schema| only_key(self.resolve(schema))).collect();
        if tagged.len() != alternatives.len() {
            let is_null = matches!(node.value, Value::Null);
            let other = alternatives.iter().find(|schema| schema.get("type").and_then(Json::as_str) != Some("null"));
            if let (false, Some(schema)) = (is_null, other) {
                self.node(node, schema, name);
            }
            return;
        }
        let names: Vec<_> = tagged.iter().map(|(key, _)| *key).collect();
        let list = names.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        match node.entries() {
            [(key, value)] => match tagged.iter().find(|(tag, _)| *tag == key.name) {
                Some((tag, schema)) => self.node(value, schema, &format!("`{tag}`")),
                None => {
                    let mistake = Mistake::at(key.position(self.file), format!("unknown key `{}`", key.name));
                    let hint = suggestion(&key.name, &names).unwrap_or(format!("one of {list}"));
                    self.mistakes.push(mistake.hinted(hint));
                }
            },
            _ => self.say(node, format!("{name} must be a mapping with exactly one of {list}")),
        }
    }

    fn of_type(&mut self, node: &Node, schema: &Json, name: &str) -> bool {
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Json::String(kind)) => vec![kind],
            Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
            _ => return true,
        };
        let fits = kinds.iter().any(|kind| match *kind {
            "null" => matches!(node.value, Value::Null),
            "boolean" => matches!(node.value, Value::Bool),
            "integer" => matches!(node.value, Value::Integer(_)),
            "number" => matches!(node.value, Value::Integer(_) | Value::Number),
            "string" => matches!(node.value, Value::String(_)),
            "array" => matches!(node.value, Value::Sequence(_)),
            "object" => matches!(node.value, Value::Mapping(_)),
            _ => true,
        });
        if !fits {
            let wanted = kinds.iter().find(|kind| **kind != "null").map_or("nothing", |kind| in_words(kind));
            self.say(node, format!("{name} must be {wanted}, not {}", node.kind()));
        }
        fits
    }

    fn mapping(&mut self, node: &Node, schema: &'a Json) {
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
        for (key, value) in node.entries() {
            match properties.get(&key.name) {
                Some(schema) => self.node(value, schema, &format!("`{}`", key.name)),
                None if schema.get("additionalProperties") == Some(&Json::Bool(false)) => {
                    let names: Vec<_> = properties.keys().map(String::as_str).collect();
                    let mistake = Mistake::at(key.position(self.file), format!("unknown key `{}`", key.name));
                    let hint = suggestion(&key.name, &names);
                    let hint = hint.unwrap_or_else(|| format!("known here: {}", names.join(", ")));
                    self.mistakes.push(mistake.hinted(hint));
                }
                None => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        for key in required.into_iter().flatten().filter_map(Json::as_str) {
            if node.get(key).is_none() {
                self.say(node, format!("`{key}` is missing"));
            }
        }
    }

    fn sequence(&mut self, node: &Node, items: &[Node], schema: &'a Json, name: &str) {
        if schema.get("minItems").and_then(Json::as_u64).is_some_and(|least| (items.len() as u64) < least) {
            self.say(node, format!("{name} must not be empty"));
        }
        if let Some(schema) = schema.get("items") {
            for item in items {
                self.node(item, schema, &format!("an item of {name}"));
            }
        }
    }

    fn string(&mut self, node: &Node, text: &str, schema: &Json, name: &str) {
        let length = text.chars().count() as u64;
        let pattern = schema.get("pattern").and_then(Json::as_str);
        // Patterns are ours; one that can't be compiled is caught by this crate's tests.
        let matches = |pattern: &str| regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
        if schema.get("minLength").and_then(Json::as_u64).is_some_and(|least| length < least) {
            self.say(node, format!("{name} must not be empty"));
        } else if let Some(most) = schema.get("maxLength").and_then(Json::as_u64).filter(|most| length > *most) {
            self.say(node, format!("{name} has {length} characters, at most {most} are allowed"));
        } else if let Some(pattern) = pattern.filter(|pattern| !matches(pattern)) {
            let rule = schema.get("errorMessage").and_then(Json::as_str);
            let rule = rule.map_or_else(|| format!("it must match `{pattern}`"), str::to_owned);
            self.say(node, format!("{name} can't be `{text}`: {rule}"));
        }
    }

    fn range(&mut self, node: &Node, number: i64, schema: &Json, name: &str) {
        let least = schema.get("minimum").and_then(Json::as_i64).unwrap_or(i64::MIN);
        let most = schema.get("maximum").and_then(Json::as_i64).unwrap_or(i64::MAX);
        if number < least || number > most {
            self.say(node, format!("{name} can't be {number}: from {least} to {most}"));
        }
    }
}

/// The strings that a schema allows, if it is a choice of strings.
fn constants(schema: &Json) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return values.iter().map(Json::as_str).collect();
    }
    schema.get("oneOf")?.as_array()?.iter().map(|choice| choice.get("const")?.as_str()).collect()
}

/// Name and schema of the single property of a mapping, as schemars writes a variant that holds data.
fn only_key(schema: &Json) -> Option<(&str, &Json)> {
    let properties = schema.get("properties")?.as_object()?;
    let (name, value) = properties.iter().next()?;
    (properties.len() == 1).then_some((name, value))
}

fn suggestion(name: &str, candidates: &[&str]) -> Option<String> {
    closest(name, candidates.iter().copied()).map(|name| format!("did you mean `{name}`?"))
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "boolean" => "true or false",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Service;
    use crate::schema::schema;

    /// A document that passes the schema is one that serde reads: otherwise a mistake would come late and alone. Tried on the
    /// annotated reference with each of its lines changed in turn.
    #[test]
    fn what_the_schema_takes_serde_reads() {
        let text = include_str!("../../../docs/reference/service.yml");
        let lines: Vec<_> =
            text.lines().filter(|line| !line.is_empty() && !line.trim_start().starts_with('#')).collect();
        let mut taken = 0;
        for index in 0..lines.len() {
            let key = lines[index].split_inclusive(':').next().unwrap_or_default();
            for replacement in
                ["", "~", " [a]", " 7", " -1", " {a: b}", " text", " true", " {}", " []", " 1.5", " \"\""]
            {
                let line = format!("{key}{replacement}");
                let mut changed = lines.clone();
                changed[index] = &line;
                let changed = changed.join("\n");
                let Ok(node) = Node::parse(&changed, "service.yml") else { continue };
                if validate(&node, schema(), "service.yml").is_empty() {
                    taken += 1;
                    let read = serde_saphyr::from_str::<Service>(&changed);
                    assert!(read.is_ok(), "line {}: {line}: {:?}", index + 1, read.err());
                }
            }
        }
        assert!(taken > 30, "only {taken} documents were taken");
    }
}
