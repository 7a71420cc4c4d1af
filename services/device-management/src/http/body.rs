//! Bodies and parameters of requests, read strictly, with problems that say where.

use axum::extract::{self, FromRequest, FromRequestParts, OptionalFromRequest, Query, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use service::{Detail, DeviceId, Object, Problem};

/// A body that is packed would be taken for one that is broken.
pub(super) async fn uncoded(request: Request, next: Next) -> Response {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .detail("send it without `Content-Encoding`")
                .into_response()
        }
        _ => next.run(request).await,
    }
}

/// A JSON body. Its media type may be any JSON (`application/merge-patch+json`).
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match <Self as OptionalFromRequest<S>>::from_request(request, state).await? {
            Some(body) => Ok(body),
            None => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail("send JSON, with its `Content-Type`")),
        }
    }
}

/// `None`: there is no body at all.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default().to_owned());
        let bytes = axum::body::Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| Problem::new(rejection.status()).detail(rejection.body_text()))?;
        match kind {
            None if bytes.is_empty() => return Ok(None),
            Some(kind) if is_json(&kind) => {}
            _ => {
                return Err(
                    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail("send JSON, with its `Content-Type`")
                );
            }
        }
        read(&bytes).map(|value| Some(Self(value)))
    }
}

/// Reads an object. What it says of types and names ends at the first mistake, with its place.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let no_json = |error: serde_json::Error| Problem::bad_request(format!("the body is no JSON: {error}"));
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.inner().is_data() {
        true => Problem::invalid(vec![Detail { pointer: pointer(error.path()), detail: error.inner().to_string() }]),
        false => no_json(error.into_inner()),
    });
    let Object(value) = value?;
    reader.end().map_err(no_json)?;
    Ok(value)
}

/// RFC 6901; empty for the whole body.
fn pointer(path: &Path) -> String {
    let tokens = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } | Segment::Enum { variant: key } => Some(key.replace('~', "~0").replace('/', "~1")),
        Segment::Unknown => None,
    });
    tokens.map(|token| format!("/{token}")).collect()
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Parameters of the query; one that is unknown is a mistake, not a filter that finds nothing.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(value)| Self(value)).map_err(|rejection| Problem::bad_request(rejection.body_text()))
    }
}

/// The device of the path. What is no device id names no device.
pub(super) struct Device(pub(super) DeviceId);

impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = extract::Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|extract::Path(mut path)| path.remove("id")).and_then(|id| id.parse().ok());
        id.map(Self).ok_or_else(super::answer::no_device)
    }
}

/// A name of the path (of a type or group). What is none names nothing.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = extract::Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, state).await;
        let name = path.ok().and_then(|extract::Path(mut path)| path.remove("name"));
        name.filter(|name| crate::model::is_name(name))
            .map(Self)
            .ok_or_else(|| Problem::not_found("a name has 1 to 64 letters, digits, `_`, `.` and `-`"))
    }
}
