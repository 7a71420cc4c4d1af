//! Lists: `flatten`, `zip`, `batch`, `first`, `join`, `random`, …

use super::registry::{Filter, plain};
use super::select::member;
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, int, iterate, text};
use rand::RngExt;
use rand::seq::SliceRandom;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("batch", plain(batch)),
    ("combinations", plain(|_, args| choices(args, false))),
    ("count", plain(length)),
    ("first", plain(|_, args| edge(args, true))),
    ("flatten", plain(flatten)),
    ("join", plain(join)),
    ("last", plain(|_, args| edge(args, false))),
    ("length", plain(length)),
    ("list", plain(list)),
    ("permutations", plain(|_, args| choices(args, true))),
    ("product", plain(product)),
    ("random", plain(random)),
    ("reverse", plain(reverse)),
    ("shuffle", plain(shuffle)),
    ("slice", plain(slice)),
    ("zip", plain(|_, args| zip(args, false))),
    ("zip_longest", plain(|_, args| zip(args, true))),
];

/// More results than this is a slip, and would eat the memory.
const MOST_RESULTS: usize = 2_000_000;

fn list(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["value"])?;
    let items = iterate(&value.need("value")?)?;
    items.iter().try_for_each(|item| item.check().map(drop))?;
    Ok(Value::list(items))
}

fn length(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["obj"])?;
    let value = value.need("obj")?;
    let length = match &value {
        Value::Str(text) => text.chars().count(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        Value::Map(map) => map.len(),
        Value::Scope(_) | Value::Range(..) => iterate(&value)?.len(),
        other => return Err(Error::operation(format!("object of type '{}' has no len()", other.type_name()))),
    };
    Ok(Value::from(length))
}

fn edge(args: Args, first: bool) -> Result<Value, Error> {
    let [value] = args.bind(["seq"])?;
    let items = iterate(&value.need("seq")?)?;
    let found = if first { items.into_iter().next() } else { items.into_iter().next_back() };
    let word = if first { "first" } else { "last" };
    Ok(found.unwrap_or_else(|| Value::marker(Error::undefined(format!("No {word} item, sequence was empty."), None))))
}

fn join(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, separator, attribute] = args.bind(["value", "d", "attribute"])?;
    let separator = separator.text_or("")?;
    let attribute = attribute.given();
    let mut parts = Vec::new();
    for item in iterate(&value.need("value")?)? {
        let item = match &attribute {
            Some(path) => member(&item, path)?,
            None => item,
        };
        parts.push(text(&item)?);
    }
    Ok(Value::from(parts.join(&separator)))
}

fn reverse(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["value"])?;
    match value.need("value")? {
        Value::Str(text) => Ok(Value::from(text.chars().rev().collect::<String>())),
        value => {
            let mut items = iterate(&value)?;
            items.reverse();
            Ok(Value::list(items))
        }
    }
}

fn flatten(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, levels, skip_nulls] = args.bind(["mylist", "levels", "skip_nulls"])?;
    let levels = levels.given().map(|levels| int(&levels)).transpose()?;
    let mut flat = Vec::new();
    flatten_into(&mut flat, &iterate(&value.need("mylist")?)?, levels, skip_nulls.flag_or(true)?)?;
    Ok(Value::list(flat))
}

fn flatten_into(flat: &mut Vec<Value>, items: &[Value], levels: Option<i128>, skip_nulls: bool) -> Result<(), Error> {
    for item in items {
        let is_null = matches!(item.check()?, Value::None) || matches!(item.as_str(), Some("None" | "null"));
        match item.as_sequence() {
            _ if skip_nulls && is_null => {}
            Some(inner) if levels.is_none_or(|levels| levels >= 1) => {
                flatten_into(flat, inner, levels.map(|levels| levels - 1), skip_nulls)?;
            }
            _ => flat.push(item.clone()),
        }
    }
    Ok(())
}

fn zip(mut args: Args, longest: bool) -> Result<Value, Error> {
    let fill = args.take("fillvalue");
    args.take("strict");
    args.no_more_names()?;
    let lists = args.positional.iter().map(iterate).collect::<Result<Vec<_>, _>>()?;
    let lengths = lists.iter().map(Vec::len);
    let length = if longest { lengths.max() } else { lengths.min() }.unwrap_or(0);
    let fill = fill.unwrap_or(Value::None);
    let row =
        |index: usize| lists.iter().map(|list| list.get(index).cloned().unwrap_or_else(|| fill.clone())).collect();
    Ok(Value::list((0..length).map(|index| Value::tuple(row(index))).collect()))
}

