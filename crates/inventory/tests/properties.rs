//! Whatever a file or pattern holds, reading it ends, without a panic.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use inventory::Inventory;
use proptest::prelude::*;

fn load(name: &str, text: &str) -> Result<Inventory, inventory::Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    Inventory::load(&[path.to_str().unwrap()])
}

/// Text that is almost an INI inventory.
fn almost_ini() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\n"),
        Just("["),
        Just("]"),
        Just("[a]\n"),
        Just("[b:children]\n"),
        Just("[a:vars]\n"),
        Just("a"),
        Just("b"),
        Just("x=1"),
        Just(" "),
        Just("="),
        Just("[1:3]"),
        Just("[01:3]"),
        Just("[a:c]"),
        Just(":22"),
        Just("'"),
        Just("\""),
        Just("\\"),
        Just("#"),
        Just("é"),
        Just("{'a': [1"),
        Just("}"),
        Just("ansible_group_priority=2"),
        Just("\r\n"),
        Just("\u{feff}"),
        Just("---"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn ini_never_panics(text in almost_ini(), name in prop_oneof![Just("hosts"), Just("hosts.ini")]) {
        if let Ok(inventory) = load(name, &text) {
            inventory.to_list(None).unwrap();
            inventory.to_graph(None).unwrap();
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), name in prop_oneof![Just("hosts"), Just("hosts.ini"), Just("hosts.yml")]) {
        drop(load(name, &text));
    }

    #[test]
    fn patterns_never_panic(pattern in "[ab*?!&~,:0-9\\[\\]() -]{0,20}|\\PC{0,20}") {
        let inventory = Inventory::load(&["a,b,a1,2001:db8::1"]).unwrap();
        drop(inventory.select(&pattern, Some(&pattern)));
        drop(inventory.require(&pattern, None));
    }
}
