//! Lookups that only arrange their terms: what `with_items`, `with_dict`, … go through.

use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, int, iterate, text};
use rand::RngExt;

/// One level of lists dissolved, as `with_items` does.
pub(super) fn items(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    Ok(flat(args.positional))
}

fn flat(terms: Vec<Value>) -> Vec<Value> {
    let dissolve = |term: Value| match term {
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        other => vec![other],
    };
    terms.into_iter().flat_map(dissolve).collect()
}

pub(super) fn list(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    Ok(args.positional)
}

pub(super) fn dict(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let mut found = Vec::new();
    for term in flat(args.positional) {
        let Value::Map(map) = term.check()? else {
            return Err(Error::operation("with_dict expects a dict"));
        };
        found.extend(map.iter().map(|(key, value)| Value::record([("key", key.value()), ("value", value.clone())])));
    }
    Ok(found)
}

pub(super) fn indexed_items(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let numbered = flat(args.positional).into_iter().enumerate();
    Ok(numbered.map(|(index, item)| Value::tuple(vec![Value::from(index), item])).collect())
}

/// More results than this is a slip.
const MOST_RESULTS: usize = 2_000_000;

pub(super) fn nested(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    if args.positional.is_empty() {
        return Err(Error::operation("with_nested requires at least one element in the nested list"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for term in args.positional {
        let items = match term.check()? {
            Value::List(_) | Value::Tuple(_) => iterate(&term)?,
            _ => vec![term],
        };
        if rows.len().saturating_mul(items.len()) > MOST_RESULTS {
            return Err(Error::operation("the nested list has too many items"));
        }
        let with = |row: Vec<Value>| {
            items.iter().map(|item| row.iter().cloned().chain([item.clone()]).collect()).collect::<Vec<Vec<Value>>>()
        };
        rows = rows.into_iter().flat_map(with).collect();
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

pub(super) fn together(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let lists = args.positional.iter().map(iterate).collect::<Result<Vec<_>, _>>()?;
    if lists.is_empty() {
        return Err(Error::operation("with_together requires at least one element in each list"));
    }
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |index: usize| lists.iter().map(|list| list.get(index).cloned().unwrap_or(Value::None)).collect();
    Ok((0..length).map(|index| Value::list(row(index))).collect())
}

pub(super) fn subelements(exec: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    let [list, path, flags] = args.bind(["terms", "subelement", "flags"])?;
    let skip = match flags.given() {
        Some(Value::Map(map)) => map.get(&crate::value::Name("skip_missing")).is_some_and(crate::filters::to_bool),
        _ => false,
    };
    let filter = crate::filters::find("subelements").ok_or_else(|| Error::operation("no filter `subelements`"))?;
    let path = text(&path.need("subelement")?)?;
    let call = Args::of(vec![list.need("terms")?, Value::from(path.as_str()), Value::Bool(skip)]);
    let pairs = iterate(&(filter.run)(exec, call)?)?;
    let keys: Vec<&str> = path.split('.').collect();
    let shortened = pairs.into_iter().map(|pair| match pair.as_sequence() {
        Some([element, item]) => Value::tuple(vec![without(element, &keys), item.clone()]),
        _ => pair,
    });
    Ok(shortened.collect())
}

/// The element without the list that is gone through, as the lookup (not the filter) gives it.
fn without(element: &Value, keys: &[&str]) -> Value {
    let (Value::Map(map), [key, rest @ ..]) = (element, keys) else { return element.clone() };
    let mut map = crate::Map::clone(map);
    if rest.is_empty() {
        map.shift_remove(&crate::value::Name(key));
    } else if let Some(inner) = map.get_mut(&crate::value::Name(key)) {
        *inner = without(inner, rest);
    }
    Value::map(map)
}

pub(super) fn random_choice(_: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let terms = flat(args.positional);
    if terms.is_empty() {
        return Ok(terms);
    }
    Ok(vec![terms[rand::rng().random_range(0..terms.len())].clone()])
}

/// `start=1 end=5 stride=2 format=web%02d`, or `1-5/2:web%02d`.
pub(super) fn sequence(_: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    let named = std::mem::take(&mut args.named);
    let terms = if args.positional.is_empty() { vec![Value::from("")] } else { args.positional };
    for term in &terms {
        let mut sequence = Sequence { start: 1, end: None, count: None, stride: None, format: "%d".to_owned() };
        sequence.read(&text(term)?)?;
        for (name, value) in &named {
            sequence.set(name, &text(value)?)?;
        }
        sequence.expand(&mut found)?;
    }
    Ok(found)
}

struct Sequence {
    start: i128,
    end: Option<i128>,
    count: Option<i128>,
    stride: Option<i128>,
    format: String,
}

impl Sequence {
    fn read(&mut self, term: &str) -> Result<(), Error> {
        if term.contains('=') {
            return term.split_whitespace().try_for_each(|pair| match pair.split_once('=') {
                Some((name, value)) => self.set(name, value),
                None => Err(Error::operation(format!("unable to parse `{pair}` of a sequence"))),
            });
        }
        let (numbers, format) = term.split_once(':').map_or((term, None), |(numbers, format)| (numbers, Some(format)));
        let (range, stride) = numbers.split_once('/').map_or((numbers, None), |(range, stride)| (range, Some(stride)));
        let (start, end) = range.split_once('-').map_or((None, range), |(start, end)| (Some(start), end));
        for (name, value) in [("start", start), ("end", Some(end)), ("stride", stride), ("format", format)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.set(name, value)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let number = || {
            let parsed = match value.strip_prefix("0x") {
                Some(hex) => i128::from_str_radix(hex, 16).ok(),
                None => value.parse().ok(),
            };
            parsed.ok_or_else(|| Error::operation(format!("can't parse {name}={value} as integer")))
        };
        match name {
            "start" => self.start = number()?,
            "end" => self.end = Some(number()?),
            "count" => self.count = Some(number()?),
            "stride" => self.stride = Some(number()?),
            "format" => self.format = value.to_owned(),
            other => return Err(Error::operation(format!("unrecognized argument `{other}` of a sequence"))),
        }
        Ok(())
    }

    fn expand(&self, found: &mut Vec<Value>) -> Result<(), Error> {
        let stride = self.stride.unwrap_or(1);
        let end = match (self.end, self.count) {
            (Some(end), None) => end,
            (None, Some(0)) => return Ok(()),
            (None, Some(count)) => self.start + (count - 1) * stride,
            (Some(_), Some(_)) => return Err(Error::operation("can't specify both count and end in with_sequence")),
            (None, None) => return Err(Error::operation("must specify count or end in with_sequence")),
        };
        if stride == 0 {
            return Ok(());
        }
        if (stride > 0 && end < self.start) || (stride < 0 && end > self.start) {
            return Err(Error::operation("to count in that direction the stride must have the other sign"));
        }
        let numbers = Value::Range(self.start, end + stride.signum(), stride);
        for number in iterate(&numbers)? {
            found.push(crate::text::percent(&self.format, &Value::Int(int(&number)?))?);
        }
        Ok(())
    }
}
