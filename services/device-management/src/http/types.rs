//! Device types.

use super::answer::{Failure, changed, etag, if_match};
use super::body::{Body, Name};
use crate::Shared;
use crate::model::{DeviceType, NewDeviceType};
use crate::storage::types as storage;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use service::Problem;

/// All device types.
#[utoipa::path(get, path = "/api/v1/device-types", tag = "device types", security(("admin" = [])),
    responses((status = 200, body = Vec<DeviceType>), (status = 401, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<DeviceType>>, Failure> {
    Ok(Json(storage::list(&shared.pool).await?))
}

/// One device type.
#[utoipa::path(get, path = "/api/v1/device-types/{name}", tag = "device types",
    params(("name" = String, Path, description = "Its name.", example = "thermometer")), security(("admin" = [])),
    responses((status = 200, body = DeviceType, headers(("ETag" = String))),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn read(State(shared): State<Shared>, Name(name): Name) -> Result<Response, Failure> {
    let kind = storage::find(&shared.pool, &name).await?.ok_or_else(none)?;
    Ok((etag(kind.version), Json(kind)).into_response())
}

/// Makes a device type, or changes it: readings are checked against the new schema from then on. What a value is stored as
/// (boolean, whole number, number, text) stays once a device has the type, and is the same for all types in one measurement.
#[utoipa::path(put, path = "/api/v1/device-types/{name}", tag = "device types", request_body(content = NewDeviceType, example = json!({"sensors": {"air": {"fields": {"celsius": {"type": "number", "unit": "°C"}}}}})),
    params(("name" = String, Path, description = "Its name.", example = "thermometer"), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read.")),
    security(("admin" = [])),
    responses((status = 200, body = DeviceType, headers(("ETag" = String)), description = "It was changed."),
        (status = 201, body = DeviceType, headers(("ETag" = String)), description = "It was made."),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "It cannot have this name."),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile."),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn put(
    State(shared): State<Shared>,
    Name(name): Name,
    headers: HeaderMap,
    Body(new): Body<NewDeviceType>,
) -> Result<Response, Failure> {
    let version = if_match(&headers)?;
    let mistakes = new.mistakes(&name);
    if !mistakes.is_empty() {
        return Err(mistakes.into());
    }
    let (kind, made) = match storage::put(&shared.pool, &name, &new, version).await? {
        storage::Put::Done(kind, made) => (kind, made),
        storage::Put::Changed => return Err(changed().into()),
        storage::Put::Conflicts(conflicts) => return Err(conflicts.into()),
    };
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, etag(kind.version), Json(kind)).into_response())
}

/// Removes a device type that no device has. With `If-Match` only the version that was read.
#[utoipa::path(delete, path = "/api/v1/device-types/{name}", tag = "device types",
    params(("name" = String, Path, description = "Its name.", example = "thermometer"), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read.")),
    security(("admin" = [])),
    responses((status = 204, description = "It is gone."),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Devices have it."),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile.")))]
pub(super) async fn remove(
    State(shared): State<Shared>,
    Name(name): Name,
    headers: HeaderMap,
) -> Result<StatusCode, Failure> {
    let refused = match storage::remove(&shared.pool, &name, if_match(&headers)?).await? {
        storage::Remove::Done => return Ok(StatusCode::NO_CONTENT),
        storage::Remove::None => none(),
        storage::Remove::Changed => changed(),
        storage::Remove::Used(devices) => {
            Problem::conflict(format!("{devices} devices have this type, decommissioned ones included"))
        }
    };
    Err(refused.into())
}

fn none() -> Problem {
    Problem::not_found("there is no device type of this name")
}
