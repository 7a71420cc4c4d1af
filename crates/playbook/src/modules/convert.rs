//! From the values of a task to a module's typed options, with the conversions and words of Ansible's argument specification
//! (ansible-core 2.19, `module_utils/common/{parameters,validation}.py`).

use super::{Failure, Invocation, Module, Parameter};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// A module's parameters, checked against its declaration: aliases resolved, defaults filled in, required ones there.
pub(crate) struct Arguments {
    values: Map<String, Value>,
    module: &'static Module,
}

impl Arguments {
    /// The invocation's parameters. What the checker has found before is found here again for values that came from templates.
    pub(crate) fn of(module: &'static Module, invocation: &Invocation<'_>) -> Result<Self, Failure> {
        Self::new(module, &invocation.parameters)
    }

    /// Those parameters for that module.
    pub(crate) fn new(module: &'static Module, given: &Map<String, Value>) -> Result<Self, Failure> {
        let mut values = Map::new();
        for (name, value) in given {
            match declared(module, name) {
                Some(parameter) => {
                    values.insert(parameter.name.to_owned(), value.clone());
                }
                None => return Err(Failure::message(unsupported(module, name))),
            }
        }
        for parameter in module.parameters {
            fill_default(&mut values, parameter);
        }
        let arguments = Self { values, module };
        arguments.check_required()?;
        arguments.check_choices()?;
        Ok(arguments)
    }

    fn check_required(&self) -> Result<(), Failure> {
        let mut missing: Vec<_> = self.module.parameters.iter().filter(|p| p.required).map(|p| p.name).collect();
        missing.retain(|name| !self.values.contains_key(*name));
        missing.sort_unstable();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::message(format!("missing required arguments: {}", missing.join(", "))))
    }

    fn check_choices(&self) -> Result<(), Failure> {
        for parameter in self.module.parameters.iter().filter(|p| !p.choices.is_empty()) {
            let Some(given) = self.string(parameter.name)? else { continue };
            if !parameter.choices.contains(&given.as_str()) {
                let choices = parameter.choices.join(", ");
                return Err(Failure::message(format!(
                    "value of {} must be one of: {choices}, got: {given}",
                    parameter.name
                )));
            }
        }
        Ok(())
    }

    /// Fails when more than one of them is given.
    pub(crate) fn mutually_exclusive(&self, names: &[&str]) -> Result<(), Failure> {
        if names.iter().filter(|name| self.given(name).is_some()).count() > 1 {
            return Err(Failure::message(format!("parameters are mutually exclusive: {}", names.join("|"))));
        }
        Ok(())
    }

    /// The value as it was given; null counts as not given.
    pub(crate) fn given(&self, name: &str) -> Option<&Value> {
        debug_assert!(declared(self.module, name).is_some(), "{name} is not declared");
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// `str` and `path`. Other values become text as Python would write them.
    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.given(name).map(text))
    }

    /// A required `str` or `path`. Null is the empty string, as in ansible-core 2.19.
    pub(crate) fn required_string(&self, name: &str) -> Result<String, Failure> {
        Ok(self.string(name)?.unwrap_or_default())
    }

    /// `bool`, false when it has neither value nor default.
    pub(crate) fn bool(&self, name: &str) -> Result<bool, Failure> {
        match self.given(name) {
            None => Ok(false),
            Some(value) => boolean(value).map_err(|why| unconvertible(name, value, "bool", &why)),
        }
    }

    /// `int`
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(value) = self.given(name) else { return Ok(None) };
        match integer(value) {
            Some(number) => Ok(Some(number)),
            None => {
                let why = format!("\"{}\" cannot be converted to an int", repr(value));
                Err(unconvertible(name, value, "int", &why))
            }
        }
    }

    /// An `int` that counts something (seconds, a depth): below zero is an error of its own.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>, Failure> {
        match self.integer(name)? {
            None => Ok(None),
            Some(number) => match u64::try_from(number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Failure::message(format!("value of {name} must not be negative, got: {number}"))),
            },
        }
    }

    /// `list` of `str`: a string is split at its commas.
    pub(crate) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items.iter().map(text).collect())),
            Some(Value::String(line)) => Ok(Some(line.split(',').map(str::to_owned).collect())),
            Some(number @ Value::Number(_)) => Ok(Some(vec![text(number)])),
            Some(other) => {
                let why = format!("<class '{}'> cannot be converted to a list", type_name(other));
                Err(unconvertible(name, other, "list", &why))
            }
        }
    }

    /// `list` of `int`.
    pub(crate) fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, Failure> {
        let Some(items) = self.strings(name)? else { return Ok(None) };
        let convert = |item: &String| {
            let value = Value::String(item.clone());
            integer(&value).ok_or_else(|| {
                Failure::message(format!(
                    "Elements value for option '{name}' is of type str and we were unable to convert to int: \"{}\" cannot \
                     be converted to an int",
                    repr(&value)
                ))
            })
        };
        items.iter().map(convert).collect::<Result<_, _>>().map(Some)
    }

    /// `dict`: a mapping, JSON, or `k1=v1, k2=v2`.
    pub(crate) fn dictionary(&self, name: &str) -> Result<IndexMap<String, Value>, Failure> {
        match self.given(name) {
            None => Ok(IndexMap::new()),
            Some(Value::Object(map)) => Ok(map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
            Some(Value::String(line)) => {
                dictionary(line).map_err(|why| unconvertible(name, &Value::String(line.clone()), "dict", &why))
            }
            Some(other) => {
                let why = format!("<class '{}'> cannot be converted to a dict", type_name(other));
                Err(unconvertible(name, other, "dict", &why))
            }
        }
    }
}

