//! Whatever the text, reading ends, without a panic, and what is read survives being written as JSON.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Text that is almost YAML: its indicators far more often than chance has them.
fn almost_yaml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("  "),
        Just("\t"),
        Just("- "),
        Just("a: "),
        Just("? "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("\""),
        Just("'"),
        Just("|\n"),
        Just(">-\n"),
        Just("&a "),
        Just("*a"),
        Just("<<: "),
        Just("!vault "),
        Just("!unsafe "),
        Just("!!int "),
        Just("!x "),
        Just("{{ x }}"),
        Just("# c"),
        Just("---\n"),
        Just("...\n"),
        Just("%YAML 1.1\n"),
        Just("é"),
        Just("\u{feff}"),
        Just("0x1"),
        Just("\\x"),
        Just("@"),
        Just(":"),
        Just("~"),
        Just("\u{7}"),
        Just("\r"),
        Just("日本:"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        (-1.0e9..1.0e9).prop_map(|value: f64| json!(value)),
        "[ -~é日]{0,12}".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map("[a-z<]{1,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        drop(yaml::parse("any", &text));
    }

    #[test]
    fn almost_yaml_never_panics_and_names_places_in_the_text(text in almost_yaml()) {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n").split('\n').count();
        if let Err(error) = yaml::parse("any", &text) {
            for mistake in error.into_mistakes() {
                let position = mistake.position.expect("every mistake has a place");
                prop_assert!(position.line as usize <= lines, "{position} of {lines} lines: {}", mistake.message);
            }
        }
    }

    #[test]
    fn json_is_read_as_itself(data in data()) {
        let node = yaml::load_one("data.json", &data.to_string()).unwrap();
        prop_assert_eq!(node.to_data(), data);
    }
}
