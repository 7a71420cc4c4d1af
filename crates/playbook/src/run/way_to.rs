//! The way to a host as a play would take it, for whoever has something to do there beside playbooks.

use super::connection::Way;
use super::variables::Scope;
use super::{Options, Run};
use crate::Error;
use crate::load::{Keywords, Level, LevelKind};
use camino::Utf8Path;
use diagnostic::Mistake;
use indexmap::IndexMap;
use inventory::Inventory;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How a play without keywords of its own reaches a host of the inventory, and whom it becomes there: by the host's
/// variables, else by the options.
///
/// # Errors
/// A connection variable can't be rendered or makes no sense.
pub async fn way_to(inventory: &Arc<Inventory>, host: &str, options: &Options) -> Result<Way, Error> {
    let run = Run::new(inventory, options, Utf8Path::new("."), &|_| {}, CancellationToken::new());
    let host = run.world.host(host);
    let templates = run.templates(&run.engine, Scope::of_world(&run.world));
    let level = Level {
        kind: LevelKind::Play,
        parent: None,
        keywords: Keywords::default(),
        vars: IndexMap::new(),
        values: serde_json::Map::new(),
    };
    let way = Way::find(&templates, &level, Some(&host)).await;
    way.map_err(|fault| {
        let message = || fault.result.get("msg").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        templates.veil.mistake(&fault.mistake.clone().unwrap_or_else(|| Mistake::new(message()))).into()
    })
}
