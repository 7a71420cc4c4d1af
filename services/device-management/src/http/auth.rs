//! Only administrators get in.

use crate::Shared;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header;
use service::Problem;

pub(super) async fn admins_only(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The scheme's case does not matter (RFC 9110 section 11.1).
    let token =
        header.and_then(|header| header.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) if shared.admins.matches(token.trim()) => next.run(request).await,
        Some(_) => {
            metrics::counter!("admin_refused_total").increment(1);
            tracing::warn!("a wrong administrator's token was presented");
            Problem::unauthorized("the bearer token is none of an administrator's").into_response()
        }
        None => Problem::unauthorized("send `Authorization: Bearer <administrator's token>`").into_response(),
    }
}
