//! Bodies, unpacked within bounds: a gzip bomb ends where the longest payload ends.

use crate::payload::{Reason, Refusal};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, StatusCode, header};
use service::Problem;
use std::io::Read;

/// The payload of a request.
pub fn unpack(headers: &HeaderMap, body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    match encoding {
        None | Some("identity") => Ok(body.to_vec()),
        Some("gzip" | "x-gzip") => gunzip(body, limit),
        Some(_) => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail("the only content encoding is `gzip`")),
    }
}

fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut payload = Vec::new();
    let mut limited = MultiGzDecoder::new(body).take(limit as u64 + 1);
    if limited.read_to_end(&mut payload).is_err() {
        crate::intake::count(&Refusal::new(Reason::Malformed, ""));
        return Err(Problem::bad_request("the body is no gzip"));
    }
    if payload.len() > limit {
        crate::intake::count(&Refusal::new(Reason::TooLarge, ""));
        let detail = format!("the body is longer than {limit} bytes when unpacked");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(detail));
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
