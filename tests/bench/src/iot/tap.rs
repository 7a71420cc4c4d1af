//! Stands before InfluxDB and notes when it has taken each point: from then on a query sees it. All peers write through it.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

/// The tap. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Tap {
    port: u16,
    state: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    influx: String,
    client: Client,
    closed: AtomicBool,
    seen: Mutex<Seen>,
}

/// What went through.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Per point: from its own time to when InfluxDB had it.
    pub delays: Vec<Duration>,
    /// In how many writes.
    pub writes: usize,
}

impl Tap {
    /// Opens one before this InfluxDB.
    ///
    /// # Errors
    /// No port is free.
    pub async fn open(influx: String) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let seen = Mutex::default();
        let state = Arc::new(Shared { influx, client: Client::new(), closed: AtomicBool::new(false), seen });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { port, state })
    }

    /// What peers take for InfluxDB.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// While it is closed, InfluxDB seems to be overloaded.
    pub fn close(&self, closed: bool) {
        self.state.closed.store(closed, Ordering::Relaxed);
    }

    /// How many points went through since they were last taken.
    pub fn points(&self) -> usize {
        self.state.seen.lock().unwrap_or_else(PoisonError::into_inner).delays.len()
    }

    /// Takes what was noted.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut self.state.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn pass(State(state): State<Arc<Shared>>, request: Request) -> Response {
    if state.closed.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match forward(&state, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn forward(state: &Shared, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await?;
    let address = format!("{}{}", state.influx, head.uri);
    let answer = state.client.request(head.method, address).body(body.clone()).send().await?;
    let status = answer.status();
    if head.uri.path() == "/write" && status.is_success() {
        note(state, &body);
    }
    Ok((status, answer.bytes().await?).into_response())
}

fn note(state: &Shared, body: &Bytes) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let times = text.lines().filter_map(|line| line.rsplit(' ').next()?.parse().ok());
    let mut seen = state.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.delays.extend(times.map(|time| now.saturating_sub(Duration::from_nanos(time))));
    seen.writes += 1;
}
