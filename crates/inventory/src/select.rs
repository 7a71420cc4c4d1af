//! Which hosts a pattern and a limit select.

use crate::pattern::Unmatched;
use crate::{Error, HostName, Inventory, pattern};
use diagnostic::{Diagnose, Mistake};

/// The hosts that were asked for, and patterns that match nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// In Ansible's order: as the groups list them.
    pub hosts: Vec<HostName>,
    /// `could not match supplied host pattern, ignoring: …` for each pattern that matches nothing, with the nearest name.
    pub warnings: Vec<Mistake>,
}

impl Inventory {
    /// Evaluates a host pattern, and a limit as `--limit` gives it (`@file` reads one pattern a line). A pattern that matches
    /// nothing is a warning only, as with Ansible; `localhost` always matches.
    ///
    /// # Errors
    /// A pattern is malformed, its subscript has no host, or the limit's file can't be read.
    pub fn select(&self, pattern: &str, limit: Option<&str>) -> Result<Selection, Error> {
        let mut matched = pattern::evaluate(&self.graph, &pattern::split(pattern))?;
        let mut unmatched = matched.unmatched;
        if let Some(limit) = limit {
            let limited = pattern::evaluate(&self.graph, &limit_patterns(limit)?)?;
            matched.hosts.retain(|host| limited.hosts.contains(host));
            unmatched.extend(limited.unmatched);
        }
        unmatched.dedup();
        let warnings = unmatched.iter().map(|name| self.unmatched(name)).collect();
        Ok(Selection { hosts: matched.hosts.into_iter().collect(), warnings })
    }

    /// The same for commands that must not pass over a name that is not there: at least one host, and every pattern matches.
    ///
    /// # Errors
    /// As [`Self::select`]; a pattern that matches nothing, with the nearest name; no host is left.
    pub fn require(&self, pattern: &str, limit: Option<&str>) -> Result<Vec<HostName>, Error> {
        let mut patterns = pattern::split(pattern);
        if let Some(limit) = limit {
            patterns.extend(limit_patterns(limit)?);
        }
        if let Some(unknown) = pattern::evaluate(&self.graph, &patterns)?.unmatched.first() {
            return Err(self.no_match(unknown));
        }
        let hosts = self.select(pattern, limit)?.hosts;
        if hosts.is_empty() {
            return Err(Error::NoHosts { pattern: pattern.to_owned(), limit: limit.map(str::to_owned) });
        }
        Ok(hosts)
    }

    fn unmatched(&self, unmatched: &Unmatched) -> Mistake {
        let warning = Mistake::new(format!("could not match supplied host pattern, ignoring: `{}`", unmatched.name));
        match self.no_match(unmatched).hint() {
            Some(hint) => warning.hinted(hint),
            None => warning,
        }
    }

    fn no_match(&self, unmatched: &Unmatched) -> Error {
        let name = unmatched.name.as_str();
        if unmatched.had_subscript && self.hosts().any(|host| host.starts_with(name)) {
            let hint = format!("behind a name `[…]` numbers the hosts of a group; write `{name}*`, or name the hosts");
            return Error::Unknown { kind: "host or group", name: name.to_owned(), hint };
        }
        self.unknown(name)
    }
}

/// The patterns of a limit; those of a file are taken line by line, as Ansible writes `.retry` files.
fn limit_patterns(limit: &str) -> Result<Vec<String>, Error> {
    let mut patterns = Vec::new();
    for part in pattern::split(limit) {
        match part.strip_prefix('@') {
            None => patterns.push(part),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
                patterns.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
            }
        }
    }
    Ok(patterns)
}
