//! What came out, told: findings, what could not be tried, a table.

use super::outcome::Outcomes;
use super::rule::Described;
use crate::context::Context;
use crate::output::table;
use camino::Utf8Path;
use catalog::lint::{Finding, NotRun};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Sums over all services.
#[derive(Default)]
pub(super) struct Tally {
    services: usize,
    pub(super) findings: usize,
    pub(super) not_run: usize,
}

/// One line of JSON.
#[derive(Serialize)]
#[serde(tag = "event")]
enum Told<'a> {
    /// A rule that a service does not keep.
    #[serde(rename = "lint_finding")]
    Finding(&'a Finding),
    /// A rule that could not be tried.
    #[serde(rename = "lint_not_run")]
    NotRun(&'a NotRun),
    /// The sums of a service.
    #[serde(rename = "lint_service")]
    Service { service: &'a str, passed: usize, findings: usize, not_run: usize },
}

/// Tells every rule.
pub(super) fn list(rules: &[Described], context: &Context) {
    if context.output.is_json() {
        return rules.iter().for_each(|rule| context.output.json(rule));
    }
    let rows = rules.iter().map(|rule| {
        let exceptions = if rule.exceptions { "yes" } else { "-" };
        vec![rule.rule, exceptions, rule.summary]
    });
    context.output.data(&table(&["rule", "exceptions", "what it asks"], rows));
}

/// Tells everything, and sums it up.
pub(super) fn tell(outcomes: &Outcomes, context: &Context) -> Tally {
    let mut tally = Tally::default();
    for (service, report) in outcomes.iter() {
        tally.services += usize::from(service != super::outcome::SHARED);
        tally.findings += report.findings.len();
        tally.not_run += report.not_run.len();
        if context.output.is_json() {
            report.findings.iter().for_each(|finding| context.output.json(&Told::Finding(finding)));
            report.not_run.iter().for_each(|not_run| context.output.json(&Told::NotRun(not_run)));
            let (passed, findings, not_run) = (report.passed.len(), report.findings.len(), report.not_run.len());
            context.output.json(&Told::Service { service, passed, findings, not_run });
        }
    }
    if !context.output.is_json() {
        context.output.data(&text(outcomes, &tally));
    }
    tally
}

fn text(outcomes: &Outcomes, tally: &Tally) -> String {
    let mut text = String::new();
    // What stands in a file that all share is told once.
    let mut told = BTreeSet::new();
    for finding in outcomes.iter().flat_map(|(_, report)| &report.findings) {
        let place = (finding.rule, &finding.file, finding.line, finding.column, &finding.message);
        if finding.line.is_none() || told.insert(place) {
            text.push_str(&one(finding));
        }
    }
    text.push_str(&not_run(outcomes));
    if !text.is_empty() {
        text.push('\n');
    }
    let rows = outcomes.iter().map(|(service, report)| {
        let numbers =
            [report.passed.len(), report.findings.len(), report.not_run.len()].map(|number| number.to_string());
        std::iter::once(service.to_owned()).chain(numbers).collect::<Vec<_>>()
    });
    text.push_str(&table(&["service", "passed", "findings", "not run"], rows));
    let _infallible = write!(
        text,
        "\n\n{}: {}, {} not run",
        counted(tally.services, "service"),
        counted(tally.findings, "finding"),
        tally.not_run
    );
    text
}

/// A finding as compilers tell theirs.
fn one(finding: &Finding) -> String {
    let mut text = format!("{}: {}: {}\n", finding.rule, finding.service, finding.message.replace('\n', "\n    "));
    if let Some(file) = &finding.file {
        let numbers = [finding.line, finding.column].into_iter().flatten().map(|number| format!(":{number}"));
        let file = crate::config::shown(Utf8Path::new(file));
        let _infallible = writeln!(text, "  --> {file}{}", numbers.collect::<String>());
    }
    if let Some(object) = &finding.object {
        let _infallible = writeln!(text, "   = in {object}, with {}", finding.configurations.join(", "));
    }
    if let Some(hint) = &finding.hint {
        let _infallible = writeln!(text, "   = hint: {hint}");
    }
    text
}

/// Each reason once, with the rules and the number of services.
fn not_run(outcomes: &Outcomes) -> String {
    let mut reasons: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for not_run in outcomes.iter().flat_map(|(_, report)| &report.not_run) {
        let (rules, services) = reasons.entry(&not_run.reason).or_default();
        rules.insert(not_run.rule);
        services.insert(&not_run.service);
    }
    let lines = reasons.iter().map(|(reason, (rules, services))| {
        let rules: Vec<_> = rules.iter().copied().collect();
        let services: Vec<_> = services.iter().copied().collect();
        let services = if services.len() > 3 { counted(services.len(), "service") } else { services.join(", ") };
        let rules = if rules.len() > 3 { counted(rules.len(), "rule") } else { rules.join(", ") };
        format!("not run: {reason} ({rules}; {services})\n")
    });
    lines.collect()
}

fn counted(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
