//! Errors as problem details (RFC 9457): one shape for every answer that is not a success.

use crate::causes;
use crate::trace::TraceContext;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// How much of a foreign answer's text is taken over as the detail.
const DETAIL_LIMIT_BYTES: usize = 4096;

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem; `about:blank` when the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words, the same for all of its cases.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// This case in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Each mistake of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Detail>,
    /// The trace to look for in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Seconds to wait before trying again; sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after_seconds: Option<u32>,
}

/// One mistake of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Detail {
    /// Where: a JSON pointer into the body (RFC 6901), or the parameter's name.
    pub pointer: String,
    /// What.
    pub detail: String,
}

impl Problem {
    /// A problem that its status describes.
    pub fn new(status: StatusCode) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            trace_id: None,
            retry_after_seconds: None,
        }
    }

    /// 400 with a detail.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST).detail(detail)
    }

    /// 401; the answer names the scheme, as RFC 9110 section 11.6.1 demands.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED).detail(detail)
    }

    /// 404 with a detail.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND).detail(detail)
    }

    /// 409 with a detail.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT).detail(detail)
    }

    /// 422 with each mistake.
    pub fn invalid(errors: Vec<Detail>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY);
        problem.detail = Some(match errors.len() {
            1 => errors[0].detail.clone(),
            count => format!("{count} values are wrong"),
        });
        problem.errors = errors;
        problem
    }

    /// 503: something that the answer depends on is away.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE).detail(detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// 500. The cause goes to the log, not to the caller.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(causes = causes(cause), "a request failed by our fault");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR).detail("the cause is in the log of the service")
    }

    /// The same with this detail.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same with a kind of its own; `slug` goes into the type URI.
    pub fn kind(self, slug: &str, title: impl Into<String>) -> Self {
        Self { kind: format!("urn:problem:{slug}"), title: title.into(), ..self }
    }

    /// The status as a type.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.detail.as_deref().unwrap_or(&self.title))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.trace_id = self.trace_id.or_else(|| TraceContext::current().map(TraceContext::trace_id));
        let status = self.status_code();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Turns an error answer of axum's own (404, 405, 408, 413, 415, 422 …) into a problem; its text becomes the detail.
pub(crate) async fn translate(response: Response) -> Response {
    let status = response.status();
    let json =
        |value: &HeaderValue| value.as_bytes().starts_with(b"application/") && value.as_bytes().ends_with(b"json");
    if !(status.is_client_error() || status.is_server_error())
        || response.headers().get(header::CONTENT_TYPE).is_some_and(json)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, DETAIL_LIMIT_BYTES).await.unwrap_or_default();
    let mut problem = Problem::new(status);
    problem.detail = Some(String::from_utf8_lossy(&text).trim().to_owned()).filter(|text| !text.is_empty());
    let translated = problem.into_response();
    // What the original said besides its text stays: `Allow` of a 405, `Retry-After`, `Connection`.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    for (name, value) in translated.headers() {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::new(translated.into_body()))
}
