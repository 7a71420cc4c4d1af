//! The JSON schema of `service.yml`: generated from the types, committed as `docs/reference/service.schema.json` for editors,
//! and what every file is checked against, so that the three can't differ.

use crate::Service;
use serde_json::Value;
use std::sync::OnceLock;

/// The schema of a `service.yml`.
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema = schemars::schema_for!(Service);
        schema.insert("title".to_owned(), "service.yml".into());
        schema.to_value()
    })
}

/// The schema as the file in `docs/reference` holds it.
pub fn schema_text() -> String {
    let mut text = serde_json::to_string_pretty(schema()).expect("a JSON value is always printable");
    text.push('\n');
    text
}
