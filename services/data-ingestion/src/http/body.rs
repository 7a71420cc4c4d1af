//! Bodies, unpacked within bounds: a gzip bomb ends where the longest payload ends.

use crate::intake::Format;
use crate::payload::{Reason, Refusal};
use axum::body::{Body, Bytes};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use service::Problem;
use std::error::Error;
use std::io::Read;

/// What curl's `-d` and some small HTTP clients call any body.
const FORM: &str = "application/x-www-form-urlencoded";
/// What a body of JSON may call itself, besides `…+json`. Browsers and Telegraf call all that is text `text/plain`.
const JSON: &[&str] = &["application/json", "text/plain", FORM];
/// What a body of line protocol may call itself.
const LINES: &[&str] = &["text/plain", "application/octet-stream", FORM];

/// The payload of a request, at most `limit` bytes before it is unpacked as after.
pub async fn payload(headers: &HeaderMap, body: Body, format: Format<'_>, limit: usize) -> Result<Bytes, Problem> {
    check_type(headers, format)?;
    let packed = is_packed(headers)?;
    let body = axum::body::to_bytes(body, limit).await.map_err(|error| match error.source() {
        Some(cause) if cause.is::<LengthLimitError>() => too_large(format!("the body is longer than {limit} bytes")),
        _ => Problem::bad_request("the body broke off"),
    })?;
    if packed { gunzip(&body, limit).map(Bytes::from) } else { Ok(body) }
}

/// A body that does not say what it is, is what is expected here: some devices have no memory for a header.
fn check_type(headers: &HeaderMap, format: Format<'_>) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let (known, is_known) = match format {
        Format::Lines => (LINES, LINES.contains(&essence)),
        _ => (JSON, JSON.contains(&essence) || essence.ends_with("+json")),
    };
    if !is_known {
        return Err(unsupported(format!("the body is of another media type: send it as `{}`, or as none", known[0])));
    }
    match parts.find_map(|part| part.strip_prefix("charset=")).map(|charset| charset.trim_matches('"')) {
        None | Some("utf-8" | "us-ascii") => Ok(()),
        Some(_) => Err(unsupported("the only charset is `utf-8`")),
    }
}

/// Names of codings are the same in capitals, and `x-gzip` is `gzip` (RFC 9110 sections 8.4.1 and 8.4.1.3).
fn is_packed(headers: &HeaderMap) -> Result<bool, Problem> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(false) };
    match value.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => Err(unsupported("the only content encoding is `gzip`")),
    }
}

fn unsupported(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail(detail)
}

fn too_large(detail: String) -> Problem {
    crate::intake::count(&Refusal::new(Reason::TooLarge, ""));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(detail)
}

pub(crate) fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut payload = Vec::new();
    let mut limited = MultiGzDecoder::new(body).take(limit as u64 + 1);
    if limited.read_to_end(&mut payload).is_err() {
        crate::intake::count(&Refusal::new(Reason::Malformed, ""));
        return Err(Problem::bad_request("the body is no gzip"));
    }
    if payload.len() > limit {
        return Err(too_large(format!("the body is longer than {limit} bytes when unpacked")));
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_is_refused_at_the_bound() {
        let bomb = gzip(&vec![0; 50 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(gunzip(&bomb, 1 << 20).unwrap_err().status, 413);
    }

    #[test]
    fn what_was_packed_comes_back() {
        assert_eq!(gunzip(&gzip(b"[]"), 10).unwrap(), b"[]");
        assert_eq!(gunzip(b"[]", 10).unwrap_err().status, 400);
    }
}
