//! Devices.

use super::answer::{Failure, NO_STORE, etag, if_match, no_device};
use super::body::{Body, Device as Id, Parameters};
use crate::Shared;
use crate::model::{Credential, Device, DevicePatch, FilterParameters, NewDevice, Told};
use crate::storage::devices as storage;
use crate::storage::devices::NewKey;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use service::{Detail, KeyHash, KeySource, Problem};
use utoipa::ToSchema;
use uuid::Uuid;

/// A page of devices.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Devices {
    /// In the order of their ids.
    items: Vec<Device>,
    /// The `cursor` of the next page; none on the last.
    next: Option<String>,
}

/// A key, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Key {
    /// Which credential.
    pub(super) id: Uuid,
    /// What the device presents: its password at the broker, its bearer token over HTTP.
    #[schema(value_type = String)]
    pub(super) key: Told,
}

/// A device that was registered, with its key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Registered {
    /// The device.
    device: Device,
    /// Its key; it is not shown again.
    credential: Key,
}

/// A new key, in all forms that it has. `None` only when the system has no randomness.
pub(super) fn new_key(shared: &Shared, source: &KeySource, device: &str) -> Option<(NewKey, Key)> {
    let (id, key) = (Uuid::new_v4(), source.key(device));
    let sealed = shared.seal.seal(device, id, &key)?;
    let hash = KeyHash::of(key.reveal()).0;
    Some((NewKey { id, hash, sealed }, Key { id, key: key.into() }))
}

/// Its account would take the place of one that services need.
pub(super) const RESERVED: &str = "is the account of a service at the broker";

pub(super) fn no_randomness() -> Problem {
    Problem::internal(&std::io::Error::other("the system gives no random bytes"))
}

/// Devices, page by page.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(FilterParameters), security(("admin" = [])),
    responses((status = 200, body = Devices),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "An unknown parameter."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong.")))]
pub(super) async fn list(
    State(shared): State<Shared>,
    Parameters(parameters): Parameters<FilterParameters>,
) -> Result<Json<Devices>, Failure> {
    let filter = parameters.checked()?;
    let mut items = storage::list(&shared.pool, &filter, shared.online_within).await?;
    let most = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| more).map(|last| filter.cursor_after(&last.id));
    Ok(Json(Devices { items, next }))
}

/// Registers a device. The answer shows its key, once.
#[utoipa::path(post, path = "/api/v1/devices", tag = "devices", security(("admin" = [])),
    request_body(content = NewDevice, example = json!({"type": "ESP32-S3", "name": "Hall", "tags": {"floor": "2"},
        "location": {"name": "lab", "room": "hall"}})),
    responses((status = 201, body = Registered, headers(("Location" = String), ("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The id is taken."),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn register(State(shared): State<Shared>, Body(new): Body<NewDevice>) -> Result<Response, Failure> {
    let id = new.checked_id()?;
    if shared.is_reserved(&id) {
        return Err(vec![Detail { pointer: "/id".to_owned(), detail: RESERVED.to_owned() }].into());
    }
    let source = KeySource::new(&mut rand::rng());
    let (key, shown) = new_key(&shared, &source, id.as_str()).ok_or_else(no_randomness)?;
    let mut transaction = shared.pool.begin().await?;
    storage::register(&mut transaction, &id, &new, key).await??;
    let device = storage::find(&mut transaction, id.as_str(), shared.online_within).await?.ok_or_else(no_device)?;
    transaction.commit().await?;
    shared.changed.notify_one();
    let location = [(header::LOCATION, format!("/api/v1/devices/{id}"))];
    let tag = etag(device.version);
    Ok((StatusCode::CREATED, location, tag, NO_STORE, Json(Registered { device, credential: shown })).into_response())
}

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path, description = "Its id.", example = "ESP32-3F2A9C01")),
    security(("admin" = [])),
    responses((status = 200, body = Device, headers(("ETag" = String))),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn read(State(shared): State<Shared>, Id(id): Id) -> Result<Response, Failure> {
    let mut connection = shared.pool.acquire().await?;
    let device = storage::find(&mut connection, id.as_str(), shared.online_within).await?.ok_or_else(no_device)?;
    Ok((etag(device.version), Json(device)).into_response())
}

/// Changes a device: a JSON merge patch (RFC 7396). With `If-Match` only the version that was read.
#[utoipa::path(patch, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "Its id.", example = "ESP32-3F2A9C01"), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read.")),
    request_body(content((DevicePatch = "application/merge-patch+json", example = json!({"state": "maintenance", "tags": {"floor": null}})),
        (DevicePatch = "application/json"))), security(("admin" = [])),
    responses((status = 200, body = Device, headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It was decommissioned."),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile."),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn patch(
    State(shared): State<Shared>,
    Id(id): Id,
    headers: HeaderMap,
    Body(patch): Body<DevicePatch>,
) -> Result<Response, Failure> {
    let version = if_match(&headers)?;
    let mistakes = patch.mistakes();
    if !mistakes.is_empty() {
        return Err(mistakes.into());
    }
    let mut transaction = shared.pool.begin().await?;
    storage::patch(&mut transaction, id.as_str(), &patch, version, shared.online_within).await??;
    let device = storage::find(&mut transaction, id.as_str(), shared.online_within).await?.ok_or_else(no_device)?;
    transaction.commit().await?;
    shared.changed.notify_one();
    Ok((etag(device.version), Json(device)).into_response())
}

/// Decommissions a device: its key and account go at once, its record and readings stay, its id is not given out again. With
/// `If-Match` only the version that was read.
#[utoipa::path(delete, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "Its id.", example = "ESP32-3F2A9C01"), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read.")),
    security(("admin" = [])),
    responses((status = 204, description = "It is decommissioned, now or before."),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json", description = "It was changed meanwhile.")))]
pub(super) async fn decommission(
    State(shared): State<Shared>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<StatusCode, Failure> {
    let version = if_match(&headers)?;
    let mut transaction = shared.pool.begin().await?;
    storage::decommission(&mut transaction, id.as_str(), version).await??;
    transaction.commit().await?;
    shared.changed.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// What is known of a device's key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyState {
    /// The key; none after it was revoked.
    pub(super) credential: Option<Credential>,
    /// The account at the broker.
    pub(super) account: crate::model::AccountState,
    /// Why the broker did not take the last change, in its words; it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}
