//! What may stand for hosts in an inventory: a name or address, ranges in it (`pi-[1:4]`), a port behind it. The rules are
//! ansible-core 2.19's (`parsing/utils/addresses.py`, `plugins/inventory/__init__.py`).

use regex::Regex;
use std::sync::LazyLock;

/// More hosts than this from one pattern are a typing mistake; Ansible would try to hold them all.
const MOST_HOSTS: usize = 100_000;

static BRACKETED_PORT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\[(.+)\]:([0-9]+)$"));
static PORT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)$"));

static IPV4: LazyLock<Regex> = LazyLock::new(|| {
    let part = r"(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5]|\[[0-9]+:[0-9]+(?::[0-9]+)?\])";
    pattern(&format!(r"^(?:{part}\.){{3}}{part}$"))
});

static IPV6: LazyLock<Regex> = LazyLock::new(|| {
    let p = r"(?:[0-9a-f]{1,4}|\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\])";
    pattern(&format!(
        "(?i)^(?:(?:{p}:){{7}}{p}|(?:{p}:){{1,6}}:|(?:{p}:)(?::{p}){{1,6}}|(?:{p}:){{2}}(?::{p}){{1,5}}|(?:{p}:){{3}}(?::{p}){{1,4}}\
         |(?:{p}:){{4}}(?::{p}){{1,3}}|(?:{p}:){{5}}(?::{p}){{1,2}}|(?:{p}:){{6}}(?::{p})|:(?::{p}){{1,6}}|{p}?::\
         |(?:0:){{6}}(?:{p}\\.){{3}}{p}|::(?:ffff:)?(?:{p}\\.){{3}}{p}|(?:0:){{5}}ffff:(?:{p}\\.){{3}}{p})$"
    ))
});

static HOSTNAME: LazyLock<Regex> = LazyLock::new(|| {
    let range = r"\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]";
    // Python's pattern says "does not end with `-` or `_`" by looking behind.
    let label = format!(r"(?:(?:\w|{range})(?:[\w-]|{range})*(?:[^\W_]|{range})|[^\W_]|{range})");
    pattern(&format!(r"(?i)^{label}(?:\.{label})*$"))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern that the tests compile")
}

/// Name, possibly with ranges, and port of what Ansible takes for a host; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<(&str, Option<u32>)> {
    let (mut host, mut port) = (text, None);
    for with_port in [&BRACKETED_PORT, &PORT] {
        if let Some(found) = with_port.captures(host) {
            let (Some(name), Some(number)) = (found.get(1), found.get(2)) else { continue };
            port = Some(number.as_str().parse().ok()?);
            host = name.as_str();
        }
    }
    [&IPV4, &IPV6, &HOSTNAME].iter().any(|kind| kind.is_match(host)).then_some((host, port))
}

/// Whether a name is an address, whose dots do not separate a host from its domain.
pub(crate) fn is_address(name: &str) -> bool {
    IPV4.is_match(name) || IPV6.is_match(name)
}

/// The hosts that an inventory's host pattern stands for, and their port.
pub(crate) fn expand(pattern: &str) -> Result<(Vec<String>, Option<u32>), String> {
    let (name, port) = parse(pattern).unwrap_or((pattern, None));
    let is_open = name.rfind('[').is_some_and(|open| !name[open..].contains(']'));
    if pattern.trim().ends_with(':') && port.is_none() && !is_open {
        return Err("a host can't end with `:`, which announces a port".to_owned());
    }
    let mut hosts = Vec::new();
    expand_ranges(name, &mut hosts)?;
    Ok((hosts, port))
}

fn expand_ranges(name: &str, hosts: &mut Vec<String>) -> Result<(), String> {
    let Some((head, rest)) = name.split_once('[') else {
        hosts.push(name.to_owned());
        return Ok(());
    };
    let (range, tail) = rest.split_once(']').ok_or("a range is never closed with `]`")?;
    for part in sequence(range)? {
        if hosts.len() >= MOST_HOSTS {
            return Err(format!("the range stands for more than {MOST_HOSTS} hosts"));
        }
        expand_ranges(&format!("{head}{part}{tail}"), hosts)?;
    }
    Ok(())
}

