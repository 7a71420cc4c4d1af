//! What may stand for hosts in an inventory: a name or address, ranges in it (`pi-[1:4]`), a port behind it. The rules are
//! ansible-core 2.19's (`parsing/utils/addresses.py`, `plugins/inventory/__init__.py`).

use std::net::Ipv6Addr;

/// More hosts than this from one pattern are a typing mistake; Ansible would try to hold them all.
const MOST_HOSTS: usize = 100_000;

/// Name, possibly with ranges, and port of what Ansible takes for a host; `None` for anything else. Checked by hand: the
/// reference's regular expressions take longer to compile than a whole inventory to read.
pub(crate) fn parse(text: &str) -> Option<(&str, Option<u32>)> {
    let (host, port) = match with_port(text) {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    (is_address(host) || is_hostname(host)).then_some((host, port))
}

/// Whether a name is an address, whose dots do not separate a host from its domain.
pub(crate) fn is_address(name: &str) -> bool {
    is_ipv4(name) || is_ipv6(name)
}

/// `host:22` or `[host]:22`; colons elsewhere are allowed between brackets only.
fn with_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).filter(|inner| !inner.is_empty());
    match inner {
        Some(inner) => Some((inner, port)),
        None => colons_are_bracketed(host).then_some((host, port)),
    }
}

fn colons_are_bracketed(mut text: &str) -> bool {
    while let Some(start) = text.find(['[', ']', ':']) {
        let Some(end) = text[start..].strip_prefix('[').and_then(|rest| rest.find(']')) else { return false };
        text = &text[start + 1 + end + 1..];
    }
    true
}

fn is_ipv4(text: &str) -> bool {
    let Some(text) = without_ranges(text, |bound| bound.bytes().all(|byte| byte.is_ascii_digit())) else {
        return false;
    };
    let is_part = |part: &str| {
        let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number && part.parse::<u16>().is_ok_and(|number| number <= 255)
    };
    text.split('.').count() == 4 && text.split('.').all(is_part)
}

fn is_ipv6(text: &str) -> bool {
    text.contains(':')
        && without_ranges(text, |bound| bound.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .is_some_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// Labels of letters, digits, `-` and `_`, which neither begin with `-` nor end with `-` or `_`.
fn is_hostname(text: &str) -> bool {
    let is_bound = |bound: &str| {
        bound.bytes().all(|byte| byte.is_ascii_digit()) || bound.len() == 1 && bound.as_bytes()[0].is_ascii_alphabetic()
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with(['-', '_'])
            && label.chars().all(|character| character.is_alphanumeric() || "-_".contains(character))
    };
    without_ranges(text, is_bound).is_some_and(|text| text.split('.').all(is_label))
}

/// The text with a digit in the place of each range; `None` if there is a bracket that is no range with such bounds.
fn without_ranges(text: &str, is_bound: impl Fn(&str) -> bool) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let (range, tail) = after.split_once(']')?;
        let bounds: Vec<&str> = range.split(':').collect();
        let is_step = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        let is_range = match bounds.as_slice() {
            [_, _] => true,
            [_, _, step] => is_step(step),
            _ => false,
        };
        if !is_range || !bounds[..2].iter().all(|bound| !bound.is_empty() && is_bound(bound)) {
            return None;
        }
        plain.push_str(before);
        plain.push('0');
        rest = tail;
    }
    plain.push_str(rest);
    (!rest.contains(']')).then_some(plain)
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