fn product(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let repeat = usize::try_from(args.take("repeat").int_or(1)?.clamp(0, 64)).unwrap_or(1);
    args.no_more_names()?;
    let lists = args.positional.iter().map(iterate).collect::<Result<Vec<_>, _>>()?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in std::iter::repeat_n(&lists, repeat).flatten() {
        if rows.len().saturating_mul(list.len()) > MOST_RESULTS {
            return Err(Error::operation("the product has too many items"));
        }
        let with = |row: &Vec<Value>| {
            let row = row.clone();
            list.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect()).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(with).collect();
    }
    Ok(Value::list(rows.into_iter().map(Value::tuple).collect()))
}

/// `permutations` and `combinations` of Python's `itertools`.
fn choices(args: Args, ordered: bool) -> Result<Value, Error> {
    let [value, count] = args.bind(["iterable", "r"])?;
    let items = iterate(&value.need("iterable")?)?;
    let count = match count.given() {
        Some(count) => usize::try_from(int(&count)?).map_err(|_| Error::operation("r must be non-negative"))?,
        None if ordered => items.len(),
        None => return Err(Error::operation("needs the argument `r`")),
    };
    let mut rows = Vec::new();
    if count <= items.len() {
        choose(&items, count, ordered, &mut Vec::new(), &mut rows)?;
    }
    Ok(Value::list(rows))
}

fn choose(
    items: &[Value],
    count: usize,
    ordered: bool,
    taken: &mut Vec<usize>,
    rows: &mut Vec<Value>,
) -> Result<(), Error> {
    if taken.len() == count {
        if rows.len() >= MOST_RESULTS {
            return Err(Error::operation("there are too many combinations"));
        }
        rows.push(Value::tuple(taken.iter().map(|index| items[*index].clone()).collect()));
        return Ok(());
    }
    let start = if ordered { 0 } else { taken.last().map_or(0, |last| last + 1) };
    for index in start..items.len() {
        if !taken.contains(&index) {
            taken.push(index);
            choose(items, count, ordered, taken, rows)?;
            taken.pop();
        }
    }
    Ok(())
}

fn batch(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, size, fill] = args.bind(["value", "linecount", "fill_with"])?;
    let size = usize::try_from(int(&size.need("linecount")?)?).unwrap_or(0).clamp(1, MOST_RESULTS);
    let fill = fill.given();
    let items = iterate(&value.need("value")?)?;
    let chunks = items.chunks(size).map(|chunk| {
        let mut chunk = chunk.to_vec();
        if let Some(fill) = &fill {
            chunk.resize(size, fill.clone());
        }
        Value::list(chunk)
    });
    Ok(Value::list(chunks.collect()))
}

fn slice(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, slices, fill] = args.bind(["value", "slices", "fill_with"])?;
    let items = iterate(&value.need("value")?)?;
    let slices = usize::try_from(int(&slices.need("slices")?)?).unwrap_or(0).min(MOST_RESULTS);
    if slices == 0 {
        return Err(Error::operation("integer division or modulo by zero"));
    }
    let fill = fill.given();
    let (each, more) = (items.len() / slices, items.len() % slices);
    let mut rest = items.as_slice();
    let mut out = Vec::with_capacity(slices);
    for index in 0..slices {
        let (part, after) = rest.split_at(each + usize::from(index < more));
        rest = after;
        let mut part = part.to_vec();
        if let (Some(fill), true) = (&fill, index >= more) {
            part.push(fill.clone());
        }
        out.push(Value::list(part));
    }
    Ok(Value::list(out))
}

fn random(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [end, start, step, _seed] = args.bind(["end", "start", "step", "seed"])?;
    let (start, step) = (start.given().map_or(Ok(0), |v| int(&v))?, step.given().map_or(Ok(1), |v| int(&v))?);
    let end = end.need("end")?;
    if let Some(end) = end.as_int() {
        let count = crate::value::range_len(start, end, step);
        if count <= 0 {
            return Err(Error::operation("empty range for randrange()"));
        }
        return Ok(Value::Int(start + rand::rng().random_range(0..count) * step));
    }
    let items = iterate(&end)?;
    if items.is_empty() {
        return Err(Error::operation("Cannot choose from an empty sequence"));
    }
    Ok(items[rand::rng().random_range(0..items.len())].clone())
}

fn shuffle(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, _seed] = args.bind(["mylist", "seed"])?;
    let value = value.need("mylist")?;
    match iterate(&value) {
        Ok(mut items) => {
            items.shuffle(&mut rand::rng());
            Ok(Value::list(items))
        }
        // Ansible gives back what it can't shuffle.
        Err(_) => Ok(value),
    }
}
