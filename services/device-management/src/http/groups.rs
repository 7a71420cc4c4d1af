//! Groups.

use super::answer::{Failure, no_device};
use super::body::{Body, Device as Id, Name};
use crate::Shared;
use crate::model::{Group, NewGroup};
use crate::storage::groups as storage;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use service::Problem;

/// All groups. The devices of one are the list of devices with its `group`.
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups", security(("admin" = [])),
    responses((status = 200, body = Vec<Group>), (status = 401, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<Group>>, Failure> {
    Ok(Json(storage::list(&shared.pool).await?))
}

/// One group.
#[utoipa::path(get, path = "/api/v1/groups/{name}", tag = "groups", params(("name" = String, Path, description = "Its name.", example = "roof")),
    security(("admin" = [])),
    responses((status = 200, body = Group),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn read(State(shared): State<Shared>, Name(name): Name) -> Result<Json<Group>, Failure> {
    Ok(Json(storage::find(&shared.pool, &name).await?.ok_or_else(none)?))
}

/// Makes a group, or changes it.
#[utoipa::path(put, path = "/api/v1/groups/{name}", tag = "groups", request_body(content = NewGroup, example = json!({"description": "On the roof"})),
    params(("name" = String, Path, description = "Its name.", example = "roof")), security(("admin" = [])),
    responses((status = 200, body = Group, description = "It was changed."), (status = 201, body = Group, description = "It was made."),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "It cannot have this name."),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn put(
    State(shared): State<Shared>,
    Name(name): Name,
    Body(new): Body<NewGroup>,
) -> Result<(StatusCode, Json<Group>), Failure> {
    let mistakes = new.mistakes(&name);
    if !mistakes.is_empty() {
        return Err(mistakes.into());
    }
    let (group, made) = storage::put(&shared.pool, &name, &new).await?;
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, Json(group)))
}

/// Removes a group; its devices stay.
#[utoipa::path(delete, path = "/api/v1/groups/{name}", tag = "groups", params(("name" = String, Path, description = "Its name.", example = "roof")),
    security(("admin" = [])),
    responses((status = 204, description = "It is gone."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove(State(shared): State<Shared>, Name(name): Name) -> Result<StatusCode, Failure> {
    if storage::remove(&shared.pool, &name).await? { Ok(StatusCode::NO_CONTENT) } else { Err(none().into()) }
}

/// Puts a device into a group.
#[utoipa::path(put, path = "/api/v1/groups/{name}/devices/{id}", tag = "groups",
    params(("name" = String, Path, description = "The group.", example = "roof"), ("id" = String, Path, description = "The device.", example = "ESP32-3F2A9C01")), security(("admin" = [])),
    responses((status = 204, description = "It is in it, now or before."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such group, or no such device.")))]
pub(super) async fn add(State(shared): State<Shared>, Name(name): Name, Id(id): Id) -> Result<StatusCode, Failure> {
    if storage::add(&shared.pool, &name, id.as_str()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(if storage::find(&shared.pool, &name).await?.is_some() { no_device() } else { none() }.into())
}

/// Takes a device out of a group.
#[utoipa::path(delete, path = "/api/v1/groups/{name}/devices/{id}", tag = "groups",
    params(("name" = String, Path, description = "The group.", example = "roof"), ("id" = String, Path, description = "The device.", example = "ESP32-3F2A9C01")), security(("admin" = [])),
    responses((status = 204, description = "It is out."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "It was not in it.")))]
pub(super) async fn take(State(shared): State<Shared>, Name(name): Name, Id(id): Id) -> Result<StatusCode, Failure> {
    if storage::take(&shared.pool, &name, id.as_str()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("the device is not in this group").into())
}

fn none() -> Problem {
    Problem::not_found("there is no group of this name")
}
