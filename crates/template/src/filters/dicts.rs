//! Dictionaries: `combine`, `dict2items`, `items2dict`, `dictsort`, `extract`, `subelements`, …

use super::registry::{Filter, plain, tolerant};
use super::select::fold_case;
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, force, item, iterate, text};
use crate::value::{Key, Map, Name, compare, equal};
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("combine", plain(combine)),
    ("dict2items", plain(dict2items)),
    ("dictsort", plain(dictsort)),
    ("extract", plain(extract)),
    ("items", tolerant(items)),
    ("items2dict", plain(items2dict)),
    ("rekey_on_member", plain(rekey_on_member)),
    ("subelements", plain(subelements)),
];

fn combine(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let recursive = args.take("recursive").flag_or(false)?;
    let list_merge = args.take("list_merge").text_or("replace")?;
    if !args.named.is_empty() {
        return Err(Error::operation("'recursive' and 'list_merge' are the only valid keyword arguments"));
    }
    if !["replace", "keep", "append", "prepend", "append_rp", "prepend_rp"].contains(&list_merge.as_str()) {
        let message = "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', \
                       'append_rp' or 'prepend_rp'";
        return Err(Error::operation(message));
    }
    let mut maps = Vec::new();
    for term in &args.positional {
        match term {
            Value::List(items) | Value::Tuple(items) => {
                maps.extend(items.iter().filter(|item| !is_null(item)).cloned())
            }
            other if is_null(other) => {}
            other => maps.push(other.clone()),
        }
    }
    let mut merged: Option<Arc<Map>> = None;
    let single = maps.len() == 1;
    for map in maps {
        let map = match map.required()? {
            Value::Map(map) => {
                map.values().try_for_each(|value| value.check().map(drop))?;
                map
            }
            other if single => return Ok(other),
            other => {
                let found = other.type_name();
                return Err(Error::operation(format!(
                    "failed to combine variables, expected dicts but got a '{found}'"
                )));
            }
        };
        merged = Some(match merged {
            None => map,
            Some(low) => Arc::new(merge(&low, &map, recursive, &list_merge)?),
        });
    }
    Ok(merged.map_or_else(|| Value::map(Map::new()), Value::Map))
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::None) || matches!(value.as_str(), Some("None" | "null"))
}

/// ansible-core's `merge_hash`: what `high` has wins.
fn merge(low: &Map, high: &Map, recursive: bool, list_merge: &str) -> Result<Map, Error> {
    if low.is_empty() {
        return Ok(high.clone());
    }
    let mut merged = low.clone();
    for (key, value) in high {
        let combined = match (merged.get(key), value) {
            (Some(Value::Map(old)), Value::Map(new)) if recursive => {
                Value::map(merge(old, new, recursive, list_merge)?)
            }
            (Some(Value::List(old)), Value::List(new)) => merge_lists(old, new, list_merge)?,
            _ => value.clone(),
        };
        merged.insert(key.clone(), combined);
    }
    Ok(merged)
}

fn merge_lists(old: &Arc<Vec<Value>>, new: &Arc<Vec<Value>>, how: &str) -> Result<Value, Error> {
    let without = |items: &[Value], other: &[Value]| -> Result<Vec<Value>, Error> {
        let mut kept = Vec::new();
        for item in items {
            if !has(other, item)? {
                kept.push(item.clone());
            }
        }
        Ok(kept)
    };
    Ok(match how {
        "keep" => Value::List(old.clone()),
        "append" => Value::list(old.iter().chain(new.iter()).cloned().collect()),
        "prepend" => Value::list(new.iter().chain(old.iter()).cloned().collect()),
        "append_rp" => Value::list(without(old, new)?.into_iter().chain(new.iter().cloned()).collect()),
        "prepend_rp" => Value::list(new.iter().cloned().chain(without(old, new)?).collect()),
        _ => Value::List(new.clone()),
    })
}

pub(super) fn has(items: &[Value], wanted: &Value) -> Result<bool, Error> {
    for item in items {
        if equal(item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The dictionary that a filter needs.
pub(super) fn need_map(value: Value, filter: &str) -> Result<Arc<Map>, Error> {
    match force(value).required()? {
        Value::Map(map) => Ok(map),
        Value::Scope(view) => Ok(Arc::new(view.members())),
        other => Err(Error::operation(format!("{filter} requires a dictionary, got {} instead", other.type_name()))),
    }
}

fn dict2items(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, key_name, value_name] = args.bind(["mydict", "key_name", "value_name"])?;
    let map = need_map(value.need("mydict")?, "dict2items")?;
    map.values().try_for_each(|value| value.check().map(drop))?;
    let (key_name, value_name) = (Key::from(key_name.text_or("key")?), Key::from(value_name.text_or("value")?));
    let record = |(key, value): (&Key, &Value)| {
        Value::map(Map::from_iter([(key_name.clone(), key.value()), (value_name.clone(), value.clone())]))
    };
    Ok(Value::list(map.iter().map(record).collect()))
}

fn items2dict(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, key_name, value_name] = args.bind(["mylist", "key_name", "value_name"])?;
    let value = value.need("mylist")?;
    let Some(items) = value.as_sequence() else {
        return Err(Error::operation(format!("items2dict requires a list, got {} instead", value.type_name())));
    };
    let (key_name, value_name) = (key_name.text_or("key")?, value_name.text_or("value")?);
    let mut map = Map::with_capacity(items.len());
    for item in items {
        let Value::Map(entry) = item.check()? else {
            return Err(Error::operation(format!(
                "items2dict requires a list of dictionaries, got {} instead",
                item.to_repr()
            )));
        };
        let (Some(key), Some(value)) = (entry.get(&Name(&key_name)), entry.get(&Name(&value_name))) else {
            return Err(Error::operation(format!(
                "items2dict requires each dictionary in the list to contain the keys '{key_name}' and '{value_name}'"
            )));
        };
        map.insert(Key::new(key)?, value.clone());
    }
    Ok(Value::map(map))
}

/// Jinja's `items`: pairs, nothing for what is undefined.
fn items(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["value"])?;
    let value = value.unwrap_or_default();
    if value.is_undefined() {
        return Ok(Value::list(Vec::new()));
    }
    match force(value).required()? {
        Value::Map(map) => {
            Ok(Value::list(map.iter().map(|(key, value)| Value::tuple(vec![key.value(), value.clone()])).collect()))
        }
        _ => Err(Error::operation("Can only get item pairs from a mapping.")),
    }
}

