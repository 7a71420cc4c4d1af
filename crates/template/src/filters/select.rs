//! `map`, `select`, `reject`, `selectattr`, `rejectattr`, `groupby`, `sort`, `min`, `max`, `sum`: whatever takes a member,
//! a filter or a test by name.

use super::registry::{self, Filter, plain, tolerant};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, force, item, iterate};
use crate::tests;
use crate::value::{Operator, binary, compare, equal};
use std::cmp::Ordering;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("groupby", plain(groupby)),
    ("map", lenient(map)),
    ("max", plain(|_, args| extreme(args, Ordering::Greater))),
    ("min", plain(|_, args| extreme(args, Ordering::Less))),
    ("reject", lenient(|exec, args| select(exec, args, false, false))),
    ("rejectattr", lenient(|exec, args| select(exec, args, true, false))),
    ("select", lenient(|exec, args| select(exec, args, false, true))),
    ("selectattr", lenient(|exec, args| select(exec, args, true, true))),
    ("sort", plain(sort)),
    ("sum", plain(sum)),
];

const fn lenient(run: fn(&mut Exec, Args) -> Result<Value, Error>) -> Filter {
    Filter { takes_markers: false, ..tolerant(run) }
}

/// The member at a path such as `a.b.0` (Jinja's `make_attrgetter`); what is not there is a marker.
pub(crate) fn member(value: &Value, path: &Value) -> Result<Value, Error> {
    let Value::Str(path) = path else {
        return Ok(item(value, path).unwrap_or_else(Value::marker));
    };
    let mut found = value.clone();
    for part in path.split('.') {
        let key = part.parse::<u32>().map_or_else(|_| Value::from(part), |index| Value::Int(index.into()));
        found = item(&found, &key).unwrap_or_else(Value::marker);
    }
    Ok(force(found))
}

/// Text in lower case, anything else as it is (Jinja's `ignore_case`).
pub(super) fn fold_case(value: &Value) -> Value {
    match value {
        Value::Str(text) => Value::from(text.to_lowercase()),
        other => other.clone(),
    }
}

fn map(exec: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let items = iterate(&args.shift()?)?;
    if args.positional.is_empty()
        && let Some(path) = args.take("attribute")
    {
        let default = args.take("default");
        if let Some((name, _)) = args.named.first() {
            return Err(Error::operation(format!("Unexpected keyword argument '{name}'")));
        }
        let mut out = Vec::with_capacity(items.len());
        for value in items {
            let found = member(&value, &path)?;
            out.push(match &default {
                Some(default) if found.is_undefined() => default.clone(),
                _ => found,
            });
        }
        return Ok(Value::list(out));
    }
    if args.positional.is_empty() {
        return Err(Error::operation("map requires a filter argument"));
    }
    let name = crate::eval::text(&args.shift()?)?;
    let filter = registry::find(&name).ok_or_else(|| registry::unknown(&name))?;
    let mut out = Vec::with_capacity(items.len());
    for value in items {
        if let Value::Undefined(_) = value
            && !filter.takes_markers
        {
            out.push(value);
            continue;
        }
        let mut call = Args { positional: vec![value], named: args.named.clone() };
        call.positional.extend(args.positional.iter().cloned());
        out.push((filter.run)(exec, call).unwrap_or_else(|error| Value::marker(error.of("filter", &name))));
    }
    Ok(Value::list(out))
}

fn select(exec: &mut Exec, mut args: Args, by_member: bool, wanted: bool) -> Result<Value, Error> {
    let items = iterate(&args.shift()?)?;
    let path = match by_member {
        true if args.positional.is_empty() => return Err(Error::operation("Missing parameter for attribute name")),
        true => Some(args.shift()?),
        false => None,
    };
    let test = match args.positional.is_empty() {
        true => None,
        false => {
            let name = crate::eval::text(&args.shift()?)?;
            Some(tests::find(&name).ok_or_else(|| tests::unknown(&name))?)
        }
    };
    let mut kept = Vec::new();
    for candidate in items {
        let subject = match &path {
            Some(path) => member(&candidate, path)?,
            None => candidate.clone(),
        };
        let holds = match test {
            None => subject.truth()?,
            Some(test) => {
                if !test.takes_markers {
                    subject.check()?;
                }
                let mut call = Args { positional: vec![subject], named: args.named.clone() };
                call.positional.extend(args.positional.iter().cloned());
                (test.run)(exec, call)?
            }
        };
        if holds == wanted {
            kept.push(candidate);
        }
    }
    Ok(Value::list(kept))
}

