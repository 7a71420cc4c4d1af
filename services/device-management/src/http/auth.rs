//! Only administrators get in.

use crate::Shared;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) async fn admins_only(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match shared.admins.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
