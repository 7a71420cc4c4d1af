//! Values to and from JSON: what leaves templates, and what modules return.

use super::{Key, Map, Value};
use serde::{Serialize, Serializer};
use serde_json::{Number, Value as Json};

impl Value {
    /// As JSON. Tuples become lists, keys text; what JSON has no form for (a function, a time) becomes its text.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Undefined(_) | Self::Omit | Self::None => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(number) => int_to_json(*number),
            Self::Float(number) => Number::from_f64(*number).map_or_else(|| Json::String(self.to_text()), Json::Number),
            Self::Str(text) => Json::String(text.to_string()),
            Self::List(items) | Self::Tuple(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_json(), value.to_json())).collect()),
            Self::Lazy(thunk) => thunk.force().to_json(),
            Self::Time(_) => Json::String(self.to_text().replacen(" ", "T", 1)),
            Self::Scope(view) => Self::map(view.members()).to_json(),
            Self::Range(..) | Self::Delta(_) | Self::Callable(_) => Json::String(self.to_text()),
        }
    }
}

fn int_to_json(number: i128) -> Json {
    if let Ok(small) = i64::try_from(number) {
        return Json::Number(small.into());
    }
    if let Ok(large) = u64::try_from(number) {
        return Json::Number(large.into());
    }
    // What JSON readers make of larger ones.
    Number::from_f64(number as f64).map_or(Json::Null, Json::Number)
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => number_to_value(&number),
            Json::String(text) => Self::from(text),
            Json::Array(items) => Self::list(items.into_iter().map(Self::from).collect()),
            Json::Object(entries) => {
                Self::map(entries.into_iter().map(|(k, v)| (Key::from(k), Self::from(v))).collect())
            }
        }
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => number_to_value(number),
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Json::Object(entries) => {
                Self::map(entries.iter().map(|(k, v)| (Key::from(k.as_str()), Self::from(v))).collect::<Map>())
            }
        }
    }
}

fn number_to_value(number: &Number) -> Value {
    if let Some(small) = number.as_i64() {
        return Value::Int(small.into());
    }
    match number.as_u64() {
        Some(large) => Value::Int(large.into()),
        None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
