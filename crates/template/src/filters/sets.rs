//! `unique` and the operations on sets. Python's sets have no order; here the order of the input stays.

use super::dicts::has;
use super::registry::{Filter, plain};
use super::select::{fold_case, member};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, iterate};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("difference", plain(|_, args| two(args, |a, b| keep(a, b, false)))),
    ("intersect", plain(|_, args| two(args, |a, b| keep(a, b, true)))),
    ("symmetric_difference", plain(|_, args| two(args, symmetric_difference))),
    ("union", plain(|_, args| two(args, |a, b| distinct(&[a, b].concat())))),
    ("unique", plain(unique)),
];

fn two(args: Args, with: impl FnOnce(&[Value], &[Value]) -> Result<Vec<Value>, Error>) -> Result<Value, Error> {
    let [a, b] = args.bind(["a", "b"])?;
    with(&iterate(&a.need("a")?)?, &iterate(&b.need("b")?)?).map(Value::list)
}

fn distinct(items: &[Value]) -> Result<Vec<Value>, Error> {
    let mut seen = Vec::new();
    for item in items {
        if !has(&seen, item)? {
            seen.push(item.clone());
        }
    }
    Ok(seen)
}

fn keep(a: &[Value], b: &[Value], wanted: bool) -> Result<Vec<Value>, Error> {
    let mut kept = Vec::new();
    for item in a {
        if has(b, item)? == wanted && !has(&kept, item)? {
            kept.push(item.clone());
        }
    }
    Ok(kept)
}

fn symmetric_difference(a: &[Value], b: &[Value]) -> Result<Vec<Value>, Error> {
    let mut kept = keep(a, b, false)?;
    kept.extend(keep(b, a, false)?);
    Ok(kept)
}

/// Ansible hands Jinja `case_sensitive=False` when nobody gave it (ansible-core 2.19, `filter/mathstuff.py`); where Jinja's
/// filter can't hash the items, all are compared as they are.
fn unique(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [items, case_sensitive, attribute] = args.bind(["a", "case_sensitive", "attribute"])?;
    let case_sensitive = case_sensitive.flag_or(false)?;
    let items = iterate(&items.need("a")?)?;
    let attribute = attribute.given();
    let mut keys = Vec::with_capacity(items.len());
    let mut hashable = true;
    for item in &items {
        let key = match &attribute {
            Some(path) => member(item, path)?.required()?,
            None => item.clone(),
        };
        hashable &= crate::value::Key::new(&key).is_ok();
        keys.push(key);
    }
    let fold = hashable && !case_sensitive;
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for (item, key) in items.into_iter().zip(keys) {
        let key = if fold { fold_case(&key) } else { key };
        if !has(&seen, &key)? {
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}
