//! All rules on one file.

use super::finding::{Finding, Hit, Kind};
use super::kind::{self, Style};
use super::lines::Lines;
use super::{assignments, blocks, file, manifest, marker, tokens, urls};
use crate::has_header;
use diagnostic::Position;

/// The secrets that a file shows in plain text, sorted by place. `path` says what kind of file it is, and stands in the
/// positions; nothing is read.
pub fn scan(path: &str, text: &str) -> Vec<Finding> {
    if has_header(text.as_bytes()) {
        return Vec::new();
    }
    let lines = Lines::new(text);
    let style = kind::style(path);
    let mut hits = file::hits(path, text);
    hits.extend(blocks::hits(text));
    hits.extend(tokens::hits(text));
    if style != Style::Prose && !kind::is_example(path) {
        hits.extend(urls::hits(text));
        hits.extend(assignments::hits(text, &lines, style));
        if style == Style::Yaml {
            hits.extend(manifest::hits(&lines));
        }
    }
    let hits = distinct(hits).into_iter().filter(|hit| !marker::is_marked(&lines, lines.at(hit.range.start)));
    hits.map(|hit| finding(path, style, &lines, hit)).collect()
}

/// What the name of a file says that is no text: a binary `cfg.enc` should be encrypted as well.
pub fn scan_binary(path: &str, bytes: &[u8]) -> Option<Finding> {
    if has_header(bytes) {
        return None;
    }
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let hit = file::hits(path, &beginning).into_iter().find(|hit| hit.kind == Kind::NotEncrypted)?;
    Some(finding(path, kind::style(path), &Lines::new(&beginning), hit))
}

/// What two rules have found once, by the more exact of them.
fn distinct(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.kind, hit.range.start));
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        let overlaps = |other: &Hit| other.range.start < hit.range.end && hit.range.start < other.range.end;
        if hit.kind == Kind::NotEncrypted || !kept.iter().any(overlaps) {
            kept.push(hit);
        }
    }
    kept.sort_by_key(|hit| hit.range.start);
    kept
}

fn finding(path: &str, style: Style, lines: &Lines<'_>, hit: Hit) -> Finding {
    let to_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (line, column) = (lines.at(hit.range.start) + 1, lines.column(hit.range.start));
    Finding {
        position: Position::new(path, to_u32(line), to_u32(column)),
        kind: hit.kind,
        hint: hint(path, style, &hit),
        what: hit.what,
    }
}

fn hint(path: &str, style: Style, hit: &Hit) -> String {
    match hit.kind {
        Kind::NotEncrypted => format!("run `cluster vault encrypt {path}`"),
        Kind::PasswordFile => format!("keep it outside of the repository, or name it in .gitignore: {path}"),
        Kind::PrivateKey | Kind::Token | Kind::Url | Kind::Manifest => {
            format!(
                "replace it, since whoever has the repository has it; run `cluster vault encrypt {path}` for what must stay"
            )
        }
        Kind::Value => match (&hit.name, style) {
            (Some(name), Style::Yaml) => {
                format!(
                    "run `cluster vault encrypt-string --name {name} --prompt` for this value, or `cluster vault encrypt {path}`"
                )
            }
            _ => format!("run `cluster vault encrypt {path}`, or keep the value out of this file"),
        },
    }
}
