//! What is told of a result: without secrets, without what is internal, with what Ansible adds for convenience.

use super::veil::Veil;
use crate::event::Status;
use diagnostic::Mistake;
use serde_json::{Map, Value};

/// Ansible's words in the place of a result that must not be shown (`censor_result`, 2.19).
const CENSORED: &str = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// What stays of a censored result.
const PRESERVED: [&str; 3] = ["attempts", "changed", "retries"];

/// Fills in what every result has: `changed`, `failed`, the lines of output.
pub(crate) fn complete(result: &mut Map<String, Value>) {
    for stream in ["stdout", "stderr"] {
        let lines = format!("{stream}_lines");
        if let (Some(Value::String(text)), false) = (result.get(stream), result.contains_key(&lines)) {
            let split: Vec<Value> = text.lines().map(Value::from).collect();
            result.insert(lines, Value::Array(split));
        }
    }
    let failed_rc = result.get("rc").is_some_and(|rc| rc != &Value::from(0) && rc != &Value::from("0"));
    result.entry("failed").or_insert(Value::Bool(failed_rc));
    result.entry("changed").or_insert(Value::Bool(false));
}

/// Whether a key of a result is set to true.
pub(crate) fn is_true(result: &Map<String, Value>, key: &str) -> bool {
    match result.get(key) {
        Some(Value::Bool(flag)) => *flag,
        None | Some(Value::Null) => false,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(entries)) => !entries.is_empty(),
    }
}

/// How a result counts, before anything is ignored or rescued.
pub(crate) fn status(result: &Map<String, Value>) -> Status {
    if is_true(result, "failed") {
        Status::Failed
    } else if is_true(result, "unreachable") {
        Status::Unreachable
    } else if is_true(result, "skipped") {
        Status::Skipping
    } else if is_true(result, "changed") {
        Status::Changed
    } else {
        Status::Ok
    }
}

/// Drops what is for the engine only.
pub(crate) fn strip(result: &mut Map<String, Value>) {
    result.retain(|key, _| !key.starts_with("_ansible_"));
}

/// A result as it may be shown.
pub(crate) fn shown(result: &Map<String, Value>, no_log: bool, veil: &Veil) -> Map<String, Value> {
    if no_log {
        let mut censored = censor(result);
        if let Some(Value::Array(items)) = result.get("results") {
            let items = items.iter().filter_map(Value::as_object).map(|item| Value::Object(censor(item))).collect();
            censored.insert("results".to_owned(), Value::Array(items));
        }
        return censored;
    }
    let mut shown = veil.result(result);
    strip(&mut shown);
    shown
}

fn censor(result: &Map<String, Value>) -> Map<String, Value> {
    let kept = PRESERVED.iter().filter_map(|key| Some(((*key).to_owned(), result.get(*key)?.clone())));
    kept.chain([("censored".to_owned(), Value::from(CENSORED))]).collect()
}

/// What explains a failure, as it may be shown.
pub(crate) fn shown_mistake(mistake: Option<&Mistake>, no_log: bool, veil: &Veil) -> Option<Mistake> {
    let shown = veil.mistake(mistake?);
    Some(if no_log { Mistake { message: CENSORED.to_owned(), label: None, ..shown } } else { shown })
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Redactor;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn output_gets_its_lines_and_its_verdict() {
        let mut result = object(json!({"stdout": "a\nb", "rc": 2}));
        complete(&mut result);
        let expected = json!({"stdout": "a\nb", "rc": 2, "stdout_lines": ["a", "b"], "failed": true, "changed": false});
        assert_eq!(Value::Object(result), expected);
    }

    #[test]
    fn a_censored_result_keeps_nothing_but_its_verdict() {
        let result = object(json!({"changed": true, "msg": "secret", "results": [{"item": "x", "changed": false}]}));
        let shown = shown(&result, true, &Veil::default());
        assert_eq!(shown["changed"], true);
        assert_eq!(shown["results"][0], json!({"changed": false, "censored": CENSORED}));
        assert!(!Value::Object(shown).to_string().contains("secret"));
    }

    #[test]
    fn secrets_go_from_every_depth() {
        let redactor = Redactor::new();
        redactor.add("correct horse");
        let result = object(json!({"a": [{"b": "the correct horse"}], "_ansible_verbose": 1}));
        assert_eq!(Value::Object(shown(&result, false, &Veil::new(&redactor))), json!({"a": [{"b": "the ********"}]}));
    }
}
