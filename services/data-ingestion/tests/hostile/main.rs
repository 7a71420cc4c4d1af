//! What the service does with callers that mean harm, or are broken: with real servers, over every way in.
#![expect(clippy::disallowed_methods, reason = "starts the service and the servers that it is tested with")]

mod broker;
mod connections;
mod frames;
mod numbers;
mod payloads;
mod running;
mod slow;
