//! What is asked of a server: the body as it is sent, and curl's configuration.

use super::super::Failure;
use super::super::convert::{Arguments, json, text};
use super::Options;
use indexmap::IndexMap;
use serde_json::Value;
use std::fmt::Write;

/// The body's bytes, and the content type that goes with it if the task gives none.
pub(super) fn body(arguments: &Arguments) -> Result<(Option<Vec<u8>>, Option<&'static str>), Failure> {
    let body = arguments.given("body");
    match arguments.required_string("body_format")?.as_str() {
        "json" => Ok((body.map(|body| text_or(body, json)), Some("application/json"))),
        "form-urlencoded" => {
            let body = body.map(|body| match body {
                Value::String(text) => Ok(text.clone().into_bytes()),
                other => form(other),
            });
            Ok((body.transpose()?, Some("application/x-www-form-urlencoded")))
        }
        "form-multipart" => {
            Err(Failure::message("body_format=form-multipart is not offered; `--engine ansible` has it"))
        }
        _ => Ok((body.map(|body| text_or(body, text)), None)),
    }
}

fn text_or(body: &Value, encode: fn(&Value) -> String) -> Vec<u8> {
    body.as_str().map_or_else(|| encode(body), str::to_owned).into_bytes()
}

/// Keys and values as an HTML form sends them; a list as value repeats its key.
fn form(body: &Value) -> Result<Vec<u8>, Failure> {
    let broken =
        || Failure::message("failed to parse body as form_urlencoded: cannot form-urlencode body, expect list or dict");
    let pairs: Vec<(String, &Value)> = match body {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            let pair = |item: &'_ Value| item.as_array().filter(|pair| pair.len() == 2).is_some();
            if !items.iter().all(pair) {
                return Err(broken());
            }
            items.iter().map(|item| (text(&item[0]), &item[1])).collect()
        }
        _ => return Err(broken()),
    };
    let mut fields = Vec::new();
    for (key, value) in &pairs {
        let values = match value {
            Value::Array(values) => values.iter().collect(),
            one => vec![*one],
        };
        for value in values.into_iter().filter(|value| !value.is_null()) {
            fields.push(format!("{}={}", quote_plus(key), quote_plus(&text(value))));
        }
    }
    Ok(fields.join("&").into_bytes())
}

/// Python's `urllib.parse.quote_plus`.
fn quote_plus(text: &str) -> String {
    text.bytes().fold(String::new(), |mut quoted, byte| {
        match byte {
            b' ' => quoted.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) => quoted.push(char::from(byte)),
            byte => drop(write!(quoted, "%{byte:02X}")),
        }
        quoted
    })
}

/// The configuration that curl reads from a file only its user can read; secrets stand here and not in its arguments.
pub(super) fn configuration(options: &Options) -> String {
    let mut lines = Vec::new();
    let mut set = |name: &str, value: &str| lines.push(format!("{name} = {}", quoted(value)));
    set("url", &options.url);
    set("user-agent", &options.http_agent);
    set("proto", "=http,https,ftp");
    set("connect-timeout", &options.timeout.to_string());
    // urllib's timeout is for each read: less than a byte a second for that long is the same.
    set("speed-limit", "1");
    set("speed-time", &options.timeout.to_string());
    let has_body = options.body.is_some() || !options.src.is_empty();
    match (options.method.as_str(), has_body) {
        ("HEAD", false) => lines.push("head".to_owned()),
        ("GET", false) | ("POST", true) => {}
        (method, _) => lines.push(format!("request = {}", quoted(method))),
    }
    for (name, value) in headers(options) {
        lines.push(format!("header = {}", quoted(&format!("{name}: {value}"))));
    }
    if let Some(user) = &options.username {
        let password = options.password.as_deref().unwrap_or_default();
        lines.push(format!("user = {}", quoted(&format!("{user}:{password}"))));
        lines.push(if options.force_basic_auth { "basic" } else { "anyauth" }.to_owned());
    } else if options.use_netrc {
        lines.push("netrc-optional".to_owned());
    }
    if options.follows() {
        lines.push("location".to_owned());
    }
    for (name, value) in [
        ("cacert", &options.ca_path),
        ("cert", &options.client_cert),
        ("key", &options.client_key),
        ("unix-socket", &options.unix_socket),
    ] {
        if let Some(value) = value {
            lines.push(format!("{name} = {}", quoted(value)));
        }
    }
    for (flag, wanted) in [
        ("insecure", !options.validate_certs),
        ("noproxy = \"*\"", !options.use_proxy),
        ("compressed", options.decompress),
    ] {
        if wanted {
            lines.push(flag.to_owned());
        }
    }
    lines.join("\n") + "\n\n"
}

/// The task's headers, with those that urllib would send and curl would not, or the other way round.
fn headers(options: &Options) -> IndexMap<String, String> {
    let mut headers = options.headers.clone();
    let mut default = |name: &str, value: &str| {
        if !headers.keys().any(|given| given.eq_ignore_ascii_case(name)) {
            headers.insert(name.to_owned(), value.to_owned());
        }
    };
    default("Connection", "close");
    default("Expect", "");
    if options.force {
        default("Cache-Control", "no-cache");
    }
    if let Some(kind) = options.content_type {
        default("Content-Type", kind);
    }
    headers
}

/// A value in curl's configuration. A newline would end it; headers must not have one either.
fn quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' | '\r' => quoted.push(' '),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    // Expected values: Python's urllib.parse.urlencode.
    #[rstest]
    #[case(json!({"a": "x y&z", "b": ["1", 2, null], "ü": true}), "a=x+y%26z&b=1&b=2&%C3%BC=True")]
    #[case(json!([["a", "1"], ["a", "2"]]), "a=1&a=2")]
    fn forms_are_encoded(#[case] body: Value, #[case] expected: &str) {
        assert_eq!(String::from_utf8(form(&body).ok().unwrap()).unwrap(), expected);
    }

    #[test]
    fn values_can_not_leave_their_quotes() {
        assert_eq!(quoted("a\"b\\c\nurl = x"), "\"a\\\"b\\\\c url = x\"");
    }
}