fn declared(module: &Module, name: &str) -> Option<&'static Parameter> {
    module.parameters.iter().find(|parameter| parameter.name == name || parameter.aliases.contains(&name))
}

fn fill_default(values: &mut Map<String, Value>, parameter: &Parameter) {
    let missing = values.get(parameter.name).is_none_or(Value::is_null);
    if let (true, Some(default)) = (missing, parameter.default) {
        values.insert(parameter.name.to_owned(), Value::String(default.to_owned()));
    }
}

fn unsupported(module: &Module, name: &str) -> String {
    let mut names: Vec<_> = module.parameters.iter().map(|p| p.name).collect();
    names.sort_unstable();
    let mut text = format!(
        "Unsupported parameters for ({}) module: {name}. Supported parameters include: {}",
        module.name,
        names.join(", ")
    );
    let mut aliases: Vec<_> = module.parameters.iter().flat_map(|p| p.aliases).copied().collect();
    aliases.sort_unstable();
    if !aliases.is_empty() {
        text += &format!(" ({})", aliases.join(", "));
    }
    text + "."
}

fn unconvertible(name: &str, value: &Value, wanted: &str, why: &str) -> Failure {
    let given = type_name(value);
    Failure::message(format!("argument '{name}' is of type {given} and we were unable to convert to {wanted}: {why}"))
}

/// Python's name of a value's type.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Python's `str()` of a value.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => repr(other),
    }
}

