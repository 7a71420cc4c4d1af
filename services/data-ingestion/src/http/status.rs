//! What is stored, and what waits.

use super::{Http, auth};
use crate::stream::Receipt;
use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde::Serialize;
use service::Problem;
use utoipa::ToSchema;

/// What waits for InfluxDB.
#[derive(Debug, Serialize, ToSchema)]
pub struct Queue {
    /// Entries of the stream; each has one reading or many.
    pub queue_size: u64,
    /// Their bytes.
    pub queue_bytes: u64,
    /// Most bytes; then nothing more is acknowledged.
    pub queue_bytes_limit: u64,
    /// Dead letters.
    pub dlq_size: u64,
}

/// How full the stream is.
#[utoipa::path(get, path = "/api/v1/queue/status", tag = "operation", responses((status = 200, body = Queue)))]
pub async fn queue(State(http): State<Http>) -> Result<Json<Queue>, Problem> {
    let stream = &http.intake.stream;
    let level = stream.level().await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(Json(Queue {
        queue_size: level.entries,
        queue_bytes: level.bytes,
        queue_bytes_limit: stream.settings().bytes.0,
        dlq_size: level.dead_letters,
    }))
}

/// The receipts of the device that asks, the newest boot first.
#[utoipa::path(get, path = "/api/v1/receipts", tag = "readings",
    params(("X-Device-Id" = Option<String>, Header, description = "The device, with a Bearer key.")),
    security(("device" = []), ("device_key" = [])),
    responses((status = 200, body = Vec<Receipt>), (status = 401, description = "No device's id and key.")))]
pub async fn receipts(State(http): State<Http>, headers: HeaderMap) -> Result<Json<Vec<Receipt>>, Problem> {
    let (id, _) = auth::device(&http, &headers).await?;
    let receipts = http.intake.stream.receipts(&id).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(Json(receipts))
}
