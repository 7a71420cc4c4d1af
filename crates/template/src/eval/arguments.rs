//! The arguments of filters, tests, functions and methods, bound as Python binds them.

use crate::Value;
use crate::error::Error;
use std::sync::Arc;

/// The arguments of one call.
#[derive(Debug, Default, Clone)]
pub struct Args {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
}

impl Args {
    pub(crate) fn of(positional: Vec<Value>) -> Self {
        Self { positional, named: Vec::new() }
    }

    /// One value for each parameter; a parameter that was not given is `None`.
    pub(crate) fn bind<const N: usize>(self, parameters: [&str; N]) -> Result<[Option<Value>; N], Error> {
        if self.positional.len() > N {
            let given = self.positional.len();
            return Err(Error::operation(format!("takes at most {N} arguments, {given} were given")));
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let Some(index) = parameters.iter().position(|parameter| *parameter == &*name) else {
                return Err(Error::operation(format!("has no argument `{name}`")));
            };
            if bound[index].is_some() {
                return Err(Error::operation(format!("got `{name}` twice")));
            }
            bound[index] = Some(value);
        }
        Ok(bound)
    }

    /// Takes a named argument out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.named.iter().position(|(given, _)| &**given == name)?;
        Some(self.named.remove(index).1)
    }

    /// Takes the first positional argument out.
    pub(crate) fn shift(&mut self) -> Result<Value, Error> {
        if self.positional.is_empty() {
            return Err(Error::operation("needs an argument"));
        }
        Ok(self.positional.remove(0))
    }

    /// The first argument that stands for something missing.
    pub(crate) fn first_marker(&self) -> Option<&Value> {
        let named = self.named.iter().map(|(_, value)| value);
        self.positional.iter().chain(named).find(|value| matches!(value, Value::Undefined(_)))
    }

    /// Refuses named arguments that nobody took.
    pub(crate) fn no_more_names(&self) -> Result<(), Error> {
        match self.named.first() {
            Some((name, _)) => Err(Error::operation(format!("has no argument `{name}`"))),
            None => Ok(()),
        }
    }
}

/// Typed views of bound arguments, with Python's leniency.
pub(crate) trait Bound {
    /// The value, which must be there.
    fn need(self, name: &str) -> Result<Value, Error>;
    /// The value as text (`str()` of anything), or the default.
    fn text_or(self, default: &str) -> Result<String, Error>;
    /// The truth of the value, or the default.
    fn flag_or(self, default: bool) -> Result<bool, Error>;
    /// The value as a whole number, or the default.
    fn int_or(self, default: i128) -> Result<i128, Error>;
    /// The value unless it is missing or `None`.
    fn given(self) -> Option<Value>;
}

impl Bound for Option<Value> {
    fn need(self, name: &str) -> Result<Value, Error> {
        self.ok_or_else(|| Error::operation(format!("needs the argument `{name}`")))?.required()
    }

    fn text_or(self, default: &str) -> Result<String, Error> {
        match self {
            None => Ok(default.to_owned()),
            Some(value) => text(&value),
        }
    }

    fn flag_or(self, default: bool) -> Result<bool, Error> {
        self.map_or(Ok(default), |value| value.truth())
    }

    fn int_or(self, default: i128) -> Result<i128, Error> {
        match self {
            None => Ok(default),
            Some(value) => int(&value),
        }
    }

    fn given(self) -> Option<Value> {
        self.filter(|value| !matches!(value, Value::None))
    }
}

/// `str()` of a value that is there.
pub(crate) fn text(value: &Value) -> Result<String, Error> {
    super::require_deep(value)?;
    Ok(value.to_text())
}

/// A whole number.
pub(crate) fn int(value: &Value) -> Result<i128, Error> {
    let value = value.check()?;
    value
        .as_int()
        .ok_or_else(|| Error::operation(format!("'{}' object cannot be interpreted as an integer", value.type_name())))
}
