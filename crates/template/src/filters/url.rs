//! `urlsplit`, `urlencode`, `urldecode`.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, pairs, text};

pub(super) const FILTERS: &[(&str, Filter)] =
    &[("urldecode", plain(urldecode)), ("urlencode", plain(urlencode)), ("urlsplit", plain(urlsplit))];

/// The parts of a URL (RFC 3986, appendix B, as Python's `urlsplit` reads them).
pub(crate) struct Url<'a> {
    pub(crate) scheme: String,
    pub(crate) netloc: &'a str,
    pub(crate) path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

pub(crate) fn split(url: &str) -> Url<'_> {
    let mut rest = url;
    let mut scheme = String::new();
    if let Some((head, after)) = url.split_once(':')
        && head.starts_with(|c: char| c.is_ascii_alphabetic())
        && head.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        (scheme, rest) = (head.to_lowercase(), after);
    }
    let mut netloc = "";
    if let Some(after) = rest.strip_prefix("//") {
        (netloc, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Url { scheme, netloc, path, query, fragment }
}

fn urlsplit(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, query] = args.bind(["value", "query"])?;
    let value = text(&value.need("value")?)?;
    let url = split(&value);
    let (user, host) = url.netloc.rsplit_once('@').map_or((None, url.netloc), |(user, host)| (Some(user), host));
    let (username, password) = match user {
        None => (Value::None, Value::None),
        Some(user) => match user.split_once(':') {
            Some((name, password)) => (Value::from(name), Value::from(password)),
            None => (Value::from(user), Value::None),
        },
    };
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => Value::None,
        Some(port) => match port.parse::<u16>() {
            Ok(port) => Value::Int(port.into()),
            Err(_) => return Err(Error::operation(format!("Port could not be cast to integer value as '{port}'"))),
        },
    };
    let hostname = if name.is_empty() { Value::None } else { Value::from(name.to_lowercase()) };
    let parts = Value::record([
        ("fragment", Value::from(url.fragment)),
        ("hostname", hostname),
        ("netloc", Value::from(url.netloc)),
        ("password", password),
        ("path", Value::from(url.path)),
        ("port", port),
        ("query", Value::from(url.query)),
        ("scheme", Value::from(url.scheme.as_str())),
        ("username", username),
    ]);
    let query = query.text_or("")?;
    if query.is_empty() {
        return Ok(parts);
    }
    let found = parts.as_map().and_then(|map| map.get(&crate::value::Name(&query)).cloned());
    found.ok_or_else(|| Error::operation(format!("urlsplit: unknown URL component: {query}")))
}

fn urlencode(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["value"])?;
    match value.need("value")? {
        value @ (Value::Map(_) | Value::List(_) | Value::Tuple(_)) => {
            let encoded = pairs(&value)?.into_iter().map(|(key, value)| {
                Ok(format!("{}={}", encode(&text(&key.value())?, "", true), encode(&text(&value)?, "", true)))
            });
            Ok(Value::from(encoded.collect::<Result<Vec<_>, Error>>()?.join("&")))
        }
        value => Ok(Value::from(encode(&text(&value)?, "/", false))),
    }
}

fn encode(text: &str, safe: &str, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "_.-~".contains(character) || (byte.is_ascii() && safe.contains(character)) {
            out.push(character);
        } else if plus && byte == b' ' {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn urldecode(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["string"])?;
    let value = text(&value.need("string")?)?.replace('+', " ");
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = bytes.get(index + 1..index + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[index] == b'%' => {
                out.push(byte);
                index += 3;
            }
            _ => {
                out.push(bytes[index]);
                index += 1;
            }
        }
    }
    Ok(Value::from(String::from_utf8_lossy(&out).into_owned()))
}
