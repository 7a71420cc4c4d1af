//! `to_datetime`, `strftime`, `now()`, and the methods of times.

use super::registry::{Filter, plain};
use crate::Value;
use crate::error::Error;
use crate::eval::{Args, Bound, Exec, text};
use jiff::civil::DateTime;
use jiff::{Timestamp, Zoned, tz::TimeZone};

pub(super) const FILTERS: &[(&str, Filter)] = &[("strftime", plain(strftime)), ("to_datetime", plain(to_datetime))];

fn to_datetime(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [value, format] = args.bind(["string", "format"])?;
    let value = text(&value.need("string")?)?;
    let format = format.text_or("%Y-%m-%d %H:%M:%S")?;
    let mismatch = |_| Error::operation(format!("time data '{value}' does not match format '{format}'"));
    let parsed = jiff::fmt::strtime::BrokenDownTime::parse(&format, &value).map_err(mismatch)?;
    if let Ok(time) = parsed.to_datetime() {
        return Ok(Value::Time(time));
    }
    let date = parsed.to_date().map_err(mismatch)?;
    Ok(Value::Time(date.at(0, 0, 0, 0)))
}

fn strftime(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [format, second, utc] = args.bind(["string_format", "second", "utc"])?;
    let format = text(&format.need("string_format")?)?;
    let zone = if utc.flag_or(false)? { TimeZone::UTC } else { TimeZone::system() };
    let moment = match second.given() {
        None => Timestamp::now(),
        Some(second) => {
            let invalid = || Error::operation(format!("Invalid value for epoch value ({})", second.to_text()));
            let seconds = match &second {
                Value::Str(text) => text.trim().parse::<f64>().map_err(|_| invalid())?,
                other => other.as_float().ok_or_else(invalid)?,
            };
            if !seconds.is_finite() {
                return Err(invalid());
            }
            Timestamp::from_millisecond((seconds * 1000.0).round() as i64).map_err(|_| invalid())?
        }
    };
    write(&format, &moment.to_zoned(zone)).map(Value::from)
}

fn write(format: &str, moment: &Zoned) -> Result<String, Error> {
    jiff::fmt::strtime::format(format, moment)
        .map_err(|error| Error::operation(format!("the time format `{format}` can't be used: {error}")))
}

/// `now(utc=False, fmt=None)`
pub(crate) fn now(_: &mut Exec, args: Args) -> Result<Value, Error> {
    let [utc, format] = args.bind(["utc", "fmt"])?;
    let zone = if utc.flag_or(false)? { TimeZone::UTC } else { TimeZone::system() };
    let moment = Timestamp::now().to_zoned(zone);
    match format.given() {
        Some(format) => write(&text(&format)?, &moment).map(Value::from),
        None => Ok(Value::Time(moment.datetime())),
    }
}

/// The methods of a time that templates call.
pub(crate) fn time_method(time: &DateTime, name: &str, args: Args) -> Result<Value, Error> {
    match name {
        "strftime" => {
            let [format] = args.bind(["format"])?;
            let format = text(&format.need("format")?)?;
            let moment = time.to_zoned(TimeZone::UTC).map_err(|_| Error::operation("date value out of range"))?;
            write(&format, &moment).map(Value::from)
        }
        "isoformat" => Ok(Value::from(Value::Time(*time).to_text().replacen(' ', "T", 1))),
        "timestamp" => {
            let moment = time.to_zoned(TimeZone::system()).map_err(|_| Error::operation("date value out of range"))?;
            Ok(Value::Float(moment.timestamp().as_microsecond() as f64 / 1e6))
        }
        "weekday" => Ok(Value::Int(i128::from(time.weekday().to_monday_zero_offset()))),
        "date" => Ok(Value::from(time.date().to_string())),
        _ => Ok(Value::from(time.time().to_string())),
    }
}
