//! Bodies, unpacked within bounds: a gzip bomb ends where the longest payload ends.

use crate::payload::{Reason, Refusal};
use axum::body::{Body, Bytes};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use service::Problem;
use std::error::Error;
use std::io::Read;

/// The payload of a request, at most `limit` bytes before it is unpacked as after.
pub async fn payload(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    let packed = match encoding {
        None | Some("identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(_) => {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail("the only content encoding is `gzip`"));
        }
    };
    let body = axum::body::to_bytes(body, limit).await.map_err(|error| match error.source() {
        Some(cause) if cause.is::<LengthLimitError>() => too_large(format!("the body is longer than {limit} bytes")),
        _ => Problem::bad_request("the body broke off"),
    })?;
    if packed { gunzip(&body, limit).map(Bytes::from) } else { Ok(body) }
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
