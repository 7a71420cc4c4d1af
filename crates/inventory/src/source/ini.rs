//! INI inventories, line by line as ansible-core 2.19 reads them (`plugins/inventory/ini.py`), except that all mistakes of
//! a file are told, not the first one only.

use super::Reader;
use crate::graph::{UNGROUPED, Variables};
use crate::{address, literal, words};
use diagnostic::{Mistake, Position, closest};
use indexmap::IndexMap;
use regex::Regex;
use std::sync::LazyLock;

static SECTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$"));
static GROUP_NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^([^:\]\s]+)\s*(?:#.*)?$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern that the tests compile")
}

/// Reads a whole file into the reader's graph.
pub(crate) fn read(text: &str, reader: &mut Reader<'_>) {
    // As though the first line was `[ungrouped]`.
    let mut parser = Parser { reader, section: Section::Hosts(UNGROUPED), waiting: IndexMap::new() };
    for (index, raw) in lines(text).enumerate() {
        let text = raw.trim();
        if !text.is_empty() && !text.starts_with(['#', ';']) {
            let column = raw.chars().take_while(|character| character.is_whitespace()).count() + 1;
            parser.line(&Line { text, number: index + 1, column });
        }
    }
    parser.finish();
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// A line that says something, without the blanks around it.
struct Line<'a> {
    text: &'a str,
    number: usize,
    /// Where its text begins, from 1.
    column: usize,
}

#[derive(Clone, Copy)]
enum Section {
    Hosts(usize),
    Children(usize),
    Variables(usize),
    /// A header that is wrong: its lines are passed over, so that one mistake is not told as many.
    Unknown,
}

/// A group that was used, but has no section of hosts or children yet.
struct Waiting {
    position: Position,
    used: Used,
}

enum Used {
    ByVariables,
    /// Parents, and where each names it.
    AsChild(Vec<(usize, Position)>),
}

struct Parser<'a, 'b> {
    reader: &'a mut Reader<'b>,
    section: Section,
    waiting: IndexMap<String, Waiting>,
}

impl Parser<'_, '_> {
    fn at(&self, line: &Line<'_>, offset: usize, length: usize) -> Position {
        self.reader.origin.at(line.number, line.column + offset).with_length(length)
    }

    fn whole(&self, line: &Line<'_>) -> Position {
        self.at(line, 0, line.text.chars().count())
    }

    fn line(&mut self, line: &Line<'_>) {
        if let Some(header) = SECTION.captures(line.text) {
            let name = header.get(1).map_or("", |name| name.as_str());
            self.header(line, name, header.get(2).map(|suffix| suffix.as_str()));
            return;
        }
        if line.text.starts_with('[') && line.text.ends_with(']') || self.is_broken_header(line) {
            self.broken_header(line);
            return;
        }
        match self.section {
            Section::Hosts(group) => self.host(line, group),
            Section::Children(group) => self.child(line, group),
            Section::Variables(group) => self.variable(line, group),
            Section::Unknown => {}
        }
    }

    fn header(&mut self, line: &Line<'_>, name: &str, suffix: Option<&str>) {
        let position = self.at(line, 1, name.chars().count());
        if let Some(unknown) = suffix.filter(|suffix| !matches!(*suffix, "hosts" | "children" | "vars")) {
            self.unknown_suffix(line, name, unknown);
            self.section = Section::Unknown;
            return;
        }
        let is_known = self.reader.graph.groups.contains_key(name);
        let by_variables = suffix == Some("vars");
        if !is_known && by_variables && !self.waiting.contains_key(name) {
            self.waiting.insert(name.to_owned(), Waiting { position: position.clone(), used: Used::ByVariables });
        }
        let group = self.reader.group(name, &position);
        if !by_variables {
            self.declared(name, group);
        }
        self.section = match suffix {
            Some("children") => Section::Children(group),
            Some("vars") => Section::Variables(group),
            _ => Section::Hosts(group),
        };
    }

    /// The section that a group was waiting for has come: it joins its parents now, which decides their order.
    fn declared(&mut self, name: &str, group: usize) {
        let Some(Waiting { used, .. }) = self.waiting.shift_remove(name) else { return };
        let Used::AsChild(parents) = used else { return };
        for (parent, position) in parents {
            self.reader.child(parent, group, &position);
        }
    }

    fn unknown_suffix(&mut self, line: &Line<'_>, name: &str, suffix: &str) {
        let offset = 1 + name.chars().count() + 1;
        let near = closest(suffix, ["hosts", "children", "vars"]);
        let hint = match near {
            Some(near) => format!("did you mean `[{name}:{near}]`?"),
            None => format!("write `[{name}]`, `[{name}:children]` or `[{name}:vars]`"),
        };
        self.reader.mistakes.push(
            Mistake::at(self.at(line, offset, suffix.chars().count()), format!("unknown kind of section `{suffix}`"))
                .labelled("not `hosts`, `children` or `vars`")
                .hinted(hint),
        );
    }

    /// `[web` or `[web]x`: no host begins so, unless a range leads, as in `[a:c]-node`.
    fn is_broken_header(&self, line: &Line<'_>) -> bool {
        let Some(rest) = line.text.strip_prefix('[') else { return false };
        let first = rest.split(char::is_whitespace).next().unwrap_or_default();
        !first.contains([']', '=']) && !matches!(self.section, Section::Variables(_))
    }

