//! `lookup()` and `query()` (ansible-core 2.19, `_jinja_plugins._invoke_lookup`).

use super::registry::{find, unknown};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};

/// `lookup(name, …)`: one result as it is, several texts joined by commas.
pub(crate) fn lookup(exec: &mut Exec, mut args: Args) -> Result<Value, Error> {
    let want_list = args.take("wantlist").flag_or(false)?;
    call(exec, args, want_list)
}

/// `query(name, …)`: always a list.
pub(crate) fn query(exec: &mut Exec, mut args: Args) -> Result<Value, Error> {
    args.take("wantlist");
    call(exec, args, true)
}

fn call(exec: &mut Exec, mut args: Args, want_list: bool) -> Result<Value, Error> {
    let name = text(&args.shift()?)?;
    let errors = args.take("errors").text_or("strict")?;
    let mut found = match run(exec, &name, args) {
        Ok(found) => found,
        Err(error @ (Error::Unknown { .. } | Error::Undefined { .. })) => return Err(error),
        Err(_) if errors == "ignore" || errors == "warn" => {
            return Ok(if want_list { Value::list(Vec::new()) } else { Value::None });
        }
        Err(error) => return Err(error),
    };
    if want_list || found.is_empty() {
        return Ok(Value::list(found));
    }
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    let texts: Option<Vec<&str>> = found.iter().map(Value::as_str).collect();
    Ok(match texts {
        Some(texts) => Value::from(texts.join(",")),
        None => Value::list(found),
    })
}

/// Runs a lookup on its terms.
pub(crate) fn run(exec: &mut Exec, name: &str, args: Args) -> Result<Vec<Value>, Error> {
    let lookup = find(name).ok_or_else(|| unknown(name))?;
    lookup(exec, args).map_err(|error| error.of("lookup", name))
}
