//! One value in a field: width, fill, sign, precision and type, shared by `%` and `str.format`.

use crate::Value;
use crate::error::Error;
use crate::value::float_text;

/// How a value is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    pub(crate) fill: Option<char>,
    /// `<`, `>`, `^` or `=`
    pub(crate) align: Option<char>,
    /// `+`, `-` or a space
    pub(crate) sign: Option<char>,
    pub(crate) alternate: bool,
    pub(crate) zero: bool,
    pub(crate) width: usize,
    /// `,` or `_`
    pub(crate) grouping: Option<char>,
    pub(crate) precision: Option<usize>,
    pub(crate) kind: Option<char>,
}

/// Python allows wider fields; a template that does is a slip.
const WIDEST: usize = 100_000;

impl Spec {
    /// Reads `[[fill]align][sign][#][0][width][grouping][.precision][type]` (Python's format specification).
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::operation(format!("invalid format specifier `{text}`"));
        let mut spec = Self::default();
        let mut rest: Vec<char> = text.chars().rev().collect();
        let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^' | '='));
        if rest.len() >= 2 && is_align(rest.get(rest.len() - 2)) {
            spec.fill = rest.pop();
            spec.align = rest.pop();
        } else if is_align(rest.last()) {
            spec.align = rest.pop();
        }
        let mut take = |wanted: &[char]| {
            rest.last().copied().filter(|c| wanted.contains(c)).inspect(|_| {
                rest.pop();
            })
        };
        spec.sign = take(&['+', '-', ' ']);
        spec.alternate = take(&['#']).is_some();
        spec.zero = take(&['0']).is_some();
        spec.width = number(&mut rest).unwrap_or(0);
        spec.grouping = rest.last().copied().filter(|c| matches!(c, ',' | '_')).inspect(|_| {
            rest.pop();
        });
        if rest.last() == Some(&'.') {
            rest.pop();
            spec.precision = Some(number(&mut rest).ok_or_else(invalid)?);
        }
        spec.kind = rest.pop();
        let too_wide = spec.width > WIDEST || spec.precision.is_some_and(|precision| precision > WIDEST);
        if !rest.is_empty() || too_wide { Err(invalid()) } else { Ok(spec) }
    }

    /// The value in its field.
    pub(crate) fn apply(&self, value: &Value) -> Result<String, Error> {
        crate::eval::require_deep(value)?;
        let kind = self.kind.unwrap_or('\0');
        let bad = || {
            let found = value.type_name();
            Err(Error::operation(format!("unknown format code '{kind}' for object of type '{found}'")))
        };
        match (kind, value) {
            ('\0' | 's', Value::Str(text)) => Ok(self.place(&self.cut(text), '<')),
            ('\0', Value::Bool(_)) => Ok(self.place(&value.to_text(), '<')),
            ('\0' | 'd' | 'n' | 'x' | 'X' | 'o' | 'b' | 'c', _) if value.as_int().is_some() => {
                Ok(self.integer(value.as_int().unwrap_or(0), kind))
            }
            ('f' | 'F' | 'e' | 'E' | 'g' | 'G' | '%' | '\0', _) if value.as_float().is_some() => {
                Ok(self.float(value.as_float().unwrap_or(0.0), kind))
            }
            ('\0', _) => Ok(self.place(&value.to_text(), '<')),
            _ => bad(),
        }
    }

    pub(crate) fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn integer(&self, number: i128, kind: char) -> String {
        let magnitude = number.unsigned_abs();
        let (prefix, digits) = match kind {
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            'o' => ("0o", format!("{magnitude:o}")),
            'b' => ("0b", format!("{magnitude:b}")),
            'c' => ("", u32::try_from(magnitude).ok().and_then(char::from_u32).map_or_else(String::new, String::from)),
            _ => ("", magnitude.to_string()),
        };
        let prefix = if self.alternate { prefix } else { "" };
        self.number(number < 0, prefix, &self.grouped(&digits))
    }

    fn float(&self, number: f64, kind: char) -> String {
        let precision = self.precision.unwrap_or(6);
        let magnitude = number.abs();
        let text = match kind {
            _ if !magnitude.is_finite() => float_text(magnitude),
            'e' | 'E' => exponent(magnitude, precision),
            'g' | 'G' => general(magnitude, precision.max(1), self.alternate),
            '%' => format!("{:.precision$}%", magnitude * 100.0),
            '\0' if self.precision.is_none() => float_text(magnitude),
            '\0' => general(magnitude, precision.max(1), self.alternate),
            _ => format!("{magnitude:.precision$}"),
        };
        let text = if kind.is_ascii_uppercase() { text.to_uppercase() } else { text };
        self.number(number.is_sign_negative() && !number.is_nan(), "", &self.grouped(&text))
    }

    fn grouped(&self, digits: &str) -> String {
        let Some(separator) = self.grouping else { return digits.to_owned() };
        let (whole, rest) = digits.split_at(digits.find(['.', 'e', '%']).unwrap_or(digits.len()));
        let mut out = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                out.push(separator);
            }
            out.push(digit);
        }
        out + rest
    }

    fn number(&self, negative: bool, prefix: &str, digits: &str) -> String {
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        };
        let length = sign.len() + prefix.len() + digits.chars().count();
        let inner = self.align == Some('=') || (self.zero && self.align.is_none());
        if inner && length < self.width {
            let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' });
            let padding: String = std::iter::repeat_n(fill, self.width - length).collect();
            return format!("{sign}{prefix}{padding}{digits}");
        }
        self.place(&format!("{sign}{prefix}{digits}"), '>')
    }

    /// The text in its field.
    pub(crate) fn place(&self, text: &str, default: char) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' });
        let (left, right) = match self.align.unwrap_or(default) {
            '<' => (0, missing),
            '^' => (missing / 2, missing - missing / 2),
            _ => (missing, 0),
        };
        let pad = |count| std::iter::repeat_n(fill, count).collect::<String>();
        format!("{}{text}{}", pad(left), pad(right))
    }
}

fn number(rest: &mut Vec<char>) -> Option<usize> {
    let mut found = None;
    while let Some(digit) = rest.last().and_then(|c| c.to_digit(10)) {
        found = Some(found.unwrap_or(0usize).saturating_mul(10).saturating_add(digit as usize));
        rest.pop();
    }
    found
}

fn exponent(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `%g`: the shorter of fixed and exponent form, without trailing zeros.
fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let scientific = exponent(number, precision - 1);
    let power: i32 = scientific.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let text = if power < -4 || power >= i32::try_from(precision).unwrap_or(i32::MAX) {
        scientific
    } else {
        let decimals = usize::try_from(i64::try_from(precision).unwrap_or(0) - 1 - i64::from(power)).unwrap_or(0);
        format!("{number:.decimals$}")
    };
    if keep_zeros || !text.contains('.') {
        return text;
    }
    let (digits, rest) = text.split_at(text.find('e').unwrap_or(text.len()));
    format!("{}{rest}", digits.trim_end_matches('0').trim_end_matches('.'))
}