/// `1:4`, `01:10:2`, `a:f`, `:3`: both ends count.
fn sequence(range: &str) -> Result<Vec<String>, String> {
    let bounds: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match bounds.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => return Err(format!("`[{range}]` is no range: write `[begin:end]` or `[begin:end:step]`")),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err(format!("the range `[{range}]` has no end"));
    }
    let step: usize = step.parse().ok().filter(|step| *step > 0).ok_or(format!("`{step}` is no step for a range"))?;
    match (letter(begin), letter(end)) {
        (Some(first), Some(last)) if first <= last => {
            Ok(LETTERS[first..=last].chars().step_by(step).map(String::from).collect())
        }
        (Some(_), Some(_)) => Err(format!("the range `[{range}]` begins behind its end")),
        _ => numbers(range, begin, end, step),
    }
}

fn numbers(range: &str, begin: &str, end: &str, step: usize) -> Result<Vec<String>, String> {
    let number = |text: &str| {
        text.parse::<u64>().map_err(|_| format!("`{text}` in `[{range}]` is neither a number nor a letter"))
    };
    let (first, last) = (number(begin)?, number(end)?);
    let width = if begin.starts_with('0') && begin.len() > 1 { begin.len() } else { 0 };
    if width > 0 && width != end.len() {
        return Err(format!("`{begin}` and `{end}` in `[{range}]` must have the same number of digits"));
    }
    if first > last {
        return Err(format!("the range `[{range}]` begins behind its end"));
    }
    Ok((first..=last).step_by(step).take(MOST_HOSTS + 1).map(|number| format!("{number:0width$}")).collect())
}

/// Python's `string.ascii_letters`, along which letter ranges run.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    (text.len() == 1).then(|| LETTERS.find(text)).flatten()
}

#[cfg(test)]
mod tests {
    use super::{expand, parse};
    use rstest::rstest;

    #[rstest]
    #[case("pi-1", &["pi-1"], None)]
    #[case("pi-[1:4]", &["pi-1", "pi-2", "pi-3", "pi-4"], None)]
    #[case("db[01:10:4].example.org:2222", &["db01.example.org", "db05.example.org", "db09.example.org"], Some(2222))]
    #[case("[a:c]-[1:2]", &["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"], None)]
    #[case("x[:2]", &["x0", "x1", "x2"], None)]
    #[case("192.0.2.[9:10]:22", &["192.0.2.9", "192.0.2.10"], Some(22))]
    #[case("2001:db8::1", &["2001:db8::1"], None)]
    #[case("[2001:db8::1]:2222", &["2001:db8::1"], Some(2222))]
    #[case("under_score", &["under_score"], None)]
    #[case("host/with/slash", &["host/with/slash"], None)]
    fn hosts_are_expanded(#[case] pattern: &str, #[case] hosts: &[&str], #[case] port: Option<u32>) {
        assert_eq!(expand(pattern), Ok((hosts.iter().map(|host| (*host).to_owned()).collect(), port)));
    }

    #[rstest]
    #[case("pi-[1:4", "a range is never closed with `]`")]
    #[case("pi-[1:", "a range is never closed with `]`")]
    #[case("pi-[1]", "`[1]` is no range: write `[begin:end]` or `[begin:end:step]`")]
    #[case("pi-[1:]", "the range `[1:]` has no end")]
    #[case("pi-[01:4]", "`01` and `4` in `[01:4]` must have the same number of digits")]
    #[case("pi-[4:1]", "the range `[4:1]` begins behind its end")]
    #[case("pi-[c:a]", "the range `[c:a]` begins behind its end")]
    #[case("pi-[1:b]", "`b` in `[1:b]` is neither a number nor a letter")]
    #[case("pi-[1:4:0]", "`0` is no step for a range")]
    #[case("pi-[1:999999999]", "the range stands for more than 100000 hosts")]
    #[case("pi:", "a host can't end with `:`, which announces a port")]
    fn bad_ranges_are_named(#[case] pattern: &str, #[case] message: &str) {
        assert_eq!(expand(pattern), Err(message.to_owned()));
    }

    #[rstest]
    #[case("a:!b:&c")]
    #[case("-x")]
    #[case("x_")]
    #[case("web*")]
    #[case("1:2:3")]
    fn what_is_no_host(#[case] text: &str) {
        assert_eq!(parse(text), None);
    }
}
