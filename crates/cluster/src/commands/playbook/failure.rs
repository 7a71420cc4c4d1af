//! A task that failed for good, in the form of every other error: what, where, why, and what to do next.

use diagnostic::Mistake;
use playbook::event::{Event, Status};
use serde_json::{Map, Value};

/// ansible-playbook's exit codes for hosts that failed and that could not be reached.
const FAILED: u8 = 2;
const UNREACHABLE: u8 = 4;

/// The error that an event is, and what the process ends with because of it. `again` is the command to repeat. What is explained by a place
/// in a file is that explanation.
pub(super) fn of(event: &Event, again: &str) -> Option<(Mistake, u8)> {
    let Event::TaskFinished { host, task, status, result, position, diagnostic, .. } = event else { return None };
    let (what, exit_code) = match status {
        Status::Failed => (format!("task `{task}` failed on {host}"), FAILED),
        Status::Unreachable => (format!("task `{task}` did not reach {host}"), UNREACHABLE),
        _ => return None,
    };
    if let Some(mistake) = diagnostic {
        return Some((mistake.clone(), exit_code));
    }
    let rc = result.get("rc").map_or_else(String::new, |rc| format!(" (rc {rc})"));
    let message = format!("{what}: {}{rc}", reason(result, &["msg"]));
    let hint = format!("mend it and run `{again}` again; with `-v` the whole result is shown");
    Some((Mistake::at(position.clone(), message).labelled("this task").hinted(hint), exit_code))
}

/// Why a task failed: the first of the texts in its result that says something.
pub(crate) fn reason(result: &Map<String, Value>, keys: &[&str]) -> String {
    let texts = keys.iter().filter_map(|key| result.get(*key)?.as_str());
    let said = texts.map(str::trim).find(|text| !text.is_empty());
    let silent =
        if result.contains_key("censored") { "its result is hidden (`no_log`)" } else { "it does not say why" };
    said.unwrap_or(silent).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostic::Position;
    use rstest::rstest;
    use serde_json::json;

    fn finished(status: Status, result: Value) -> Event {
        Event::TaskFinished {
            host: "pi-1".into(),
            task: "Build".into(),
            status,
            result: result.as_object().cloned().unwrap(),
            duration_seconds: 0.0,
            position: Position::new("site.yml", 5, 7),
            diagnostic: None,
        }
    }

    #[rstest]
    #[case(json!({"msg": "non-zero return code", "rc": 1}), "task `Build` failed on pi-1: non-zero return code (rc 1)")]
    #[case(json!({"censored": "hidden"}), "task `Build` failed on pi-1: its result is hidden (`no_log`)")]
    #[case(json!({"msg": " "}), "task `Build` failed on pi-1: it does not say why")]
    fn a_failure_is_an_error_with_its_place(#[case] result: Value, #[case] expected: &str) {
        let (mistake, exit_code) = of(&finished(Status::Failed, result), "cluster playbook run site.yml").unwrap();
        assert_eq!((mistake.message.as_str(), exit_code), (expected, 2));
        assert_eq!(mistake.position.unwrap().to_string(), "site.yml:5:7");
        assert!(mistake.hint.unwrap().contains("`cluster playbook run site.yml`"));
    }

    #[rstest]
    fn what_is_no_failure_is_none(#[values(Status::Ok, Status::Ignored, Status::Rescued)] status: Status) {
        assert_eq!(of(&finished(status, json!({"msg": "x", "rc": 1})), ""), None);
    }
}
