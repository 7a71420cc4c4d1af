//! JSON objects, and nothing else that serde would take for a struct.

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
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

/// The same for each value of a map.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let values = BTreeMap::<String, Object<T>>::deserialize(from)?;
    Ok(values.into_iter().map(|(key, Object(value))| (key, value)).collect())
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
