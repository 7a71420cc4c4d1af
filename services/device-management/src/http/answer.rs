//! From what storage says to what the caller hears.

use crate::model::MOST_TAGS;
use crate::storage::devices::Refused;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap};
use http::{HeaderValue, StatusCode};
use service::{Detail, Problem};

/// A request that fails; always a problem.
#[derive(Debug)]
pub(super) struct Failure(Problem);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if service::postgres::is_away(&error) {
            tracing::warn!(%error, "the database is away");
            return Self(Problem::unavailable("the database is away or busy"));
        }
        Self(Problem::internal(&error))
    }
}

impl From<Vec<Detail>> for Failure {
    fn from(mistakes: Vec<Detail>) -> Self {
        Self(Problem::invalid(mistakes))
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let at = |pointer: &str, detail: String| Problem::invalid(vec![Detail { pointer: pointer.to_owned(), detail }]);
        Self(match refused {
            Refused::Exists(state) if state == "decommissioned" => {
                Problem::conflict("a device of this id was decommissioned; its id is not given out again")
                    .kind("device-gone", "Device gone")
            }
            Refused::Exists(_) => {
                Problem::conflict("a device of this id exists").kind("device-exists", "Device exists")
            }
            Refused::NoType => at("/type", "there is no such type".to_owned()),
            Refused::NoGroup(name) => at("/groups", format!("there is no group `{name}`")),
            Refused::NoDevice => no_device(),
            Refused::Gone => Problem::conflict("the device was decommissioned").kind("device-gone", "Device gone"),
            Refused::Changed => changed(),
            Refused::Tags => at("/tags", format!("would be more than {MOST_TAGS}, with those that the device has")),
            Refused::NoKey => Problem::not_found("the device has no key"),
        })
    }
}

/// 404 for a device.
pub(super) fn no_device() -> Problem {
    Problem::not_found("there is no device of this id")
}

/// 412: somebody else was faster.
pub(super) fn changed() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED).detail("it was changed meanwhile: read it again")
}

/// The version that `If-Match` asks for. `*` is any.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(header) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| Problem::bad_request("`If-Match` is not the `ETag` of an answer of ours"))
}

/// The `ETag` of a version.
pub(super) fn etag(version: i64) -> [(header::HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    [(header::ETAG, value)]
}

/// Answers that hold a key are kept by nobody on the way.
pub(super) const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];
