//! What a server answered, under Ansible's names (`fetch_url` in ansible-core's `module_utils/urls.py`, and `uri`).

use super::super::attributes::with_path_info;
use super::super::script::Fields;
use super::super::{Failure, TaskResult};
use super::Options;
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// The return values, or the failure when the status is none of those wanted.
pub(super) fn result(fields: &Fields, options: &Options, elapsed: u64) -> Result<TaskResult, Failure> {
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    if let Some(skipped) = fields.get("skipped") {
        return Ok(TaskResult::new(false).with_output("stdout", skipped));
    }
    let head = Head::read(fields.get("headers").unwrap_or_default());
    let status = fields.number("status").filter(|status| *status > 0 && fields.get("broken").is_none()).unwrap_or(-1);
    let (message, succeeded) = match status {
        -1 => (format!("Request failed: {}", fields.get("broken").unwrap_or("no answer").trim()), false),
        300.. => (format!("HTTP Error {status}: {}", head.reason), false),
        _ => (format!("OK ({} bytes)", head.get("content-length").unwrap_or("unknown")), true),
    };
    // urllib tells the last address only of what succeeded.
    let url = if succeeded { fields.get("effective").unwrap_or(&options.url) } else { &options.url };
    let mut result = TaskResult::new(fields.is_set("changed"))
        .with("url", url)
        .with("status", status)
        .with("redirected", url != options.url)
        .with("elapsed", elapsed);
    for (name, value) in &head.headers {
        result = result.with(&name.replace('-', "_"), value.as_str());
    }
    if let Some(location) = head.get("location") {
        result = result.with("location", join(&options.url, location));
    }
    if succeeded {
        let cookies: Map<String, Value> = head.cookies.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
        let line: Vec<_> = head.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        result = result.with("cookies", cookies).with("cookies_string", line.join("; "));
    }
    if let Some(path) = fields.get("path") {
        result = with_path_info(result.with("path", path), fields);
    }
    result = with_content(result, fields, options, head.get("content-type").unwrap_or_default());
    if options.status_codes.contains(&status) {
        // What urllib takes for an error keeps its body here, unless it was asked for or is JSON.
        if status >= 300 && !result.0.contains_key("json") && !options.return_content {
            let body = String::from_utf8_lossy(fields.payload().unwrap_or_default()).into_owned();
            result = result.with("body", body);
        }
        return Ok(result.with("msg", message));
    }
    let wanted: Vec<_> = options.status_codes.iter().map(ToString::to_string).collect();
    Err(Failure::with(result, format!("Status code was {status} and not [{}]: {message}", wanted.join(", "))))
}

fn with_content(mut result: TaskResult, fields: &Fields, options: &Options, kind: &str) -> TaskResult {
    let Some(bytes) = fields.payload() else { return result };
    let text = decoded(bytes, kind);
    if is_json(kind)
        && let Ok(json) = serde_json::from_str::<Value>(&text)
    {
        result = result.with("json", json);
    }
    if options.return_content { result.with("content", text) } else { result }
}

/// The text in the charset that the server names; UTF-8 unless it is Latin-1.
fn decoded(bytes: &[u8], kind: &str) -> String {
    let kind = kind.to_lowercase();
    if kind.contains("charset=iso-8859-1") || kind.contains("charset=latin-1") {
        return bytes.iter().copied().map(char::from).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

/// `…/json`, `…/javascript`, or with such a suffix (RFC 6839, section 3.1).
fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    let Some((_, subtype)) = kind.split_once('/') else { return false };
    let subtype = subtype.rsplit_once('+').map_or(subtype, |(_, suffix)| suffix);
    matches!(subtype, "json" | "javascript")
}

/// The headers of the last answer, by their names in lower case, and the cookies of all.
#[derive(Debug, Default)]
struct Head {
    reason: String,
    headers: IndexMap<String, String>,
    cookies: IndexMap<String, String>,
}

impl Head {
    fn read(text: &str) -> Self {
        let mut head = Self::default();
        for line in text.lines().map(str::trim_end) {
            if line.starts_with("HTTP/") {
                head.headers.clear();
                line.splitn(3, ' ').nth(2).unwrap_or_default().clone_into(&mut head.reason);
            } else if let Some((name, value)) = line.split_once(':') {
                head.add(&name.trim().to_lowercase(), value.trim());
            }
        }
        head
    }

    fn add(&mut self, name: &str, value: &str) {
        if name == "set-cookie"
            && let Some((cookie, rest)) = value.split_once('=')
        {
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(cookie.trim().to_owned(), value.trim().trim_matches('"').to_owned());
        }
        match self.headers.get_mut(name) {
            Some(former) => *former = format!("{former}, {value}"),
            None => drop(self.headers.insert(name.to_owned(), value.to_owned())),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// An address relative to another (`urljoin`, as far as servers use it).
fn join(base: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    if location.starts_with('/') {
        return format!("{scheme}://{host}{location}");
    }
    let folder = path.split(['?', '#']).next().unwrap_or_default().rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{host}{folder}/{location}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http://h/a/b?c/d", "x", "http://h/a/x")]
    #[case("http://h/a/b", "/x", "http://h/x")]
    #[case("https://h", "//o/x", "https://o/x")]
    #[case("http://h", "https://o/", "https://o/")]
    #[case("http://h", "x", "http://h/x")]
    fn locations_are_joined(#[case] base: &str, #[case] location: &str, #[case] expected: &str) {
        assert_eq!(join(base, location), expected);
    }

    #[rstest]
    #[case("application/json; charset=utf-8", true)]
    #[case("application/problem+json", true)]
    #[case("text/javascript", true)]
    #[case("text/html", false)]
    #[case("", false)]
    fn json_is_recognised(#[case] kind: &str, #[case] expected: bool) {
        assert_eq!(is_json(kind), expected);
    }

    #[test]
    fn only_the_last_answer_counts_but_all_cookies() {
        let head = Head::read(
            "HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nX: y\r\n\r\nHTTP/2 200\r\nSet-Cookie: b=\"2\"; Path=/\r\n",
        );
        assert_eq!((head.reason.as_str(), head.get("x")), ("", None));
        assert_eq!(head.cookies.iter().map(|(k, v)| format!("{k}{v}")).collect::<Vec<_>>(), ["a1", "b2"]);
    }
}
