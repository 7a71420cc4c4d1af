//! What only asks a mapping for its names gets only these: `port in config`, `config | list`, `config.keys()`. The values are not rendered
//! for it, and so nothing that comes of it counts as made of the secrets among them.

use super::arguments::Args;
use super::force;
use crate::Value;
use crate::filters::short;

/// Filters to which a mapping is the sequence of its names, as to Python's `iter()`.
const FILTERS: [&str; 15] = [
    "batch", "count", "first", "join", "last", "length", "list", "map", "max", "min", "reject", "reverse", "select",
    "sort", "unique",
];

/// The same, for every argument.
const SETS: [&str; 4] = ["difference", "intersect", "symmetric_difference", "union"];

/// Tests of what their subject is, not of what is in it.
const KINDS: [&str; 9] =
    ["boolean", "contains", "float", "integer", "iterable", "mapping", "number", "sequence", "string"];

/// The arguments of a filter, no more of them rendered than it needs.
pub(super) fn for_filter(name: &str, args: Args) -> Args {
    let name = short(name);
    // `reject('in', config)`, `selectattr('key', 'in', config)`
    let tested = match name {
        "select" | "reject" => Some(2),
        "selectattr" | "rejectattr" => Some(3),
        _ => None,
    };
    let test =
        tested.and_then(|at| args.positional.get(at - 1)?.as_str().map(|name| (short(name) == "in").then_some(at)));
    let tested = test.flatten();
    rendered(args, |at| SETS.contains(&name) || at == 0 && FILTERS.contains(&name) || tested == Some(at))
}

/// The arguments of a test.
pub(super) fn for_test(name: &str, args: Args) -> Args {
    match short(name) {
        "in" => rendered(args, |at| at == 1),
        "issubset" | "issuperset" | "subset" | "superset" => rendered(args, |_| true),
        name => rendered(args, |at| at == 0 && KINDS.contains(&name)),
    }
}

fn rendered(args: Args, by_name: impl Fn(usize) -> bool) -> Args {
    let positional = args.positional.into_iter().enumerate();
    Args {
        positional: positional.map(|(at, value)| if by_name(at) { hollow(value) } else { force(value) }).collect(),
        named: args.named.into_iter().map(|(name, value)| (name, force(value))).collect(),
    }
}

/// A mapping with its names, and nothing under them; any other value as it is.
pub(super) fn hollow(value: Value) -> Value {
    match value {
        Value::Lazy(thunk) if thunk.is_mapping() => thunk.hollow(),
        value => force(value),
    }
}
