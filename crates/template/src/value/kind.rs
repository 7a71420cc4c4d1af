//! What an expression gives: Python's values as far as Jinja and Ansible use them.

use super::{Key, Map};
use crate::error::Error;
use crate::eval::{Callable, Thunk, View};
use std::sync::Arc;

/// A value of a template. Cloning is cheap: containers are shared.
#[derive(Clone, Default)]
pub enum Value {
    /// Something that is not there, with the error to raise when it is used. Ansible 2.19 calls it a marker.
    Undefined(Arc<Marker>),
    /// `omit`: whoever holds it drops it.
    Omit,
    /// `None`
    #[default]
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number. Python's has no bound; 128 bits hold all that JSON and YAML bring.
    Int(i128),
    /// A number with a point.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A tuple; becomes a list when it leaves the template.
    Tuple(Arc<Vec<Value>>),
    /// A dictionary in insertion order.
    Map(Arc<Map>),
    /// `range(…)`: first, end, step.
    Range(i128, i128, i128),
    /// A date and time without a zone, as `now()` and `to_datetime` give it.
    Time(jiff::civil::DateTime),
    /// The difference of two times, in microseconds.
    Delta(i128),
    /// A mapping whose members are variables (`hostvars`, `vars`), looked up one by one.
    Scope(Arc<View>),
    /// A container that a person wrote, whose members are rendered when they are asked for. Never inside another value.
    Lazy(Arc<Thunk>),
    /// A function, macro, loop variable or other object of the template itself.
    Callable(Arc<Callable>),
}

/// Why a value is not there.
pub struct Marker {
    /// What is raised when the value is used.
    pub error: Error,
    /// Whether something undefined is the cause (then `default` steps in), and not a filter that failed.
    pub is_undefined: bool,
    /// Whether it is what an inline `if` without `else` gives: Jinja's own undefined value, which is false, prints as
    /// nothing inside text, and that Ansible's `default` does not know.
    pub(crate) is_blank: bool,
}

impl Value {
    /// The value in place of something undefined, or of a filter that failed; using it raises `error`.
    pub fn marker(error: Error) -> Self {
        let is_undefined = error.is_undefined();
        Self::Undefined(Arc::new(Marker { error, is_undefined, is_blank: false }))
    }

    /// The value of an inline `if` that does not hold and has no `else`.
    pub(crate) fn blank(error: Error) -> Self {
        Self::Undefined(Arc::new(Marker { error, is_undefined: false, is_blank: true }))
    }

    /// Whether it is what an inline `if` without `else` gives.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Undefined(marker) if marker.is_blank)
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Self {
        Self::Tuple(Arc::new(items))
    }

    /// A dictionary.
    pub fn map(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }

    /// A dictionary with string keys.
    pub fn record<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::map(entries.into_iter().map(|(key, value)| (Key::from(key), value)).collect())
    }

    /// Whether it stands for something that is not there.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(marker) if marker.is_undefined)
    }

    /// Whether it is `omit`.
    pub fn is_omit(&self) -> bool {
        matches!(self, Self::Omit)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list or tuple.
    pub fn as_sequence(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a dictionary.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A whole number; booleans count as in Python.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(flag) => Some(i128::from(*flag)),
            _ => None,
        }
    }

    /// Any number.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            _ => self.as_int().map(|number| number as f64),
        }
    }

    /// Raises the error of a value that is not there.
    pub fn required(self) -> Result<Self, Error> {
        match self {
            Self::Undefined(marker) => Err(marker.error.clone()),
            value => Ok(value),
        }
    }

    /// Raises the error of a value that is not there, by reference.
    pub fn check(&self) -> Result<&Self, Error> {
        match self {
            Self::Undefined(marker) => Err(marker.error.clone()),
            value => Ok(value),
        }
    }

    /// The name of its type, as Ansible's `type_debug` tells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(marker) if marker.is_undefined => "UndefinedMarker",
            Self::Undefined(_) => "CapturedExceptionMarker",
            Self::Omit => "_OmitType",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Map(_) => "dict",
            Self::Range(..) => "range",
            Self::Time(_) => "datetime",
            Self::Delta(_) => "timedelta",
            Self::Scope(_) => "HostVars",
            Self::Lazy(thunk) => thunk.type_name(),
            Self::Callable(_) => "function",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i128> for Value {
    fn from(number: i128) -> Self {
        Self::Int(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(number as i128)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undefined(marker) => write!(f, "<undefined: {}>", marker.error),
            value => f.write_str(&value.to_repr()),
        }
    }
}

impl std::fmt::Debug for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)
    }
}