    fn broken_header(&mut self, line: &Line<'_>) {
        let name = line.text.trim_matches(['[', ']', ' ', '\t']).split_whitespace().collect::<Vec<_>>().join("_");
        let hint = if line.text.contains(']') {
            format!("write the name without blanks: `[{name}]`")
        } else {
            "close it with `]`".to_owned()
        };
        self.reader.mistakes.push(
            Mistake::at(self.whole(line), "a section header that can't be read")
                .labelled("expected `[group]` or `[group:vars]`")
                .hinted(hint),
        );
        self.section = Section::Unknown;
    }

    fn host(&mut self, line: &Line<'_>, group: usize) {
        let words = match words::split(line.text) {
            Ok(words) => words,
            Err(unfinished) => {
                let mistake =
                    Mistake::at(self.at(line, unfinished.column, 1), unfinished.message).labelled("opened here");
                self.reader
                    .mistakes
                    .push(mistake.hinted("write the value as `key=\"it's\"`, or put a `\\` before the quote"));
                return;
            }
        };
        let Some((pattern, assignments)) = words.split_first() else { return };
        let variables = self.assignments(line, assignments);
        let position = self.at(line, pattern.column, pattern.length);
        match address::expand(&pattern.text) {
            Ok((hosts, _)) if hosts.iter().any(|host| host.trim() == "---") => {
                self.reader.mistakes.push(
                    Mistake::at(position, "`---` begins a YAML file, and this is read as INI")
                        .labelled("not a host")
                        .hinted("name the file `.yml` to have it read as YAML"),
                );
                self.section = Section::Unknown;
            }
            Ok((hosts, port)) => self.reader.hosts(&hosts, port, group, &variables, &position),
            Err(message) => {
                self.reader.mistakes.push(Mistake::at(position, message).labelled("not a host or range of hosts"))
            }
        }
    }

    fn assignments(&mut self, line: &Line<'_>, words: &[words::Word]) -> Variables {
        let mut variables = Variables::new();
        for word in words {
            let place = self.at(line, word.column, word.length);
            let Some((name, value)) = word.text.split_once('=') else {
                self.reader.mistakes.push(
                    Mistake::at(place, format!("expected `key=value`, found `{}`", word.text))
                        .labelled("no `=` in it")
                        .hinted(
                            "quote a value that holds blanks: `key='two words'`; a host stands on a line of its own",
                        ),
                );
                continue;
            };
            let name_length = name.chars().count();
            self.reader.check_variable_name(name, &self.at(line, word.column, name_length));
            let value_length = word.length.saturating_sub(name_length + 1);
            let position = self.at(line, word.column + name_length + 1, value_length);
            variables.insert(name.to_owned(), literal::value(value, &position));
        }
        variables
    }

    fn variable(&mut self, line: &Line<'_>, group: usize) {
        let Some((name, value)) = line.text.split_once('=') else {
            let hint = match line.text.split_once(':') {
                Some((name, value)) => format!("write `{}={}`", name.trim(), value.trim()),
                None => "write `name=value`; hosts belong below `[group]`".to_owned(),
            };
            self.reader.mistakes.push(
                Mistake::at(self.whole(line), "expected `key=value` in a section of variables")
                    .labelled("no `=` in it")
                    .hinted(hint),
            );
            return;
        };
        let lead = value.chars().take_while(|character| character.is_whitespace()).count();
        let position = self.at(line, name.chars().count() + 1 + lead, value.trim().chars().count());
        let (name, value) = (name.trim(), literal::value(value.trim(), &position));
        self.reader.check_variable_name(name, &self.at(line, 0, name.chars().count()));
        self.reader.group_variable(group, name, value);
    }

    fn child(&mut self, line: &Line<'_>, parent: usize) {
        let Some(name) = GROUP_NAME.captures(line.text).and_then(|found| found.get(1)).map(|name| name.as_str()) else {
            self.reader.mistakes.push(
                Mistake::at(self.whole(line), "expected the name of a group")
                    .labelled("not one name")
                    .hinted("write one group a line; variables belong below `[group:vars]`"),
            );
            return;
        };
        let position = self.at(line, 0, name.chars().count());
        match self.reader.graph.groups.get_index_of(name) {
            Some(child) => self.reader.child(parent, child, &position),
            None => {
                let waiting = self
                    .waiting
                    .entry(name.to_owned())
                    .or_insert_with(|| Waiting { position: position.clone(), used: Used::AsChild(Vec::new()) });
                if let Used::AsChild(parents) = &mut waiting.used {
                    parents.push((parent, position));
                }
            }
        }
    }

    /// What is still waiting at the end was never declared.
    fn finish(self) {
        let Self { reader, waiting, .. } = self;
        for (name, Waiting { position, used }) in &waiting {
            let known = reader.graph.groups.keys().map(String::as_str).filter(|known| !waiting.contains_key(*known));
            let near = closest(name, known);
            let mistake = match used {
                Used::ByVariables => {
                    Mistake::at(position.clone(), format!("variables of a group `{name}` that is not defined"))
                }
                Used::AsChild(parents) => {
                    let parent = parents.last().map_or("", |(parent, _)| reader.graph.group_name(*parent));
                    Mistake::at(position.clone(), format!("group `{parent}` includes `{name}`, which is not defined"))
                }
            };
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add a section `[{name}]` with its hosts"),
            };
            reader.mistakes.push(mistake.labelled("no such group").hinted(hint));
        }
    }
}
