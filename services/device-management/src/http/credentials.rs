//! Keys of devices.

use super::answer::{Failure, NO_STORE, if_match, no_device};
use super::body::Device as Id;
use super::devices::{Key, KeyState, new_key, no_randomness};
use crate::Shared;
use crate::storage::{credentials as storage, devices, outbox};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use service::{KeySource, Problem};

/// What is known of a device's key; the key itself is shown only when it is made.
#[utoipa::path(get, path = "/api/v1/devices/{id}/credential", tag = "credentials",
    params(("id" = String, Path, description = "The device.", example = "ESP32-3F2A9C01")), security(("admin" = [])),
    responses((status = 200, body = KeyState),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn read(State(shared): State<Shared>, Id(id): Id) -> Result<Json<KeyState>, Failure> {
    let mut connection = shared.pool.acquire().await?;
    let device = devices::find(&mut connection, id.as_str(), shared.online_within).await?.ok_or_else(no_device)?;
    let problem = outbox::last_error(&mut connection, id.as_str()).await?;
    Ok(Json(KeyState { credential: device.credential, account: device.account, problem }))
}

/// Gives the device a new key, shown once. The old one is void at once; whoever is connected with it is cut off.
#[utoipa::path(post, path = "/api/v1/devices/{id}/credential/rotate", tag = "credentials",
    params(("id" = String, Path, description = "The device.", example = "ESP32-3F2A9C01"), ("If-Match" = Option<String>, Header, description = "The device's `ETag` that was read.")),
    security(("admin" = [])),
    responses((status = 201, body = Key),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It was decommissioned."),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The device was changed meanwhile.")))]
pub(super) async fn rotate(State(shared): State<Shared>, Id(id): Id, headers: HeaderMap) -> Result<Response, Failure> {
    let version = if_match(&headers)?;
    let source = KeySource::new(&mut rand::rng());
    let (key, shown) = new_key(&shared, &source, id.as_str()).ok_or_else(no_randomness)?;
    let mut transaction = shared.pool.begin().await?;
    storage::rotate(&mut transaction, id.as_str(), version, key).await??;
    transaction.commit().await?;
    shared.changed.notify_one();
    Ok((StatusCode::CREATED, NO_STORE, Json(shown)).into_response())
}

/// Takes the key away: the device is cut off and cannot come back without a new one.
#[utoipa::path(delete, path = "/api/v1/devices/{id}/credential", tag = "credentials",
    params(("id" = String, Path, description = "The device.", example = "ESP32-3F2A9C01"), ("If-Match" = Option<String>, Header, description = "The device's `ETag` that was read.")),
    security(("admin" = [])),
    responses((status = 204, description = "It is void."),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such device, or it has no key."),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It was decommissioned."),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The device was changed meanwhile.")))]
pub(super) async fn revoke(
    State(shared): State<Shared>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<StatusCode, Failure> {
    let version = if_match(&headers)?;
    let mut transaction = shared.pool.begin().await?;
    storage::withdraw(&mut transaction, id.as_str(), version).await??;
    transaction.commit().await?;
    shared.changed.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
