//! Between nodes and plain JSON data.

use crate::{Mapping, Node, Value};
use diagnostic::Position;
use serde_json::{Map, Number};

impl Node {
    /// The node as JSON data, places dropped. Ciphertext becomes `{"__ansible_vault": "…"}` as in Ansible's JSON; infinities
    /// and NaN, which JSON lacks, become Python's words for them; keys become text.
    pub fn to_data(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => match Number::from_f64(*value) {
                Some(number) => serde_json::Value::Number(number),
                None => python_float(*value).into(),
            },
            Value::String(text) => text.as_str().into(),
            Value::Vault(ciphertext) => serde_json::json!({ "__ansible_vault": ciphertext }),
            Value::Sequence(items) => items.iter().map(Node::to_data).collect(),
            Value::Mapping(mapping) => {
                mapping.iter().map(|(key, value)| (key.to_key(), value.to_data())).collect::<Map<_, _>>().into()
            }
        }
    }

    /// Data from elsewhere as nodes that all stand at `position`. An integer above `i64::MAX` becomes a float.
    pub fn from_data(data: &serde_json::Value, position: Position) -> Self {
        let value = match data {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::String(text.clone()),
            serde_json::Value::Array(items) => {
                Value::Sequence(items.iter().map(|item| Self::from_data(item, position.clone())).collect())
            }
            serde_json::Value::Object(entries) => Value::Mapping(Mapping::new(
                entries
                    .iter()
                    .map(|(key, value)| (Self::string(key, position.clone()), Self::from_data(value, position.clone())))
                    .collect(),
            )),
        };
        Self::new(value, position)
    }

    /// The node as a key of JSON data: `1`, `true`, `null`.
    pub fn to_key(&self) -> String {
        match &self.value {
            Value::String(text) | Value::Vault(text) => text.clone(),
            _ => self.to_data().to_string().trim_matches('"').to_owned(),
        }
    }
}

fn python_float(value: f64) -> &'static str {
    if value.is_nan() {
        "nan"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

#[cfg(test)]
mod tests {
    use crate::{Node, load_one};
    use diagnostic::Position;
    use serde_json::json;

    #[test]
    fn a_document_becomes_data() {
        let node = load_one("a.yml", "a: [1, 2.5, yes, ~]\n2: .inf\ntrue: {b: x}\ns: !vault |\n  $V\n").unwrap();
        let expected =
            json!({"a": [1, 2.5, true, null], "2": "inf", "true": {"b": "x"}, "s": {"__ansible_vault": "$V\n"}});
        assert_eq!(node.to_data(), expected);
    }

    #[test]
    fn data_survives_the_way_there_and_back() {
        let data = json!({"a": [1, -2.5, "x", null, {"b": false}], "c": {}});
        assert_eq!(Node::from_data(&data, Position::new("<facts>", 1, 1)).to_data(), data);
    }
}
