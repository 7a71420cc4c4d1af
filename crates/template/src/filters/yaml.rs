//! `to_yaml`, `to_nice_yaml`, `from_yaml`, `from_yaml_all`.

use super::registry::{Filter, plain};
use super::yaml_dump::{Style, dump};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, int, require_deep};
use crate::value::Map;

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("from_yaml", plain(from_yaml)),
    ("from_yaml_all", plain(from_yaml_all)),
    ("to_nice_yaml", plain(to_nice_yaml)),
    ("to_yaml", plain(to_yaml)),
];

fn to_yaml(_: &mut Exec, args: Args) -> Result<Value, Error> {
    write(args, Style { indent: 2, width: 80, sort_keys: true, flow: None, explicit_start: false })
}

fn to_nice_yaml(_: &mut Exec, mut args: Args) -> Result<Value, Error> {
    if args.positional.len() > 1 {
        let indent = args.positional.remove(1);
        args.named.push(("indent".into(), indent));
    }
    write(args, Style { indent: 4, width: 80, sort_keys: true, flow: Some(false), explicit_start: false })
}

fn write(mut args: Args, mut style: Style) -> Result<Value, Error> {
    if let Some(indent) = args.take("indent").given() {
        // libyaml takes two to nine, anything else is two.
        style.indent = usize::try_from(int(&indent)?).ok().filter(|indent| (2..10).contains(indent)).unwrap_or(2);
    }
    if let Some(width) = args.take("width") {
        let width = match width {
            Value::Float(number) if number.is_infinite() => i128::from(i32::MAX),
            other => int(&other)?,
        };
        style.width = usize::try_from(width).unwrap_or(usize::MAX);
        if style.width <= style.indent * 2 {
            style.width = 80;
        }
    }
    style.sort_keys = args.take("sort_keys").flag_or(style.sort_keys)?;
    style.explicit_start = args.take("explicit_start").flag_or(false)?;
    if let Some(flow) = args.take("default_flow_style") {
        style.flow = match flow {
            Value::None => None,
            other => Some(other.truth()?),
        };
    }
    for ignored in
        ["allow_unicode", "default_style", "canonical", "line_break", "encoding", "explicit_end", "version", "tags"]
    {
        args.take(ignored);
    }
    let [value] = args.bind(["a"])?;
    let value = value.need("a")?;
    require_deep(&value)?;
    dump(&value, &style).map(Value::from)
}

fn documents(value: &Value) -> Result<Vec<Value>, Error> {
    let Value::Str(text) = value else { return Ok(vec![value.clone()]) };
    let nodes = ::yaml::load("<from_yaml>", text).map_err(|error| {
        let first = error.into_mistakes();
        let message = first.iter().next().map_or_else(
            || "invalid".to_owned(),
            |mistake| match &mistake.position {
                Some(position) => format!("{} (line {}, column {})", mistake.message, position.line, position.column),
                None => mistake.message.clone(),
            },
        );
        Error::operation(format!("the text is no YAML: {message}"))
    })?;
    nodes.iter().map(value_of).collect()
}

fn from_yaml(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["data"])?;
    let mut documents = documents(&value.need("data")?)?;
    match documents.len() {
        0 => Ok(Value::None),
        1 => Ok(documents.remove(0)),
        _ => Err(Error::operation("expected a single document in the stream")),
    }
}

fn from_yaml_all(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value] = args.bind(["data"])?;
    match value.need("data")? {
        Value::None => Ok(Value::list(Vec::new())),
        value => documents(&value).map(Value::list),
    }
}

/// A node as data: what a filter reads is never a template.
fn value_of(node: &::yaml::Node) -> Result<Value, Error> {
    Ok(match &node.value {
        ::yaml::Value::Null => Value::None,
        ::yaml::Value::Bool(flag) => Value::Bool(*flag),
        ::yaml::Value::Int(number) => Value::Int((*number).into()),
        ::yaml::Value::Float(number) => Value::Float(*number),
        ::yaml::Value::String(text) => Value::from(text.as_str()),
        ::yaml::Value::Vault(_) => return Err(Error::operation("an encrypted value can't be read by a filter")),
        ::yaml::Value::Sequence(items) => Value::list(items.iter().map(value_of).collect::<Result<_, _>>()?),
        ::yaml::Value::Mapping(mapping) => {
            let mut map = Map::with_capacity(mapping.len());
            for (key, value) in mapping.iter() {
                map.insert(crate::Key::new(&value_of(key)?)?, value_of(value)?);
            }
            Value::map(map)
        }
    })
}
