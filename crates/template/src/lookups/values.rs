//! `env`, `vars`, `varnames`.

use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Exec, force, text};
use crate::regex::{Flags, compile, failed};

pub(super) fn env(_: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let default = args.take("default");
    args.no_more_names()?;
    let found = args.positional.iter().map(|name| {
        let name = text(name)?;
        // Only the first word counts, as in Ansible.
        let name = name.split_whitespace().next().unwrap_or_default().to_owned();
        Ok(match (std::env::var(&name), &default) {
            (Ok(value), _) => Value::from(value),
            (Err(_), Some(default)) => default.clone(),
            (Err(_), None) => Value::from(""),
        })
    });
    found.collect()
}

pub(super) fn vars(exec: &mut Exec, mut args: Args) -> Result<Vec<Value>, Error> {
    let default = args.take("default");
    args.no_more_names()?;
    let mut found = Vec::new();
    for name in args.positional {
        let Value::Str(name) = name else {
            let kind = name.type_name();
            return Err(Error::operation(format!("Variable name must be 'str' not '{kind}'.")));
        };
        found.push(match (exec.session.variable(&name), &default) {
            (Some(value), _) => force(value?),
            (None, Some(default)) => default.clone(),
            (None, None) => {
                return Err(Error::undefined(format!("'{name}' is undefined"), Some(&name)));
            }
        });
    }
    Ok(found)
}

pub(super) fn varnames(exec: &mut Exec, args: Args) -> Result<Vec<Value>, Error> {
    args.no_more_names()?;
    let names = exec.session.scope().names();
    let mut found = Vec::new();
    for pattern in &args.positional {
        let regex = compile(&text(pattern)?, Flags::default())?;
        for name in &names {
            if regex.is_match(name).map_err(failed)? {
                found.push(Value::from(name.as_str()));
            }
        }
    }
    Ok(found)
}
