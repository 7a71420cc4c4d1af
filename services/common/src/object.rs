//! JSON read as strictly as people expect: structs are objects alone, maps have each key once, words are strings.

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A struct that stands there as an object. What serde derives takes an array of its fields, too: `[]` for a struct whose
/// fields may all be absent.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }
        from.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// For a field: `#[serde(deserialize_with = "service::object")]`.
///
/// # Errors
/// No object, or not of this kind.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Object::deserialize(from).map(|Object(value)| value)
}

/// A map in which each key stands once: serde alone keeps the last of two, and nobody learns that the other is gone.
///
/// # Errors
/// No object, a key that stands there twice, or a value of another kind.
pub fn unique<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<BTreeMap<String, T>, D::Error> {
    struct Entries<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
        type Value = BTreeMap<String, T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = entries.next_key::<String>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("`{key}` stands there twice")));
                }
                map.insert(key, entries.next_value()?);
            }
            Ok(map)
        }
    }
    from.deserialize_map(Entries(PhantomData))
}

/// The same with objects as values.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    Ok(unique::<D, Object<T>>(from)?.into_iter().map(|(key, Object(value))| (key, value)).collect())
}

/// One of an enum's words. Where there is none, what serde derives tells of broken JSON.
///
/// # Errors
/// No string, or none of its words.
pub fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    T::deserialize(StringDeserializer::new(String::deserialize(from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Place {
        #[serde(default)]
        room: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        On,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Switch {
        #[serde(deserialize_with = "word")]
        state: State,
        #[serde(default, deserialize_with = "unique")]
        tags: BTreeMap<String, u8>,
    }

    #[test]
    fn a_key_stands_once_and_a_word_is_a_string() {
        let read = |text| serde_json::from_str::<Switch>(text);
        let on = Switch { state: State::On, tags: [("a".to_owned(), 1), ("b".to_owned(), 2)].into() };
        assert_eq!(read(r#"{"state":"on","tags":{"a":1,"b":2}}"#).unwrap(), on);
        let cases = [
            (r#"{"state":"on","tags":{"a":1,"a":2}}"#, "`a` stands there twice"),
            (r#"{"state":"on","tags":[]}"#, "expected an object"),
            (r#"{"state":"off"}"#, "unknown variant `off`, expected `on`"),
            (r#"{"state":null}"#, "invalid type: null, expected a string"),
            (r#"{"state":5}"#, "invalid type: integer `5`, expected a string"),
        ];
        for (text, words) in cases {
            let error = read(text).expect_err(text);
            assert!(error.is_data() && error.to_string().contains(words), "{text}: {error}");
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Device {
        #[serde(default = "nowhere", deserialize_with = "object")]
        place: Place,
        #[serde(default, deserialize_with = "objects")]
        others: BTreeMap<String, Place>,
    }

    fn nowhere() -> Place {
        Place { room: "none".into() }
    }

    #[test]
    fn an_array_is_no_struct() {
        assert!(serde_json::from_str::<Device>("[]").is_ok(), "serde alone takes it");
        for text in ["[]", r#"{"place":[]}"#, r#"{"place":["hall"]}"#, r#"{"others":{"a":["hall"]}}"#, "7", "null"] {
            let error = serde_json::from_str::<Object<Device>>(text).expect_err(text).to_string();
            assert!(error.contains("expected an object") && error.contains("line 1 column"), "{text}: {error}");
        }
        let read = |text| serde_json::from_str::<Object<Device>>(text).unwrap().0;
        assert_eq!(read("{}"), Device { place: nowhere(), others: BTreeMap::new() });
        let hall = || Place { room: "hall".into() };
        let both = read(r#"{"place":{"room":"hall"},"others":{"a":{"room":"hall"}}}"#);
        assert_eq!(both, Device { place: hall(), others: [("a".to_owned(), hall())].into() });
    }
}
