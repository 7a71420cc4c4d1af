//! Exceptions are from rules that exist, and are needed. The last rule: it looks at what the others needed.

use crate::lint::findings::Findings;
use crate::lint::{RULES, find_rule};
use crate::lint::{Rule, Subject};
use crate::tree::Node;

pub(crate) const RULE: Rule = Rule::files(
    "exceptions",
    "every exception of service.yml is from a rule that allows them, and something needs it",
    check,
);

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    let file = subject.service_file();
    let items = file.as_ref().and_then(|(node, _)| node.get("exceptions")).map(Node::items).unwrap_or_default();
    for (index, exception) in subject.service.exceptions.iter().enumerate() {
        let place = match (items.get(index), &file) {
            (Some(node), Some((_, path))) => node.get("rule").unwrap_or(node).position(path),
            _ => subject.service_key("exceptions"),
        };
        let name = exception.rule.as_str();
        match find_rule(name) {
            Some(rule) if !rule.can_be_excepted => {
                findings.at(&place, format!("rule `{name}` knows no exceptions"));
            }
            Some(rule) if findings.tried.contains(rule.name) && !findings.needed.contains(&index) => {
                let message = format!("the exception from `{name}` for `{}` is not needed", exception.workload);
                findings.at_hinted(&place, message, Some("remove it".to_owned()));
            }
            Some(_) => {}
            None => {
                let known: Vec<_> = RULES.iter().filter(|rule| rule.can_be_excepted).map(|rule| rule.name).collect();
                let hint = match diagnostic::closest(name, known.iter().copied()) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("exceptions are from: {}", known.join(", ")),
                };
                findings.at_hinted(&place, format!("`{name}` is no rule"), Some(hint));
            }
        }
    }
}
