//! A service's routes, and those that all services have, as one router with one OpenAPI document.

use super::Limits;
use super::around::{Around, UNLIMITED, around};
use crate::context::Context;
use crate::metrics as recorder;
use crate::problem::{PROBLEM_JSON, Problem};
use crate::readiness::Report;
use crate::run::About;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware, routing};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What a service offers over HTTP.
#[derive(Default)]
pub struct App {
    routes: OpenApiRouter,
    untimed: Vec<&'static str>,
}

impl App {
    /// Routes with their documentation; state is already in them.
    pub fn new(routes: OpenApiRouter) -> Self {
        Self { routes, untimed: Vec::new() }
    }

    /// This route (as declared, `/import/{kind}`) may take longer than `HTTP_TIMEOUT`: it streams.
    pub fn untimed(mut self, route: &'static str) -> Self {
        self.untimed.push(route);
        self
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

/// Adds `/health`, `/ready`, `/metrics`, `/openapi.json`, limits, traces and the shape of errors.
pub fn assemble(app: App, about: &About, context: &Context, limits: &Limits) -> Router {
    recorder::recorder();
    let untimed = app.untimed.clone();
    let (router, document) = whole(app, about, context);
    let text = document.to_json().unwrap_or_default();
    let router = router.route(
        "/openapi.json",
        routing::get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }),
    );
    metrics::gauge!("build_info", "service" => about.name, "version" => about.version).set(1.0);
    router
        .fallback(|| async { Problem::not_found("there is nothing at this path") })
        .method_not_allowed_fallback(|| async { StatusCode::METHOD_NOT_ALLOWED })
        .layer(DefaultBodyLimit::max(limits.body.as_usize()))
        .layer(middleware::from_fn_with_state(Around::new(limits, untimed), around))
}

/// The OpenAPI document that `/openapi.json` answers with, for people to read.
pub fn document(app: App, about: &About) -> String {
    let (_, document) = whole(app, about, &Context::default());
    document.to_pretty_json().unwrap_or_default() + "\n"
}

fn whole(app: App, about: &About, context: &Context) -> (Router, OpenApi) {
    let shared = Shared { about: *about, context: context.clone() };
    let ours = OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(prometheus))
        .with_state(shared);
    let (router, mut document) = app.routes.merge(ours).split_for_parts();
    complete(&mut document, about);
    (router, document)
}

#[derive(Clone)]
struct Shared {
    about: About,
    context: Context,
}

/// That the process lives.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
    /// Which service.
    service: &'static str,
    /// Its version.
    version: &'static str,
}

/// Whether the process lives; asks nobody.
#[utoipa::path(get, path = "/health", tag = "operation", responses((status = 200, body = Health)))]
async fn health(State(shared): State<Shared>) -> Json<Health> {
    Json(Health { status: "ok", service: shared.about.name, version: shared.about.version })
}

/// Whether the service can work: asks its dependencies.
#[utoipa::path(get, path = "/ready", tag = "operation",
    responses((status = 200, body = Report), (status = 503, body = Report, description = "A dependency is away.")))]
async fn ready(State(shared): State<Shared>) -> (StatusCode, Json<Report>) {
    let report = shared.context.readiness.report().await;
    let status = if report.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, body = String, content_type = "text/plain")))]
async fn prometheus() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder::render()).into_response()
}

/// Title and version, the problem's schema, and on each operation what any request can be answered with.
fn complete(document: &mut OpenApi, about: &About) {
    document.info.title = about.name.to_owned();
    document.info.version = about.version.to_owned();
    document.info.description = Some(about.about.to_owned());
    let components = document.components.get_or_insert_with(Default::default);
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    for (name, schema) in schemas {
        components.schemas.entry(name).or_insert(schema);
    }
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            if !UNLIMITED.contains(&path.as_str()) {
                add_common(operation);
            }
            add_problems(operation);
        }
    }
}

/// What any request can be answered with, whatever it asks for.
fn add_common(operation: &mut Operation) {
    let always = [
        ("408", "It took too long."),
        ("503", "A server that it needs is away, or there are too many requests: try again after `Retry-After`."),
    ];
    let with_body = [
        ("400", "It cannot be read."),
        ("413", "The body is too long."),
        ("415", "The body is of another media type than those above, or of another encoding."),
    ];
    let with_body = with_body.into_iter().filter(|_| operation.request_body.is_some());
    for (status, words) in always.into_iter().chain(with_body).collect::<Vec<_>>() {
        let response = ResponseBuilder::new().description(words).build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

/// Every answer that is no success is a problem, so that handlers need not say it.
fn add_problems(operation: &mut Operation) {
    let other = ResponseBuilder::new().description("Refused: the body says why (RFC 9457).").build();
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(other));
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.content.is_empty()
            && (status.starts_with(['4', '5']) || status == "default")
        {
            let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
            response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
        }
    }
}
