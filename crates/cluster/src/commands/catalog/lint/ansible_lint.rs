//! The playbooks, as ansible-lint reads them with its strictest profile.

use super::ansible_syntax::relative;
use super::catalog_files::service_of;
use super::outcome::Outcomes;
use super::program;
use super::rule::Described;
use camino::Utf8Path;
use catalog::Service;
use catalog::lint::Finding;
use serde_json::Value;

pub(super) const RULE: Described =
    Described::new("ansible-lint", "ansible-lint with the profile `production` finds nothing, where it is installed");

/// Runs it once over all playbooks: its start takes longer than the files.
pub(super) fn check(root: &Utf8Path, services: &[&Service], outcomes: &mut Outcomes) {
    let Some(lint) = program::of_python(root, "ansible-lint") else {
        return outcomes.not_run(RULE.rule, services, "`ansible-lint` is not installed");
    };
    let options = ["--profile=production", "--offline", "--format=json", "--nocolor", "--strict"].map(str::to_owned);
    let playbooks = services.iter().map(|service| relative(&service.playbook(), root));
    let arguments: Vec<_> = options.into_iter().chain(playbooks).collect();
    let said = match program::run(&lint, root, &arguments, &[]) {
        Ok(said) => said,
        Err(reason) => return outcomes.not_run(RULE.rule, services, &reason),
    };
    let Ok(Value::Array(issues)) = serde_json::from_str(&said.stdout) else {
        let reason = said.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return outcomes.not_run(RULE.rule, services, &format!("`ansible-lint` could not be run: {reason}"));
    };
    let mut findings: Vec<_> = issues.iter().map(finding).collect();
    for service in services {
        let (own, others) =
            findings.into_iter().partition(|finding: &Finding| finding.service == service.name.as_str());
        outcomes.take(service, RULE.rule, own);
        findings = others;
    }
    outcomes.shared(findings);
}

/// An issue in Code Climate's form. What all playbooks import belongs to no service.
fn finding(issue: &Value) -> Finding {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = text(&issue["location"]["path"]);
    let begin = match &issue["location"]["positions"]["begin"] {
        Value::Null => &issue["location"]["lines"]["begin"],
        begin => begin,
    };
    let line = begin["line"].as_u64().or(begin.as_u64()).and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
    let column = begin["column"].as_u64().and_then(|column| u32::try_from(column).ok()).unwrap_or(1);
    let message = format!("{}: {}", text(&issue["check_name"]), text(&issue["description"]));
    let service = service_of(&path).unwrap_or(super::outcome::SHARED).to_owned();
    Finding::new(RULE.rule, service, message)
        .at(&diagnostic::Position::new(path, line, column))
        .hinted(text(&issue["url"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn issues_have_places() {
        let issue = json!({"check_name": "name[casing]", "description": "All names …", "url": "https://x",
            "location": {"path": "build/playbooks/notes/build.yml", "positions": {"begin": {"line": 2, "column": 9}}}});
        let found = finding(&issue);
        assert_eq!((found.service.as_str(), found.line, found.column), ("notes", Some(2), Some(9)));
        let issue = json!({"check_name": "yaml", "location": {"path": "build/tasks/a.yml", "lines": {"begin": 7}}});
        assert_eq!((finding(&issue).service.as_str(), finding(&issue).line), (super::super::outcome::SHARED, Some(7)));
    }
}
