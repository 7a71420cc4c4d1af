//! Logs: one JSON object a line on stdout, with the ids of the trace that the line belongs to.

use crate::trace::TraceContext;
use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Sends logs to stdout from now on; a second call changes nothing. `level` is a level or filters as of `tracing`.
pub(crate) fn start(filter: EnvFilter, service: &'static str) {
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).event_format(Lines { service }).with_writer(std::io::stdout);
    // In tests several services run in one process: the first sets it.
    let _ = subscriber.fmt_fields(tracing_subscriber::fmt::format::DefaultFields::new()).try_init();
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Reads `LOG_LEVEL`: `info`, or per part `info,sqlx=warn`.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    // To `tracing` a word alone that is no level is the name of a part: `warning` would silence all others.
    let is_level = |part: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
    if let Some(part) = text.split(',').find(|part| !part.contains(['=', '[']) && !is_level(part)) {
        return Err(format!("has `{part}`, none of `{}`", LEVELS.join("`, `")));
    }
    EnvFilter::builder().parse(text).map_err(|error| format!("is `{text}`, which is no filter for logs: {error}"))
}

struct Lines {
    service: &'static str,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Map::new();
        let meta = event.metadata();
        line.insert("timestamp".into(), jiff::Timestamp::now().to_string().into());
        line.insert("level".into(), meta.level().as_str().to_ascii_lowercase().into());
        line.insert("service".into(), self.service.into());
        line.insert("target".into(), meta.target().into());
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        line.extend(fields.0);
        if let Some(trace) = TraceContext::current() {
            line.insert("trace_id".into(), trace.trace_id().into());
            line.insert("span_id".into(), trace.span_id().into());
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_alone_is_a_level() {
        for text in ["info", "WARN", "info,sqlx=warn", "off", "debug,data_ingestion::mqtt=trace", "[span]=debug"] {
            assert!(filter(text).is_ok(), "{text}");
        }
        for text in ["loud", "warning", "info,sqlx", "", "info,", "sqlx=loud"] {
            assert!(filter(text).is_err(), "{text}");
        }
        assert!(filter("warning").unwrap_err().contains("`warning`, none of `error`, `warn`, `info`"));
    }
}
