//! Dead letters for the operator: list, remove, try again.

use super::{Http, auth, readings};
use crate::intake::Format;
use crate::reading::Block;
use crate::stream::Kept;
use axum::Json;
use axum::extract::{Path, Query, State};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use service::Problem;
use utoipa::{IntoParams, ToSchema};

/// Which letters.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Page {
    /// Only those after this one.
    #[param(pattern = "^[0-9]{1,15}-[0-9]{1,9}$")]
    after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// A page of letters.
#[derive(Debug, Serialize, ToSchema)]
pub struct Letters {
    /// The oldest first.
    pub items: Vec<Kept>,
    /// Give it as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What became of a letter that was tried again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// The letter.
    pub id: String,
    /// How many readings are in the stream now.
    pub accepted: usize,
}

/// Lists dead letters.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "dead letters", params(Page), security(("admin" = [])),
    responses((status = 200, body = Letters), (status = 400, description = "A parameter is wrong."), (status = 401, description = "No admin token.")))]
pub async fn list(
    State(http): State<Http>,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Result<Json<Letters>, Problem> {
    auth::admin(&http, &headers)?;
    let limit = page.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Problem::bad_request("`limit` is 1 to 500"));
    }
    if let Some(after) = &page.after {
        check(after)?;
    }
    let items = http.intake.stream.dead_letters(page.after.as_deref(), limit).await.map_err(away)?;
    let next = items.last().filter(|_| items.len() == limit).map(|last| last.id.clone());
    Ok(Json(Letters { items, next }))
}

/// Removes a dead letter.
#[utoipa::path(delete, path = "/api/v1/dead-letters/{id}", tag = "dead letters", 
    params(("id" = String, Path, description = "Its id.", pattern = "^[0-9]{1,15}-[0-9]{1,9}$")), security(("admin" = [])),
    responses((status = 400, description = "That is no id."), (status = 204, description = "Removed."), (status = 401, description = "No admin token."), (status = 404, description = "None.")))]
pub async fn remove(
    State(http): State<Http>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    auth::admin(&http, &headers)?;
    check(&id)?;
    match http.intake.stream.forget_dead_letter(&id).await.map_err(away)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("no such dead letter")),
    }
}

/// Tries a dead letter again, after its device or its type was corrected. It is removed when it is in the stream.
#[utoipa::path(post, path = "/api/v1/dead-letters/{id}/replay", tag = "dead letters", 
    params(("id" = String, Path, description = "Its id.", pattern = "^[0-9]{1,15}-[0-9]{1,9}$")), security(("admin" = [])),
    responses((status = 400, description = "That is no id."), (status = 202, body = Replayed), (status = 401, description = "No admin token."), (status = 404, description = "None."),
        (status = 409, description = "It cannot be tried again."), (status = 422, description = "It is still wrong.")))]
pub async fn replay(
    State(http): State<Http>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    auth::admin(&http, &headers)?;
    check(&id)?;
    let kept = http.intake.stream.dead_letter(&id).await.map_err(away)?;
    let Some(kept) = kept else { return Err(Problem::not_found("no such dead letter")) };
    let letter = &kept.letter;
    let Some(device_id) = letter.device.as_deref().filter(|_| letter.whole) else {
        return Err(Problem::conflict("only a part of it is kept, or nobody knows whose it is"));
    };
    let device = http.intake.device(device_id).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    let device = device.map_err(readings::refused)?;
    let last = letter.source.rsplit('/').next().unwrap_or_default();
    let format = if letter.source == "influxdb" { Format::Stored } else { Format::of_topic(last) };
    let mut block = Block::default();
    let accepted = http.intake.replay(device_id, &device, letter, format, &mut block).map_err(readings::refused)?;
    readings::store(&http, &block).await?;
    http.intake.stream.forget_dead_letter(&id).await.map_err(away)?;
    metrics::counter!("ingestion_dead_letters_replayed_total").increment(1);
    Ok((StatusCode::ACCEPTED, Json(Replayed { id, accepted })))
}

/// An id of a stream's entry: milliseconds and a number.
fn check(id: &str) -> Result<(), Problem> {
    let digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match id.split_once('-') {
        Some((time, number)) if digits(time, 15) && digits(number, 9) => Ok(()),
        _ => Err(Problem::bad_request("that is no id of a dead letter")),
    }
}

fn away(error: crate::stream::Error) -> Problem {
    Problem::unavailable(error.to_string())
}
