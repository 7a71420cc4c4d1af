//! Bulk import: CSV or JSON lines in, one JSON line out for each line, with the keys of what was registered.

use super::answer::{Failure, NO_STORE};
use super::body::Parameters;
use super::devices::{RESERVED, new_key, no_randomness};
use crate::Shared;
use crate::import::{Format, Reader, Trouble};
use crate::model::Told;
use crate::storage::import::{Fate, Import, Keyed, Tally};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use service::{Detail, KeySource, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

/// Where imports go; the only route that may take long.
pub(crate) const ROUTE: &str = "/api/v1/devices/import";

/// Lines in a statement.
const CHUNK: usize = 500;

/// Whoever sends nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// Failures that a refused import names.
const NAMED: i64 = 100;

/// How an import goes about mistakes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// One mistake, and nothing is registered.
    #[default]
    AllOrNothing,
    /// What can be registered is.
    PerLine,
}

/// How to import.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportParameters {
    /// `all-or-nothing` (the default) or `per-line`.
    #[param(inline)]
    mode: Option<Mode>,
}

/// A line of the answer; the last one is `{"created": …, "failed": …}`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineReport {
    /// The line of the file, from 1; the header of a CSV file is line 1.
    line: i64,
    /// The device, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// `created` or `failed`.
    #[schema(pattern = "^(created|failed)$")]
    status: &'static str,
    /// The device's key; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    key: Option<Told>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Registers many devices. CSV (`text/csv`) has a header with the columns `id`, `type`, `name`, `description`, `location`, `room`,
/// `zone`, `latitude`, `longitude`, `firmware`, `groups` (`a;b`), `tags` (`key=value;…`) and `tag.<key>`; JSON lines
/// (`application/x-ndjson`) are devices as in registering one.
#[utoipa::path(post, path = "/api/v1/devices/import", tag = "devices", params(ImportParameters), security(("admin" = [])),
    request_body(content((String = "text/csv", example = "id,type,name\ndev-1,ESP32-S3,Hall\n"), (String = "application/x-ndjson"))),
    responses(
        (status = 200, body = LineReport, content_type = "application/x-ndjson", description = "A line for each line, and one with the sums."),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "It cannot be read at all."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "Nothing was sent for half a minute."),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Too many lines."),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "All or nothing, and a line is wrong: nothing was registered.")))]
pub(super) async fn import(
    State(shared): State<Shared>,
    Parameters(parameters): Parameters<ImportParameters>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let format = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).and_then(Format::of);
    let format = format.ok_or_else(|| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail("send `text/csv` or `application/x-ndjson`")
    })?;
    let whole = parameters.mode.unwrap_or_default() == Mode::AllOrNothing;
    let source = KeySource::new(&mut rand::rng());
    let Ok(permit) = Arc::clone(&shared.imports).try_acquire_owned() else {
        return Err(Problem::unavailable("other imports are running").into());
    };
    let mut import = Import::begin(&shared.pool, whole).await?;
    let mut reader = Reader::new(format, shared.import_lines);
    let mut stream = body.into_data_stream();
    loop {
        let piece = match tokio::time::timeout(SILENCE, stream.next()).await {
            Ok(piece) => piece,
            Err(_) => {
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT).detail("nothing was sent for 30 seconds").into());
            }
        };
        let last = piece.is_none();
        match piece {
            Some(Ok(bytes)) => reader.push(&bytes).map_err(refused)?,
            Some(Err(error)) => return Err(Problem::bad_request(format!("the body broke off: {error}")).into()),
            None => reader.finish().map_err(refused)?,
        }
        while reader.ready() >= CHUNK || (last && reader.ready() > 0) {
            store(&shared, &source, &mut import, &mut reader).await?;
        }
        if last {
            break;
        }
    }
    let tally = import.tally().await?;
    if whole && tally.failed > 0 {
        return Err(failed(&import.failures(NAMED).await?, tally).into());
    }
    if whole {
        import.keep().await?;
    }
    shared.changed.notify_one();
    Ok(report(import, source, tally, permit))
}

async fn store(shared: &Shared, source: &KeySource, import: &mut Import, reader: &mut Reader) -> Result<(), Failure> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (number, line) in reader.take(CHUNK) {
        match line {
            Ok(line) if shared.is_reserved(&line.id) => {
                bad.push((number, Some(line.id.to_string()), format!("`id` {RESERVED}")));
            }
            Ok(line) => {
                let (key, _) = new_key(shared, source, line.id.as_str()).ok_or_else(no_randomness)?;
                good.push(Keyed { number, line, credential: key.id, hash: key.hash, sealed: key.sealed });
            }
            Err(problem) => bad.push((number, None, problem)),
        }
    }
    import.add(&good).await?;
    import.reject(&bad).await?;
    Ok(())
}

fn refused(trouble: Trouble) -> Problem {
    match trouble {
        Trouble::Header(words) => Problem::bad_request(format!("line 1: {words}")),
        Trouble::Long { line, most } => Problem::bad_request(format!("line {line} has more than {most} bytes")),
        Trouble::Open { line } => Problem::bad_request(format!(
            "line {line} opens a quotation mark that nothing closes: is it the whole file?"
        )),
        Trouble::Many(most) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!("more than {most} lines: send it in parts"))
        }
        Trouble::Empty => Problem::bad_request("there is no line"),
    }
}

fn failed(failures: &[Fate], tally: Tally) -> Problem {
    let words = |fate: &Fate| Detail {
        pointer: format!("line {}", fate.number),
        detail: fate.problem.clone().unwrap_or_default(),
    };
    let named = failures.len();
    let mut problem = Problem::invalid(failures.iter().map(words).collect());
    problem.detail = Some(match tally.failed {
        1 => "a line is wrong, nothing was registered".to_owned(),
        failed if failed > NAMED => {
            format!("{failed} lines are wrong (here the first {named}), nothing was registered")
        }
        failed => format!("{failed} lines are wrong, nothing was registered"),
    });
    problem
}

/// The keys are made again from their source, line by line, as the caller reads.
fn report(import: Import, source: KeySource, tally: Tally, permit: OwnedSemaphorePermit) -> Response {
    let told = Arc::new(AtomicI64::new(0));
    let count = Arc::clone(&told);
    let lines = import.fates().map(move |fate| {
        count.fetch_add(1, Ordering::Relaxed);
        let Fate { number: line, device: id, problem } = fate?;
        let status = if problem.is_none() { "created" } else { "failed" };
        let key = id.as_deref().filter(|_| problem.is_none()).map(|id| source.key(id).into());
        json_line(&LineReport { line, id, status, key, problem })
    });
    let sums = serde_json::json!({ "created": tally.created, "failed": tally.failed });
    let end = futures::stream::once(async move {
        drop(permit);
        // The last line means that there were all others.
        match told.load(Ordering::Relaxed) == tally.created + tally.failed {
            true => json_line(&sums),
            false => Err(sqlx::Error::WorkerCrashed),
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, NO_STORE, Body::from_stream(lines.chain(end))).into_response()
}

fn json_line(value: &impl Serialize) -> Result<Bytes, sqlx::Error> {
    let mut text = serde_json::to_vec(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    text.push(b'\n');
    Ok(text.into())
}
