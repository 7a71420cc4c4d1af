//! What all our services share: configuration from the environment, JSON logs with trace ids, metrics, health, readiness,
//! graceful shutdown, errors as problem details, request limits and OpenAPI. A service's `main.rs` calls [`run`] and is done.
//!
//! ```no_run
//! use service::config::{Configuration, Environment, Invalid};
//!
//! struct Config {
//!     greeting: String,
//! }
//!
//! impl Configuration for Config {
//!     fn read(environment: &mut Environment) -> Result<Self, Invalid> {
//!         let greeting = environment.variable("GREETING", "what to say").default("hello");
//!         Ok(Self { greeting: greeting? })
//!     }
//! }
//!
//! async fn start(config: Config, _context: service::Context) -> Result<service::App, std::io::Error> {
//!     let hello = axum::routing::get(|| async move { config.greeting });
//!     Ok(service::App::new(utoipa_axum::router::OpenApiRouter::new().route("/hello", hello)))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     service::run(service::about!("says hello", 8080), start)
//! }
//! ```

mod admin;
mod causes;
pub mod config;
mod context;
mod device;
mod http;
mod key;
mod logs;
mod metrics;
pub mod mqtt;
mod object;
#[cfg(feature = "postgres")]
pub mod postgres;
mod problem;
mod readiness;
mod retry;
mod run;
pub mod schema;
mod trace;

pub use admin::AdminTokens;
pub use causes::causes;
pub use context::{Context, Shutdown};
pub use device::{DeviceId, InvalidDeviceId, TopicPrefix, Topics};
pub use diagnostic::Secret;
pub use http::{App, Limits, Seat, Served, assemble, document, serve};
pub use key::{KeyHash, KeySource};
pub use object::{Object, object, unique, word};
pub use problem::{Detail, PROBLEM_JSON, Problem};
pub use readiness::{Dependency, Readiness, Report};
pub use retry::Retry;
pub use run::{About, run};
pub use trace::TraceContext;
