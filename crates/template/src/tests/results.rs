//! How a task went: `result is changed`, `is failed`, … (ansible-core's `test/core.py`).

use super::registry::{Test, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound};
use crate::value::{Map, Name};
use std::sync::Arc;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("change", plain(|_, args| changed(args))),
    ("changed", plain(|_, args| changed(args))),
    ("failed", plain(|_, args| flag(args, "failed"))),
    ("failure", plain(|_, args| flag(args, "failed"))),
    ("finished", plain(|_, args| progress(args, "finished"))),
    ("reachable", plain(|_, args| flag(args, "unreachable").map(|flag| !flag))),
    ("skip", plain(|_, args| flag(args, "skipped"))),
    ("skipped", plain(|_, args| flag(args, "skipped"))),
    ("started", plain(|_, args| progress(args, "started"))),
    ("succeeded", plain(|_, args| flag(args, "failed").map(|flag| !flag))),
    ("success", plain(|_, args| flag(args, "failed").map(|flag| !flag))),
    ("successful", plain(|_, args| flag(args, "failed").map(|flag| !flag))),
    ("timedout", plain(|_, args| timed_out(args))),
    ("unreachable", plain(|_, args| flag(args, "unreachable"))),
];

fn result(args: Args, test: &str) -> Result<Arc<Map>, Error> {
    let [value] = args.bind(["result"])?;
    match value.need("result")? {
        Value::Map(map) => Ok(map),
        _ => Err(Error::operation(format!("The '{test}' test expects a dictionary"))),
    }
}

fn flag(args: Args, name: &str) -> Result<bool, Error> {
    result(args, name)?.get(&Name(name)).map_or(Ok(false), Value::truth)
}

fn progress(args: Args, name: &str) -> Result<bool, Error> {
    result(args, name)?.get(&Name(name)).map_or(Ok(true), Value::truth)
}

fn changed(args: Args) -> Result<bool, Error> {
    let result = result(args, "changed")?;
    if let Some(changed) = result.get(&Name("changed")) {
        return changed.truth();
    }
    let items = result.get(&Name("results")).and_then(Value::as_sequence).unwrap_or_default();
    for item in items {
        if let Some(changed) = item.as_map().and_then(|item| item.get(&Name("changed")))
            && changed.truth()?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn timed_out(args: Args) -> Result<bool, Error> {
    let result = result(args, "timedout")?;
    let period =
        result.get(&Name("timedout")).and_then(Value::as_map).and_then(|timed_out| timed_out.get(&Name("period")));
    period.map_or(Ok(false), Value::truth)
}
