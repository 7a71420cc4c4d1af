//! What happens around every request: its trace, limits, metrics, and the shape of its errors.

use super::{Limits, Seat};
use crate::problem::{self, Problem};
use crate::trace::TraceContext;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Whoever watches the service must get through also when it is full.
pub(super) const UNLIMITED: [&str; 3] = ["/health", "/ready", "/metrics"];

#[derive(Clone)]
pub(super) struct Around {
    permits: Arc<Semaphore>,
    timeout: Duration,
    untimed: Arc<[&'static str]>,
}

impl Around {
    pub(super) fn new(limits: &Limits, untimed: Vec<&'static str>) -> Self {
        Self { permits: Arc::new(Semaphore::new(limits.concurrency)), timeout: limits.timeout, untimed: untimed.into() }
    }
}

pub(super) async fn around(State(around): State<Around>, request: Request, next: Next) -> Response {
    let trace = trace_of(request.headers());
    trace.scope(observed(around, request, next)).await
}

fn trace_of(headers: &HeaderMap) -> TraceContext {
    let parent = headers.get("traceparent").and_then(|header| header.to_str().ok()).and_then(TraceContext::parse);
    parent.map(TraceContext::child).unwrap_or_default()
}

async fn observed(around: Around, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // A path that nobody offers is the caller's text: as a label it would be without bound.
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    metrics::gauge!("http_requests_in_flight").increment(1.0);
    let in_flight = InFlight;
    let mut response = problem::translate(limited(&around, &route, request, next).await).await;
    drop(in_flight);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (status, seconds) = (response.status(), begun.elapsed().as_secs_f64());
    let (method_of, route_of) = (method, route.clone());
    metrics::counter!("http_requests_total", "method" => method_of, "route" => route_of, "status" => status_label(status))
        .increment(1);
    if status.is_server_error() {
        tracing::warn!(method, route, status = status.as_u16(), seconds, "request");
    } else {
        tracing::debug!(method, route, status = status.as_u16(), seconds, "request");
    }
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route).record(seconds);
    response
}

/// Counted down also when the caller goes away and the request is dropped.
struct InFlight;

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!("http_requests_in_flight").decrement(1.0);
    }
}

async fn limited(around: &Around, route: &str, request: Request, next: Next) -> Response {
    let standing = request.extensions().get::<Seat>().is_some_and(|seat| seat.standing);
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    if UNLIMITED.contains(&route) {
        return work.await.unwrap_or_else(|panic| panicked(&*panic));
    }
    if standing {
        metrics::counter!("http_connections_refused_total").increment(1);
        return Problem::unavailable("too many connections").into_response();
    }
    let Ok(_permit) = around.permits.try_acquire() else {
        metrics::counter!("http_requests_refused_total").increment(1);
        return Problem::unavailable("too many requests at once").into_response();
    };
    if around.untimed.contains(&route) {
        return work.await.unwrap_or_else(|panic| panicked(&*panic));
    }
    match tokio::time::timeout(around.timeout, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => panicked(&*panic),
        Err(_) => timed_out(around.timeout),
    }
}

/// The connection is closed: what is left of a slow body would otherwise be read as the next request.
fn timed_out(limit: Duration) -> Response {
    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT).detail(format!("no answer within {limit:?}"));
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("without words"), "a request made the service panic");
    metrics::counter!("http_panics_total").increment(1);
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail("the cause is in the log of the service").into_response()
}

/// Methods are free text (RFC 9110 section 9.1): only the known ones become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_label(status: StatusCode) -> String {
    status.as_str().to_owned()
}
