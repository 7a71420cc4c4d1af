//! What the rules found.

use serde::Serialize;

/// A rule that a service does not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// The service.
    pub service: String,
    /// What is wrong.
    pub message: String,
    /// The file to change, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The rendered object, `<kind>/<name>` in lower case as exceptions write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The configurations in which it was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// Without a place.
    pub fn new(rule: &'static str, service: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            rule,
            service: service.into(),
            message: message.into(),
            file: None,
            line: None,
            column: None,
            object: None,
            configurations: Vec::new(),
            hint: None,
        }
    }

    /// At a place in a file.
    #[must_use]
    pub fn at(mut self, position: &diagnostic::Position) -> Self {
        self.file = Some(position.file.to_string());
        self.line = Some(position.line);
        self.column = Some(position.column);
        self
    }

    /// In a file, at no line.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// In a rendered object of a configuration.
    #[must_use]
    pub fn of(mut self, object: impl Into<String>, configuration: &str) -> Self {
        self.object = Some(object.into());
        self.configurations = vec![configuration.to_owned()];
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether two say the same, but for the configuration.
    pub(crate) fn is_same_elsewhere(&self, other: &Self) -> bool {
        let alike = (self.rule, &self.message, &self.object) == (other.rule, &other.message, &other.object);
        alike && self.object.is_some() && (&self.file, self.line) == (&other.file, other.line)
    }
}

/// A rule that could not be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// The rule.
    pub rule: &'static str,
    /// The service.
    pub service: String,
    /// Why.
    pub reason: String,
}

/// What came out for a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rules that it keeps.
    pub passed: Vec<&'static str>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be tried.
    pub not_run: Vec<NotRun>,
}

impl Report {
    /// Takes what a rule found: it is kept when that is nothing.
    pub fn take(&mut self, rule: &'static str, findings: Vec<Finding>) {
        if findings.is_empty() {
            self.passed.push(rule);
        }
        for finding in findings {
            if self.findings.contains(&finding) {
                continue;
            }
            match self.findings.iter_mut().find(|earlier| earlier.is_same_elsewhere(&finding)) {
                Some(earlier) => {
                    let new = finding.configurations.into_iter().filter(|name| !earlier.configurations.contains(name));
                    let new: Vec<_> = new.collect();
                    earlier.configurations.extend(new);
                }
                None => self.findings.push(finding),
            }
        }
    }
}
