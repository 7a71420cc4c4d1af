//! One object a line: `{"event":"task_finished",…,"time":"2026-01-01T00:00:00Z"}`.

use ::diagnostic::{Diagnose, Mistake, Position, Redactor};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// The object as a line, with the time and without secrets; an event of one of several services with its name.
pub(crate) fn line(object: &impl Serialize, service: Option<&str>, redactor: &Redactor) -> String {
    let mut value = serde_json::to_value(object).unwrap_or(Value::Null);
    redact(&mut value, redactor);
    if let Value::Object(fields) = &mut value
        && fields.contains_key("event")
    {
        fields.insert("time".to_owned(), Value::String(Timestamp::now().to_string()));
        if let Some(service) = service {
            fields.insert("service".to_owned(), Value::String(service.to_owned()));
        }
    }
    format!("{value}\n")
}

fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redact(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact(field, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An error or a warning as an event.
#[derive(Serialize)]
pub(crate) struct Problem {
    event: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(flatten)]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

#[derive(Serialize)]
struct Place {
    file: String,
    line: u32,
    column: u32,
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Self { file: position.file.to_string(), line: position.line, column: position.column }
    }
}

/// Every part of an error.
pub(crate) fn errors(error: &dyn Diagnose, exit_code: u8) -> Vec<Problem> {
    let parts = error.parts();
    if parts.is_empty() {
        return vec![problem(error, exit_code)];
    }
    parts.into_iter().map(|part| problem(part, exit_code)).collect()
}

fn problem(error: &dyn Diagnose, exit_code: u8) -> Problem {
    Problem {
        event: "error",
        message: error.to_string(),
        label: error.label(),
        causes: super::diagnostic::causes(error),
        place: error.position().map(Place::from),
        hint: error.hint(),
        exit_code: Some(exit_code),
    }
}

/// A warning.
pub(crate) fn warning(mistake: &Mistake) -> Problem {
    Problem {
        event: "warning",
        message: mistake.message.clone(),
        label: mistake.label.clone(),
        causes: Vec::new(),
        place: mistake.position.clone().map(Place::from),
        hint: mistake.hint.clone(),
        exit_code: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_go_even_when_json_would_escape_them() {
        let redactor = Redactor::new();
        redactor.add("line one\nline two");
        let line = line(&json!({"msg": "it is line one\nline two."}), None, &redactor);
        assert_eq!(line, "{\"msg\":\"it is ********.\"}\n");
    }

    #[test]
    fn an_error_carries_place_and_exit_code() {
        let mistake = Mistake::at(Position::new("a.yml", 3, 1), "no such module").hinted("look again");
        let text = serde_json::to_string(&errors(&mistake, 2)[0]).unwrap();
        assert_eq!(
            text,
            r#"{"event":"error","message":"no such module","file":"a.yml","line":3,"column":1,"hint":"look again","exit_code":2}"#
        );
    }
}
