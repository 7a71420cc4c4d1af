//! What a plain scalar means in YAML 1.1. The patterns and conversions are PyYAML 6.0's (`resolver.py`, `constructor.py`).

use crate::Value;
use regex::Regex;
use std::sync::LazyLock;

/// Which rules plain scalars follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// PyYAML's YAML 1.1.
    Yaml,
    /// The text is valid JSON, which Ansible tries first (`parsing/utils/yaml.py`): `1e3` is a number there.
    Json,
}

static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$",
    )
});

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern that the tests compile")
}

/// The value of a plain scalar.
pub(crate) fn resolve(text: &str, rules: Rules) -> Value {
    null(text)
        .or_else(|| bool(text))
        .or_else(|| int(text))
        .or_else(|| float(text))
        .or_else(|| json_number(text, rules))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

pub(crate) fn null(text: &str) -> Option<Value> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Value::Null)
}

pub(crate) fn bool(text: &str) -> Option<Value> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(Value::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Integers that do not fit into 64 bits stay text: a float would lose digits.
pub(crate) fn int(text: &str) -> Option<Value> {
    if !INT.is_match(text) {
        return None;
    }
    let plain = text.replace('_', "");
    let (negative, digits) = unsigned(&plain);
    let magnitude = if digits == "0" {
        0
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i128::from_str_radix(binary, 2).ok()?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        i128::from_str_radix(hexadecimal, 16).ok()?
    } else if digits.starts_with('0') {
        i128::from_str_radix(digits, 8).ok()?
    } else {
        digits.split(':').try_fold(0_i128, |sum, part| sum.checked_mul(60)?.checked_add(part.parse().ok()?))?
    };
    i64::try_from(if negative { -magnitude } else { magnitude }).ok().map(Value::Int)
}

pub(crate) fn float(text: &str) -> Option<Value> {
    if !FLOAT.is_match(text) {
        return None;
    }
    let plain = text.replace('_', "").to_lowercase();
    let (negative, digits) = unsigned(&plain);
    let magnitude = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => digits.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?,
    };
    Some(Value::Float(if negative { -magnitude } else { magnitude }))
}

fn json_number(text: &str, rules: Rules) -> Option<Value> {
    let numeric = rules == Rules::Json && text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    numeric.then(|| text.parse().ok()).flatten().map(Value::Float)
}

fn unsigned(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, resolve};
    use crate::Value::{self, Bool, Float, Int, Null};
    use rstest::rstest;

    /// Each row was compared with PyYAML 6.0.3's `safe_load`; `None` stands for text as written.
    #[rstest]
    #[case("", Some(Null))]
    #[case("~", Some(Null))]
    #[case("NULL", Some(Null))]
    #[case("nULL", None)]
    #[case("None", None)]
    #[case("yes", Some(Bool(true)))]
    #[case("Yes", Some(Bool(true)))]
    #[case("yEs", None)]
    #[case("y", None)]
    #[case("n", None)]
    #[case("OFF", Some(Bool(false)))]
    #[case("True", Some(Bool(true)))]
    #[case("0", Some(Int(0)))]
    #[case("-0", Some(Int(0)))]
    #[case("+12", Some(Int(12)))]
    #[case("1_000", Some(Int(1000)))]
    #[case("_1", None)]
    #[case("0644", Some(Int(420)))]
    #[case("-0644", Some(Int(-420)))]
    #[case("0o644", None)]
    #[case("08", None)]
    #[case("0x1F", Some(Int(31)))]
    #[case("0X1F", None)]
    #[case("0b101", Some(Int(5)))]
    #[case("0b2", None)]
    #[case("22:30", Some(Int(1350)))]
    #[case("1:30:00", Some(Int(5400)))]
    #[case("01:30", None)]
    #[case("1:60", None)]
    #[case("190:20:30.15", Some(Float(685_230.15)))]
    #[case("9223372036854775807", Some(Int(i64::MAX)))]
    #[case("-9223372036854775808", Some(Int(i64::MIN)))]
    #[case("1.", Some(Float(1.0)))]
    #[case("1.5", Some(Float(1.5)))]
    #[case(".5", Some(Float(0.5)))]
    #[case("-.5", None)]
    #[case("1e3", None)]
    #[case("1.5e3", None)]
    #[case("1.5e+3", Some(Float(1500.0)))]
    #[case("1_0.5", Some(Float(10.5)))]
    #[case("-.INF", Some(Float(f64::NEG_INFINITY)))]
    #[case(".iNf", None)]
    #[case("1.2.3", None)]
    #[case("v1.35.6+k3s1", None)]
    #[case("192.168.0.1", None)]
    #[case("0.0.0.0/0", None)]
    #[case("32Gi", None)]
    fn plain_scalars_are_pyyamls(#[case] text: &str, #[case] expected: Option<Value>) {
        assert_eq!(resolve(text, Rules::Yaml), expected.unwrap_or_else(|| Value::String(text.to_owned())));
    }

    #[test]
    fn not_a_number_is_a_float() {
        assert!(matches!(resolve(".NaN", Rules::Yaml), Float(number) if number.is_nan()));
    }

    /// PyYAML fails on the first and makes dates and long integers of the others; text renders the same.
    #[rstest]
    #[case("0x_")]
    #[case("2024-01-01")]
    #[case("2024-01-01 10:00:00")]
    #[case("9223372036854775808")]
    #[case("=")]
    fn what_has_no_type_here_stays_text(#[case] text: &str) {
        assert_eq!(resolve(text, Rules::Yaml), Value::String(text.to_owned()));
    }
}
