//! `version` with Ansible's kinds: loose (the default), strict, semver, PEP 440.

use super::registry::{Test, plain};
use crate::error::Error;
use crate::eval::{Args, Bound, text};
use std::cmp::Ordering;

pub(super) const TESTS: &[(&str, Test)] =
    &[("version", plain(|_, args| version(args))), ("version_compare", plain(|_, args| version(args)))];

fn version(args: Args) -> Result<bool, Error> {
    let [value, other, operator, strict, kind] =
        args.bind(["value", "version", "operator", "strict", "version_type"])?;
    let value = text(&value.need("value")?)?;
    let other = text(&other.need("version")?)?;
    let (strict, kind) = (strict.given(), kind.given());
    if strict.is_some() && kind.is_some() {
        return Err(Error::operation("Cannot specify both 'strict' and 'version_type'"));
    }
    if value.is_empty() {
        return Err(Error::operation("Input version value cannot be empty"));
    }
    if other.is_empty() {
        return Err(Error::operation("Version parameter to compare against cannot be empty"));
    }
    let kind = match (strict, kind) {
        (Some(strict), _) if strict.truth()? => "strict".to_owned(),
        (_, Some(kind)) => text(&kind)?,
        _ => "loose".to_owned(),
    };
    let order = match kind.as_str() {
        "loose" => loose(&value, &other)?,
        "strict" => strict_parts(&value)?.cmp(&strict_parts(&other)?),
        "semver" | "semantic" => semantic(&value)?.cmp_precedence(&semantic(&other)?),
        "pep440" => pep440(&value)?.cmp(&pep440(&other)?),
        other => {
            let known = "'loose', 'strict', 'semver', 'semantic', 'pep440'";
            return Err(Error::operation(format!("Invalid version type ({other}). Must be one of {known}")));
        }
    };
    Ok(match operator.text_or("eq")?.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        other => return Err(Error::operation(format!("Invalid operator type ({other})"))),
    })
}

#[derive(Debug, PartialEq)]
enum Part {
    Number(u128),
    Text(String),
}

/// distutils' `LooseVersion`: digits and letters alternate; a number and a text have no order.
fn loose_parts(version: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut current = String::new();
    let mut kind = None;
    let flush = |current: &mut String, parts: &mut Vec<Part>| {
        if !current.is_empty() {
            let text = std::mem::take(current);
            parts.push(text.parse().map_or(Part::Text(text), Part::Number));
        }
    };
    for character in version.chars() {
        let next = match character {
            '.' => None,
            c if c.is_ascii_digit() => Some(0),
            c if c.is_ascii_lowercase() => Some(1),
            _ => Some(2),
        };
        if next != kind {
            flush(&mut current, &mut parts);
        }
        kind = next;
        if next.is_some() {
            current.push(character);
        }
    }
    flush(&mut current, &mut parts);
    parts
}

fn loose(a: &str, b: &str) -> Result<Ordering, Error> {
    let (a, b) = (loose_parts(a), loose_parts(b));
    for (a, b) in a.iter().zip(&b) {
        let order = match (a, b) {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Text(a), Part::Text(b)) => a.cmp(b),
            _ => {
                let message = "Version comparison failed: '<' not supported between instances of 'str' and 'int'";
                return Err(Error::operation(message));
            }
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

/// distutils' `StrictVersion`: `1.2`, `1.2.3`, `1.2a1`; a pre-release is below its release.
fn strict_parts(version: &str) -> Result<(u64, u64, u64, char, u64), Error> {
    let invalid = || Error::operation(format!("Version comparison failed: invalid version number '{version}'"));
    let (numbers, pre) = match version.find(['a', 'b']) {
        Some(at) => (&version[..at], Some((&version[at..=at], &version[at + 1..]))),
        None => (version, None),
    };
    let numbers = numbers.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().map_err(|_| invalid())?;
    let (major, minor, patch) = match numbers.as_slice() {
        [major, minor] => (*major, *minor, 0),
        [major, minor, patch] => (*major, *minor, *patch),
        _ => return Err(invalid()),
    };
    let (letter, number) = match pre {
        None => ('z', 0),
        Some((letter, number)) => (letter.chars().next().unwrap_or('a'), number.parse().map_err(|_| invalid())?),
    };
    Ok((major, minor, patch, letter, number))
}

/// Semantic versions (semver.org 2.0.0, section 11).
#[derive(Debug)]
struct Semantic {
    core: [u64; 3],
    pre: Option<Vec<String>>,
}

fn semantic(version: &str) -> Result<Semantic, Error> {
    let invalid = || Error::operation(format!("Version comparison failed: invalid semantic version '{version}'"));
    let text = version.split_once('+').map_or(version, |(text, _)| text);
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let numbers = core.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().map_err(|_| invalid())?;
    let core: [u64; 3] = numbers.try_into().map_err(|_| invalid())?;
    let pre = pre.map(|pre| pre.split('.').map(str::to_owned).collect::<Vec<_>>());
    if pre.as_ref().is_some_and(|pre| pre.iter().any(String::is_empty)) {
        return Err(invalid());
    }
    Ok(Semantic { core, pre })
}

impl Semantic {
    fn cmp_precedence(&self, other: &Self) -> Ordering {
        self.core.cmp(&other.core).then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => {
                let part = |a: &String, b: &String| match (a.parse::<u64>(), b.parse::<u64>()) {
                    (Ok(a), Ok(b)) => a.cmp(&b),
                    (Ok(_), Err(_)) => Ordering::Less,
                    (Err(_), Ok(_)) => Ordering::Greater,
                    (Err(_), Err(_)) => a.cmp(b),
                };
                let unequal = a.iter().zip(b).map(|(a, b)| part(a, b)).find(|order| *order != Ordering::Equal);
                unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
        })
    }
}

/// The order of PEP 440: epoch, release, then development, pre-, final and post-releases.
type Pep440 = (u64, Vec<u64>, (i8, u64), u64, i64);

fn pep440(version: &str) -> Result<Pep440, Error> {
    let invalid = || Error::operation(format!("Version comparison failed: Invalid version: '{version}'"));
    let pattern = r"(?i)^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(?:post|rev|r)[-_.]?(\d*))?(?:[-_.]?dev[-_.]?(\d*))?(?:\+[a-z0-9.\-_]+)?\s*$";
    let regex = crate::regex::compile(pattern, crate::regex::Flags::default())?;
    let captures = regex.captures(version).map_err(crate::regex::failed)?.ok_or_else(invalid)?;
    let number = |index: usize| captures.get(index).map(|found| found.as_str().parse::<u64>().unwrap_or(0));
    let release_text = captures.get(2).map_or("", |found| found.as_str());
    let mut release: Vec<u64> = release_text.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    let post = number(5).or_else(|| number(6));
    let dev = number(7);
    let pre = match captures.get(3).map(|found| found.as_str().to_lowercase()) {
        Some(word) if word.starts_with('a') => (0, number(4).unwrap_or(0)),
        Some(word) if word.starts_with('b') => (1, number(4).unwrap_or(0)),
        Some(_) => (2, number(4).unwrap_or(0)),
        None if dev.is_some() && post.is_none() => (-1, 0),
        None => (3, 0),
    };
    let dev = dev.map_or(i64::MAX, |dev| i64::try_from(dev).unwrap_or(i64::MAX - 1));
    Ok((number(1).unwrap_or(0), release, pre, post.map_or(0, |post| post + 1), dev))
}