/// What an item is sorted by: its members at comma-separated paths, or the item itself.
fn sort_key(value: &Value, attribute: Option<&Value>, case_sensitive: bool) -> Result<Value, Error> {
    let fold = |value: Value| if case_sensitive { value } else { fold_case(&value) };
    match attribute {
        None => Ok(fold(value.clone())),
        Some(Value::Str(paths)) if paths.contains(',') => {
            let parts = paths.split(',').map(|path| Ok(fold(member(value, &Value::from(path.trim()))?.required()?)));
            parts.collect::<Result<Vec<_>, Error>>().map(Value::list)
        }
        Some(path) => Ok(fold(member(value, path)?.required()?)),
    }
}

fn sorted(keyed: &mut [(Value, Value)], reverse: bool) -> Result<(), Error> {
    let mut failure = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let order = compare(a, b, "<").unwrap_or_else(|error| {
            failure.get_or_insert(error);
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    failure.map_or(Ok(()), Err)
}

fn sort(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, reverse, case_sensitive, attribute] = args.bind(["value", "reverse", "case_sensitive", "attribute"])?;
    let case_sensitive = case_sensitive.flag_or(false)?;
    let attribute = attribute.given();
    let mut keyed = Vec::new();
    for value in iterate(&value.need("value")?)? {
        keyed.push((sort_key(&value, attribute.as_ref(), case_sensitive)?, value));
    }
    sorted(&mut keyed, reverse.flag_or(false)?)?;
    Ok(Value::list(keyed.into_iter().map(|(_, value)| value).collect()))
}

fn groupby(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, attribute, default, case_sensitive] = args.bind(["value", "attribute", "default", "case_sensitive"])?;
    let (attribute, case_sensitive) = (attribute.need("attribute")?, case_sensitive.flag_or(false)?);
    let mut keyed = Vec::new();
    for value in iterate(&value.need("value")?)? {
        let mut key = member(&value, &attribute)?;
        if let (true, Some(default)) = (key.is_undefined(), &default) {
            key = default.clone();
        }
        let key = key.required()?;
        let folded = if case_sensitive { key.clone() } else { fold_case(&key) };
        keyed.push((folded, Value::tuple(vec![key, value])));
    }
    sorted(&mut keyed, false)?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (folded, pair) in keyed {
        let Value::Tuple(pair) = pair else { continue };
        match groups.last_mut() {
            Some((last, _, members)) if equal(last, &folded)? => members.push(pair[1].clone()),
            _ => groups.push((folded, pair[0].clone(), vec![pair[1].clone()])),
        }
    }
    Ok(Value::list(groups.into_iter().map(|(_, key, members)| Value::tuple(vec![key, Value::list(members)])).collect()))
}

fn extreme(args: Args, wanted: Ordering) -> Result<Value, Error> {
    let [value, case_sensitive, attribute] = args.bind(["value", "case_sensitive", "attribute"])?;
    let (case_sensitive, attribute) = (case_sensitive.flag_or(false)?, attribute.given());
    let mut best: Option<(Value, Value)> = None;
    for value in iterate(&value.need("value")?)? {
        let key = sort_key(&value, attribute.as_ref(), case_sensitive)?;
        let better = match &best {
            None => true,
            Some((held, _)) => compare(&key, held, if wanted == Ordering::Less { "<" } else { ">" })? == wanted,
        };
        if better {
            best = Some((key, value));
        }
    }
    Ok(match best {
        Some((_, value)) => value,
        None => Value::marker(Error::undefined("No aggregated item, sequence was empty.", None)),
    })
}

fn sum(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [items, attribute, start] = args.bind(["iterable", "attribute", "start"])?;
    let attribute = attribute.given();
    let mut total = start.unwrap_or(Value::Int(0));
    for value in iterate(&items.need("iterable")?)? {
        let value = match &attribute {
            Some(path) => member(&value, path)?,
            None => value,
        };
        total = binary(Operator::Add, &total, &value)?;
    }
    Ok(total)
}
