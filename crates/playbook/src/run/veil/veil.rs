//! The veil of one execution of a task on a host, or of the keywords of a play.

use super::diff;
use super::kind::{CONTENT, Kind};
use super::mark::Marker;
use super::words::Words;
use diagnostic::{Mistake, Position, REDACTED, Redactor};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use template::{Traces, Value, Variable};

/// Knows what was read of secrets, and hides it.
#[derive(Default)]
pub(crate) struct Veil {
    traces: Traces,
    redactor: Redactor,
    /// Keys by which a result echoes parameters.
    echoes: Mutex<BTreeSet<String>>,
    /// Whether files are written whose content must be neither shown nor guessed by its checksum.
    hides_content: AtomicBool,
}

impl Veil {
    /// `redactor` knows what is hidden everywhere.
    pub(crate) fn new(redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), ..Self::default() }
    }

    /// Where the template engine notes what was read.
    pub(crate) fn traces(&self) -> &Traces {
        &self.traces
    }

    /// From now on what stands under this key of a result is what the task was given.
    pub(crate) fn echo(&self, key: &str) {
        self.echoes.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
    }

    /// A file's content was made with these traces. Long secrets are hidden in it like anywhere; short ones, which are not
    /// sought in what the machine says of the old content, hide it whole.
    pub(crate) fn content(&self, traces: &Traces, content: &str) {
        if traces.is_empty() {
            return;
        }
        let short = Words::new(traces.texts()).short();
        if matches!(short.hide(content), std::borrow::Cow::Owned(_)) {
            self.hide_content();
        }
    }

    /// No content of files is shown.
    pub(crate) fn hide_content(&self) {
        self.hides_content.store(true, Relaxed);
    }

    /// A file was decrypted.
    pub(crate) fn decrypted(&self, text: &str) {
        self.redactor.add(text);
        self.traces.add(text.trim_end_matches('\n'));
        self.hide_content();
    }

    /// A text as it may be shown.
    pub(crate) fn text(&self, text: &str) -> String {
        if self.traces.is_empty() {
            return self.redactor.redact(text).into_owned();
        }
        self.redactor.redact(&self.words().hide(text)).into_owned()
    }

    /// A mistake as it may be shown.
    pub(crate) fn mistake(&self, mistake: &Mistake) -> Mistake {
        Mistake {
            message: self.text(&mistake.message),
            position: mistake.position.clone(),
            label: mistake.label.as_ref().map(|label| self.text(label)),
            hint: mistake.hint.as_ref().map(|hint| self.text(hint)),
        }
    }

    /// A result as it may be shown.
    pub(crate) fn result(&self, result: &Map<String, Json>) -> Map<String, Json> {
        let mut shown = result.clone();
        if self.hides_content.load(Relaxed) {
            hide_content(&mut shown);
        }
        if !self.traces.is_empty() {
            let words = self.words();
            let shown = &mut shown;
            shown.iter_mut().for_each(|(key, value)| self.hide(&words, self.under(Kind::Result, key), value));
        }
        if !self.redactor.is_empty() {
            shown.values_mut().for_each(|value| redact(value, &self.redactor));
        }
        if !self.hides_content.load(Relaxed) {
            self.cover(&mut shown, result);
        }
        shown
    }

    /// The diffs of a result, and of the results of a loop.
    fn cover(&self, shown: &mut Map<String, Json>, real: &Map<String, Json>) {
        if let (Some(shown), Some(real)) = (shown.get_mut("diff"), real.get("diff")) {
            diff::cover(shown, real);
        }
        if let (Some(Json::Array(shown)), Some(Json::Array(real))) = (shown.get_mut("results"), real.get("results")) {
            for (shown, real) in shown.iter_mut().zip(real) {
                if let (Json::Object(shown), Json::Object(real)) = (shown, real) {
                    self.cover(shown, real);
                }
            }
        }
    }

    /// Data as a variable that carries marks, if there is anything to mark.
    pub(crate) fn variable(&self, data: &Json) -> Variable {
        self.marked(Kind::Echo, data).unwrap_or_else(|| Value::from(data).into())
    }

    /// The same for what a template gave.
    pub(crate) fn value(&self, value: &Value) -> Variable {
        let marked = if self.traces.is_empty() { None } else { self.marked(Kind::Echo, &value.to_json()) };
        marked.unwrap_or_else(|| value.clone().into())
    }

    /// The same for a registered result.
    pub(crate) fn registered(&self, result: &Map<String, Json>) -> Variable {
        let result = Json::Object(result.clone());
        self.marked(Kind::Result, &result).unwrap_or_else(|| Value::from(result).into())
    }

    fn marked(&self, kind: Kind, data: &Json) -> Option<Variable> {
        if self.traces.is_empty() {
            return None;
        }
        let echoes = |key: &str| self.is_echo(key);
        let words = self.words();
        let hides_content = self.hides_content.load(Relaxed)
            || diff::contents(data).any(|text| matches!(words.hide(text), std::borrow::Cow::Owned(_)));
        let mut marker = Marker { words, echoes: &echoes, hides_content, found: false };
        let node = marker.node(kind, data, &Position::new("<data>", 1, 1));
        marker.found.then(|| Variable::Authored(Arc::new(node)))
    }

    fn words(&self) -> Words {
        Words::new(self.traces.texts())
    }

    fn is_echo(&self, key: &str) -> bool {
        self.echoes.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// Content is hidden before, and with words of its own.
    fn under(&self, kind: Kind, key: &str) -> Kind {
        kind.under(key, &|key| self.is_echo(key), false)
    }

    fn hide(&self, words: &Words, kind: Kind, value: &mut Json) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.hide(words, kind.item(), item)),
            Json::Object(entries) => {
                let hidden = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                    self.hide(words, self.under(kind, &key), &mut value);
                    let key = if kind == Kind::Result { key } else { words.hide(&key).into_owned() };
                    (key, value)
                });
                *entries = hidden.collect();
            }
            scalar => {
                if let Some(hidden) = words.hidden(kind, scalar) {
                    *scalar = hidden;
                }
            }
        }
    }
}

/// Takes the content of files out of a result, and what it could be guessed by.
fn hide_content(result: &mut Map<String, Json>) {
    for (key, value) in result {
        match (key.as_str(), value) {
            ("diff", value) => diff::blank(value),
            ("results", Json::Array(items)) => items.iter_mut().filter_map(Json::as_object_mut).for_each(hide_content),
            (key, value @ Json::String(_)) if CONTENT.contains(&key) => *value = REDACTED.into(),
            _ => {}
        }
    }
}

/// Replaces secrets that are known everywhere.
fn redact(value: &mut Json, redactor: &Redactor) {
    match value {
        Json::String(text) => {
            if let std::borrow::Cow::Owned(redacted) = redactor.redact(text) {
                *text = redacted;
            }
        }
        Json::Number(number) if redactor.redact(&number.to_string()) == REDACTED => *value = REDACTED.into(),
        Json::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        Json::Object(entries) => {
            let redacted = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                redact(&mut value, redactor);
                (redactor.redact(&key).into_owned(), value)
            });
            *entries = redacted.collect();
        }
        _ => {}
    }
}