/// Python's `repr()` of a value.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")),
        Value::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs: Vec<_> = map.iter().map(|(k, v)| format!("'{k}': {}", repr(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// JSON with Python's spaces (`json.dumps`), which escapes what is not ASCII.
pub(crate) fn json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs: Vec<_> =
                map.iter().map(|(k, v)| format!("{}: {}", ascii(&Value::from(k.as_str())), json(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => ascii(other),
    }
}

fn ascii(value: &Value) -> String {
    let mut escaped = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            escaped.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    escaped
}

/// The words for true and false (`module_utils/parsing/convert_bool.py`).
const TRUE: [&str; 6] = ["y", "yes", "on", "1", "true", "t"];
const FALSE: [&str; 6] = ["n", "no", "off", "0", "false", "f"];

fn boolean(value: &Value) -> Result<bool, String> {
    let word = match value {
        Value::Bool(value) => return Ok(*value),
        Value::Array(_) | Value::Object(_) => {
            return Err(format!("<class '{}'> cannot be converted to a bool", type_name(value)));
        }
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => return Ok(true),
            Some(0.0) => return Ok(false),
            _ => number.to_string(),
        },
        other => text(other).trim().to_lowercase(),
    };
    match word.as_str() {
        word if TRUE.contains(&word) => Ok(true),
        word if FALSE.contains(&word) => Ok(false),
        _ => Err(format!(
            "The value '{}' is not a valid boolean. Valid booleans include: 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', \
             'on', 't', 'true', 'y', 'yes'",
            text(value)
        )),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        // A bool is an int in Python.
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim().replace('_', "");
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn whole(number: f64) -> Option<i64> {
    // 2^53: every whole number up to it has an exact f64.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

fn dictionary(line: &str) -> Result<IndexMap<String, Value>, String> {
    if line.starts_with('{') {
        return serde_json::from_str(line).map_err(|_| "unable to evaluate string as dictionary".to_owned());
    }
    if !line.contains('=') {
        return Err("dictionary requested, could not parse JSON or key=value".to_owned());
    }
    let broken = || "unable to evaluate string in the \"key=value\" format as dictionary".to_owned();
    let pair = |field: String| {
        let (key, value) = field.split_once('=').ok_or_else(broken)?;
        Ok((key.to_owned(), Value::String(value.to_owned())))
    };
    fields(line.trim()).into_iter().map(pair).collect()
}

/// Splits at commas and spaces outside quotes; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match c {
            _ if escaped => {
                field.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            ',' | ' ' if quote.is_none() => fields.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    fields.push(field);
    fields.retain(|field| !field.is_empty());
    fields
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::super::testing::{message, parameters};
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn never<'a>(_: &'a Invocation<'a>) -> futures::future::BoxFuture<'a, Result<super::super::TaskResult, Failure>> {
        Box::pin(async { Err(Failure::message("not for running")) })
    }

    const MODULE: Module = Module {
        name: "sample",
        summary: "for these tests",
        parameters: &[
            Parameter::new("path", Kind::Path, "a path").required().aliases(&["dest"]),
            Parameter::new("on", Kind::Bool, "a switch").default("yes"),
            Parameter::new("number", Kind::Integer, "a number"),
            Parameter::new("list", Kind::List, "a list"),
            Parameter::new("map", Kind::Dictionary, "a map"),
            Parameter::new("state", Kind::String, "a choice").choices(&["absent", "present"]),
        ],
        free_form: false,
        open: false,
        needs_machine: false,
        run: never,
    };

    fn arguments(given: Value) -> Result<Arguments, Failure> {
        Arguments::new(&MODULE, &parameters(given))
    }

    fn refusal(given: Value) -> String {
        match arguments(given) {
            Err(failure) => message(failure),
            Ok(arguments) => message(
                [
                    arguments.bool("on").err(),
                    arguments.integer("number").err(),
                    arguments.strings("list").err(),
                    arguments.dictionary("map").err(),
                ]
                .into_iter()
                .flatten()
                .next()
                .unwrap(),
            ),
        }
    }

    // The texts are ansible-core 2.19.5's; of the boolean words it prints the set in Python's order, which is random.
    #[rstest]
    #[case(json!({}), "missing required arguments: path")]
    #[case(json!({"path": "x", "state": "up"}), "value of state must be one of: absent, present, got: up")]
    #[case(json!({"path": "x", "number": "abc"}),
        "argument 'number' is of type str and we were unable to convert to int: \"'abc'\" cannot be converted to an int")]
    #[case(json!({"path": "x", "number": 1.5}),
        "argument 'number' is of type float and we were unable to convert to int: \"1.5\" cannot be converted to an int")]
    #[case(json!({"path": "x", "on": "maybe"}),
        "argument 'on' is of type str and we were unable to convert to bool: The value 'maybe' is not a valid boolean. Valid \
         booleans include: 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'")]
    #[case(json!({"path": "x", "map": "a"}),
        "argument 'map' is of type str and we were unable to convert to dict: dictionary requested, could not parse JSON or \
         key=value")]
    #[case(json!({"path": "x", "list": {"a": 1}}),
        "argument 'list' is of type dict and we were unable to convert to list: <class 'dict'> cannot be converted to a list")]
    #[case(json!({"path": "x", "mode": 1}),
        "Unsupported parameters for (sample) module: mode. Supported parameters include: list, map, number, on, path, state \
         (dest).")]
    fn refuses_in_ansibles_words(#[case] given: Value, #[case] expected: &str) {
        assert_eq!(refusal(given), expected);
    }

    #[rstest]
    #[case(json!("YES"), true)]
    #[case(json!("off"), false)]
    #[case(json!(1), true)]
    #[case(json!(null), true)]
    #[case(json!(false), false)]
    fn reads_booleans(#[case] given: Value, #[case] expected: bool) {
        assert_eq!(arguments(json!({"path": "x", "on": given})).ok().unwrap().bool("on").ok(), Some(expected));
    }

    #[rstest]
    #[case(json!("12"), Some(12))]
    #[case(json!(3.0), Some(3))]
    #[case(json!(null), None)]
    #[case(json!(true), Some(1))]
    fn reads_integers(#[case] given: Value, #[case] expected: Option<i64>) {
        assert_eq!(
            arguments(json!({"path": "x", "number": given})).ok().unwrap().integer("number").ok(),
            Some(expected)
        );
    }

    #[test]
    fn an_alias_counts_as_the_name() {
        let arguments = arguments(json!({"dest": 5})).ok().unwrap();
        assert_eq!(arguments.required_string("path").ok().unwrap(), "5");
    }

    #[rstest]
    #[case(json!("a,b"), &["a", "b"])]
    #[case(json!(200), &["200"])]
    #[case(json!([1, true]), &["1", "True"])]
    fn reads_lists(#[case] given: Value, #[case] expected: &[&str]) {
        let arguments = arguments(json!({"path": "x", "list": given})).ok().unwrap();
        assert_eq!(arguments.strings("list").ok().unwrap().unwrap(), expected);
    }

    #[rstest]
    #[case(json!("a=1, b='x y'"), json!({"a": "1", "b": "x y"}))]
    #[case(json!("{\"a\": 1}"), json!({"a": 1}))]
    #[case(json!({"a": [1]}), json!({"a": [1]}))]
    fn reads_dictionaries(#[case] given: Value, #[case] expected: Value) {
        let arguments = arguments(json!({"path": "x", "map": given})).ok().unwrap();
        let found = Value::Object(arguments.dictionary("map").ok().unwrap().into_iter().collect());
        assert_eq!(found, expected);
    }
}
