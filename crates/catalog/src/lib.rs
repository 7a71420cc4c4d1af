//! The catalogue: what every service is, as its `service.yml` says, where its playbook and chart lie, and in which order
//! services are deployed. Nothing here knows a service by name: a folder under `build/playbooks` makes one.

mod catalog;
mod chart;
mod error;
pub mod lint;
mod name;
mod order;
mod schema;
mod service;
mod tree;
mod validate;
mod values_schema;

pub use catalog::Catalog;
pub use chart::Chart;
pub use error::Error;
pub use name::{InvalidName, ServiceName};
pub use schema::{schema, schema_text};
pub use service::{Architecture, Exception, Execution, Phase, Probe, Service};
pub use values_schema::{DEFINITIONS, ValuesSchemaError, values_schema};
