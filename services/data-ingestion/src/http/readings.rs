//! Readings over HTTP: one, many, or line protocol. The answer comes when they are in the stream, on the disk.

use super::answers::{Batch, Outcome, Taken};
use super::{Http, auth, body};
use crate::intake::{Format, Judged};
use crate::payload::Refusal;
use crate::reading::Block;
use crate::stream::{Append, Receipt};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use service::{Detail, Problem};

/// Takes one reading.
///
/// `seq` is the number of this one message, from 1 for each `boot` of the device; with it comes a receipt. `kept_from`
/// is the lowest number of this boot that the device still keeps.
///
/// The body may call itself `application/json`, `…+json`, `text/plain`, `application/x-www-form-urlencoded` (curl's `-d`) or
/// nothing, in UTF-8, and be packed with `gzip`.
#[utoipa::path(post, path = "/api/v1/sensor-data", tag = "readings", request_body(content = Object, content_type = "application/json",
        example = json!({"timestamp": "2026-01-01T00:00:00Z", "seq": 1, "boot": "b1", "kept_from": 1, "sensors": {"pir": {"motion_detected": true}}})),
    params(("X-Device-Id" = Option<String>, Header, description = "The device, with a Bearer key.")),
    security(("device" = []), ("device_key" = [])),
    responses((status = 202, body = Taken), (status = 401, description = "No device's id and key."), (status = 422, description = "Refused."),
        (status = 503, description = "The stream is full or Redis is away: try again after `Retry-After`.")))]
pub async fn single(
    State(http): State<Http>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let (id, mut judged, receipt) = take(&http, &headers, body, Format::Json, true).await?;
    match judged.remove(0).verdict {
        Ok(timestamp) => {
            Ok((StatusCode::ACCEPTED, Json(Taken { message: "accepted", device_id: id, timestamp, receipt })))
        }
        Err(refusal) => Err(refused(refusal)),
    }
}

/// Takes an array of readings; each is judged by itself.
///
/// The body may call itself `application/json`, `…+json`, `text/plain`, `application/x-www-form-urlencoded` (curl's `-d`) or
/// nothing, in UTF-8, and be packed with `gzip`.
#[utoipa::path(post, path = "/api/v1/sensor-data/batch", tag = "readings", request_body(content = Vec<serde_json::Value>, content_type = "application/json",
        example = json!([{"timestamp": "2026-01-01T00:00:01Z", "sensors": {"mq134": {"gas_concentration": 3, "unit": "ppm"}}}, {}])),
    params(("X-Device-Id" = Option<String>, Header, description = "The device, with a Bearer key.")),
    security(("device" = []), ("device_key" = [])),
    responses((status = 202, body = Batch), (status = 401, description = "No device's id and key."), (status = 422, description = "Refused."),
        (status = 503, description = "The stream is full or Redis is away: try again after `Retry-After`.")))]
pub async fn batch(
    State(http): State<Http>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Batch>), Problem> {
    answer(take(&http, &headers, body, Format::Array, false).await?)
}

/// Takes InfluxDB line protocol; each line is judged by itself.
///
/// Each result says which `line` it is of; empty lines and comments have none. Its `pointer` is into the reading as it would stand in
/// JSON: `/timestamp`, `/seq`, `/sensors/<measurement>/<field>`. The body may call itself `text/plain`, `application/octet-stream`,
/// `application/x-www-form-urlencoded` (curl's `--data-binary`) or nothing, in UTF-8, and be packed with `gzip`.
#[utoipa::path(post, path = "/api/v1/sensor-data/lines", tag = "readings", request_body(content = String, content_type = "text/plain",
        example = "pir motion_detected=true 1767225602"),
    params(("X-Device-Id" = Option<String>, Header, description = "The device, with a Bearer key.")),
    security(("device" = []), ("device_key" = [])),
    responses((status = 202, body = Batch), (status = 401, description = "No device's id and key."), (status = 422, description = "Refused."),
        (status = 503, description = "The stream is full or Redis is away: try again after `Retry-After`.")))]
pub async fn lines(
    State(http): State<Http>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Batch>), Problem> {
    answer(take(&http, &headers, body, Format::Lines, false).await?)
}

fn answer(
    (device_id, judged, receipt): (String, Vec<Judged>, Option<Receipt>),
) -> Result<(StatusCode, Json<Batch>), Problem> {
    let results: Vec<Outcome> = judged.into_iter().map(Outcome::from).collect();
    let accepted = results.iter().filter(|outcome| outcome.reason.is_none()).count();
    let refused = results.len() - accepted;
    Ok((StatusCode::ACCEPTED, Json(Batch { device_id, accepted, refused, results, receipt })))
}

async fn take(
    http: &Http,
    headers: &HeaderMap,
    body: Body,
    format: Format<'_>,
    single: bool,
) -> Result<(String, Vec<Judged>, Option<Receipt>), Problem> {
    let (id, device) = auth::device(http, headers).await?;
    // Only then: a stranger's body takes no memory.
    let payload = body::payload(headers, body, format, http.intake.bounds.payload_bytes).await?;
    metrics::counter!("ingestion_messages_total", "transport" => "http").increment(1);
    let mut block = Block::default();
    let judged = http.intake.judge(&id, &device, &payload, format, &mut block);
    if judged.as_ref().is_ok_and(|judged| single && judged.len() != 1) {
        return Err(Problem::bad_request("one reading is taken here; send arrays to `/api/v1/sensor-data/batch`"));
    }
    // Also when all of it is refused: its number is settled.
    store(http, &block).await?;
    let judged = judged.map_err(|refusal| {
        crate::intake::count(&refusal);
        refused(refusal)
    })?;
    let boot = judged.iter().rev().find_map(|judged| judged.number.as_ref().map(|(boot, _)| boot.clone()));
    let receipt = match boot {
        Some(boot) => http.intake.stream.receipt(&id, &boot).await.ok(),
        None => None,
    };
    Ok((id, judged, receipt))
}

/// Adds a block to the stream, or says that the device must wait.
pub async fn store(http: &Http, block: &Block) -> Result<(), Problem> {
    match http.intake.append(block, &[]).await {
        Ok(Append::Stored) => Ok(()),
        Ok(Append::Full) => Err(busy("the stream is full")),
        Err(error) => {
            tracing::warn!(%error, "a reading could not be stored");
            Err(busy("the stream is away"))
        }
    }
}

fn busy(detail: &str) -> Problem {
    metrics::counter!("ingestion_waits_total").increment(1);
    let mut problem = Problem::unavailable(detail);
    problem.retry_after_seconds = Some(5);
    problem
}

/// A refusal as an answer; the kind names the reason.
pub fn refused(refusal: Refusal) -> Problem {
    let word = refusal.reason.word();
    let detail = match refusal.line {
        Some(line) => format!("line {line}: {}", refusal.text),
        None => refusal.text,
    };
    let details = vec![Detail { pointer: refusal.pointer, detail }];
    Problem::invalid(details).kind(word, word.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Bounds, lines};

    #[test]
    fn a_refused_line_is_named() {
        let refusal = lines(b"# a\npir x=y", &Bounds::default()).unwrap().remove(0).unwrap_err();
        let Detail { pointer, detail } = refused(refusal).errors.remove(0);
        assert_eq!(pointer, "/sensors/pir/x");
        assert!(detail.starts_with("line 2: not line protocol: "), "{detail}");
    }
}