fn dictsort(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, case_sensitive, by, reverse] = args.bind(["value", "case_sensitive", "by", "reverse"])?;
    let map = need_map(value.need("value")?, "dictsort")?;
    let case_sensitive = case_sensitive.flag_or(false)?;
    let by_key = match by.text_or("key")?.as_str() {
        "key" => true,
        "value" => false,
        _ => return Err(Error::operation("You can only sort by either \"key\" or \"value\"")),
    };
    let mut entries: Vec<(Value, Value)> = map.iter().map(|(key, value)| (key.value(), value.clone())).collect();
    let mut failure = None;
    let sort_key = |entry: &(Value, Value)| {
        let part = if by_key { &entry.0 } else { &entry.1 };
        if case_sensitive { part.clone() } else { fold_case(part) }
    };
    entries.sort_by(|a, b| {
        compare(&sort_key(a), &sort_key(b), "<").unwrap_or_else(|error| {
            failure.get_or_insert(error);
            Ordering::Equal
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    if reverse.flag_or(false)? {
        entries.reverse();
    }
    Ok(Value::list(entries.into_iter().map(|(key, value)| Value::tuple(vec![key, value])).collect()))
}

fn extract(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [key, container, more] = args.bind(["item", "container", "morekeys"])?;
    let mut value = item(&container.need("container")?, &key.need("item")?).unwrap_or_else(Value::marker);
    let more = match more.given() {
        None => Vec::new(),
        Some(Value::List(keys)) => keys.to_vec(),
        Some(key) => vec![key],
    };
    for key in more {
        value = item(&value, &key).unwrap_or_else(Value::marker);
    }
    Ok(force(value))
}

fn rekey_on_member(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [data, key, duplicates] = args.bind(["data", "key", "duplicates"])?;
    let key = key.need("key")?;
    let duplicates = duplicates.text_or("error")?;
    if !["error", "overwrite"].contains(&duplicates.as_str()) {
        return Err(Error::operation(format!(
            "duplicates parameter to rekey_on_member has unknown value '{duplicates}'"
        )));
    }
    let records = match data.need("data")? {
        Value::Map(map) => map.values().cloned().collect(),
        value @ (Value::List(_) | Value::Tuple(_)) => iterate(&value)?,
        _ => return Err(Error::operation("Type is not a valid list, set, or dict")),
    };
    let mut rekeyed = Map::new();
    for record in records {
        let Value::Map(map) = &record else { return Err(Error::operation("List item is not a valid dict")) };
        let Some(member) = map.get(&Key::new(&key)?) else {
            return Err(Error::operation(format!("Key {} was not found.", key.to_repr())));
        };
        let member = Key::new(member)?;
        if rekeyed.contains_key(&member) && duplicates == "error" {
            return Err(Error::operation(format!(
                "Key {} is not unique, cannot convert to dict.",
                member.value().to_repr()
            )));
        }
        rekeyed.insert(member, record);
    }
    Ok(Value::map(rekeyed))
}

fn subelements(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [object, path, skip_missing] = args.bind(["obj", "subelements", "skip_missing"])?;
    let elements = match object.need("obj")? {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) => items.to_vec(),
        _ => return Err(Error::operation("obj must be a list of dicts or a nested dict")),
    };
    let path = match path.need("subelements")? {
        Value::Str(path) => path.split('.').map(str::to_owned).collect(),
        Value::List(keys) => keys.iter().map(text).collect::<Result<Vec<_>, _>>()?,
        _ => return Err(Error::operation("subelements must be a list or a string")),
    };
    let skip_missing = skip_missing.flag_or(false)?;
    let mut results = Vec::new();
    for element in elements {
        let mut found = element.clone();
        for key in &path {
            let Value::Map(map) = found.check()? else {
                let repr = found.to_repr();
                return Err(Error::operation(format!("the key {key} should point to a dictionary, got '{repr}'")));
            };
            found = match map.get(&Name(key)) {
                Some(value) => value.clone(),
                None if skip_missing => {
                    found = Value::list(Vec::new());
                    break;
                }
                None => {
                    let repr = found.to_repr();
                    return Err(Error::operation(format!("could not find '{key}' key in iterated item {repr}")));
                }
            };
        }
        let Value::List(items) = found.check()? else {
            let (key, repr) = (path.last().cloned().unwrap_or_default(), found.to_repr());
            return Err(Error::operation(format!("the key '{key}' should point to a list, got {repr}")));
        };
        results.extend(items.iter().map(|item| Value::tuple(vec![element.clone(), item.clone()])));
    }
    Ok(Value::list(results))
}
