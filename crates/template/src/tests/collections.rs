//! Membership: `in`, `contains`, `subset`, `superset`, `all`, `any`.

use super::registry::{Test, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, iterate};
use crate::value::contains;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("all", plain(|_, args| quantified(args, true))),
    ("any", plain(|_, args| quantified(args, false))),
    ("contains", plain(|_, args| two(args, contains))),
    ("in", plain(|_, args| two(args, |value, seq| contains(seq, value)))),
    ("issubset", plain(|_, args| two(args, is_subset))),
    ("issuperset", plain(|_, args| two(args, |a, b| is_subset(b, a)))),
    ("subset", plain(|_, args| two(args, is_subset))),
    ("superset", plain(|_, args| two(args, |a, b| is_subset(b, a)))),
];

fn two(args: Args, holds: impl FnOnce(&Value, &Value) -> Result<bool, Error>) -> Result<bool, Error> {
    let [a, b] = args.bind(["a", "b"])?;
    holds(&a.need("a")?, &b.need("b")?)
}

fn is_subset(a: &Value, b: &Value) -> Result<bool, Error> {
    let all = Value::list(iterate(b)?);
    for item in iterate(a)? {
        if !contains(&all, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn quantified(args: Args, all: bool) -> Result<bool, Error> {
    let [value] = args.bind(["value"])?;
    for item in iterate(&value.need("value")?)? {
        if item.truth()? != all {
            return Ok(!all);
        }
    }
    Ok(all)
}
