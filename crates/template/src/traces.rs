//! What evaluations have read of secrets, and what they made of them. A secret is a `!vault` value, or one marked
//! [`yaml::Node::is_secret`]; whatever an expression gives that has read one counts as made of it.

use crate::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The texts of secrets, and of what was made of them, that have come out of templates. Clones share them.
#[derive(Clone, Default)]
pub struct Traces(Arc<Inner>);

#[derive(Default)]
struct Inner {
    any: AtomicBool,
    texts: Mutex<BTreeSet<String>>,
}

/// Texts below this many characters stand inside other text by chance.
pub const SHORTEST_PART: usize = 3;

impl Traces {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing secret was read.
    pub fn is_empty(&self) -> bool {
        !self.0.any.load(Relaxed)
    }

    /// Adds a text.
    pub fn add(&self, text: &str) {
        self.extend([text.to_owned()]);
    }

    /// Adds texts; empty ones tell nothing.
    pub fn extend(&self, texts: impl IntoIterator<Item = String>) {
        let mut known = self.0.texts.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(texts.into_iter().filter(|text| !text.trim().is_empty()));
        self.0.any.store(!known.is_empty(), Relaxed);
    }

    /// All texts, in no order that means anything.
    pub fn texts(&self) -> Vec<String> {
        self.0.texts.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Of what an evaluation has noted, what its result holds, be it between quotes.
    pub(crate) fn keep(&self, noted: Vec<String>, result: &Value) {
        let result = held(result);
        let holds = |text: &str| result.iter().any(|held| held.contains(text));
        let is_held = |text: &String| holds(text) || diagnostic::quoted_forms(text).iter().any(|form| holds(form));
        self.extend(noted.into_iter().filter(is_held));
    }

    /// The words of a command line that a shell may make of the texts in it.
    pub fn split(&self, line: &str) {
        let known = self.texts();
        let inside = known.iter().filter(|text| line.contains(text.as_str()));
        self.extend(inside.flat_map(|text| words(text)).map(str::to_owned));
    }
}

/// What stands between white space and quotes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character.is_whitespace() || "'\"\\".contains(character))
}

/// The texts that the scalars of a value can be seen as. Keys name what is there, and are not among them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, false, &mut found);
    found
}

/// The same with keys: where a secret can have gone.
fn held(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, true, &mut found);
    found
}

fn collect(value: &Value, keys: bool, found: &mut Vec<String>) {
    match value {
        Value::Str(text) => {
            found.push(text.trim_end_matches('\n').to_owned());
            if text.trim_end().contains('\n') {
                found.extend(text.lines().map(|line| line.trim().to_owned()));
            }
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => {
            found.push(value.to_text());
            let json = match value.to_json() {
                serde_json::Value::String(text) => text,
                json => json.to_string(),
            };
            found.push(json);
        }
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| collect(item, keys, found)),
        Value::Map(map) => {
            for (key, value) in map.iter() {
                found.extend(keys.then(|| key.to_json()));
                collect(value, keys, found);
            }
        }
        _ => {}
    }
}

/// What one evaluation notes while it runs. Evaluation is on one thread at a time: the flags need no order.
#[derive(Default)]
pub(crate) struct Notes {
    /// Whether something secret was read, since whoever asks last reset it.
    read: AtomicBool,
    /// Whether something was put out that a secret went into.
    emitted: AtomicBool,
    texts: Mutex<Vec<String>>,
    /// The keys of mappings that were read with their values.
    names: Mutex<BTreeSet<String>>,
}

impl Notes {
    /// A secret was read.
    pub(crate) fn secret(&self, value: &Value) {
        self.read.store(true, Relaxed);
        self.add(texts(value));
    }

    /// A mapping was read as a whole. Its names are no secrets, and neither is what consists of them.
    pub(crate) fn names<'n>(&self, names: impl Iterator<Item = &'n str>) {
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(names.filter(|name| name.chars().count() > 1).map(str::to_owned));
    }

    /// Whether a text is a name, or a list of names. A single character could be a part of anything.
    fn is_of_names(&self, text: &str) -> bool {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let is_part = |sign: char| sign.is_alphanumeric() || "_-.".contains(sign);
        let mut words = text.split(|sign| !is_part(sign)).filter(|word| !word.is_empty()).peekable();
        names.contains(text) || words.peek().is_some() && words.all(|word| names.contains(word))
    }

    fn add(&self, texts: Vec<String>) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).extend(texts);
    }

    /// Runs an expression whose value is put out, and notes the value if a secret went into it.
    pub(crate) fn emitting<E>(&self, run: impl FnOnce() -> Result<Value, E>) -> Result<Value, E> {
        let before = self.read.load(Relaxed);
        self.read.store(false, Relaxed);
        let value = run();
        let here = self.read.load(Relaxed);
        self.read.store(before, Relaxed);
        if before || here {
            self.emitted.store(true, Relaxed);
            let made = value.iter().flat_map(texts).filter(|text| !self.is_of_names(text));
            self.add(made.collect());
        }
        value
    }

    /// Runs a template of its own inside another: for the outer one, whatever secret was read there is one read.
    pub(crate) fn enclosed<T>(&self, run: impl FnOnce() -> T) -> T {
        let before = [&self.read, &self.emitted].map(|flag| flag.load(Relaxed));
        self.read.store(false, Relaxed);
        self.emitted.store(false, Relaxed);
        let result = run();
        let here = self.read.load(Relaxed) || self.emitted.load(Relaxed);
        self.read.store(before[0] || here, Relaxed);
        self.emitted.store(before[1], Relaxed);
        result
    }

    /// Notes the words of a text that very short secrets became a part of, since these are sought as whole words only.
    pub(crate) fn words(&self, text: &str) {
        if !self.emitted.load(Relaxed) {
            return;
        }
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let short: Vec<&String> = texts.iter().filter(|text| text.chars().count() < SHORTEST_PART).collect();
        let holds = |word: &&str| short.iter().any(|part| !part.is_empty() && word.contains(part.as_str()));
        let found: Vec<String> = words(text).filter(holds).map(str::to_owned).collect();
        texts.extend(found);
    }

    /// What was noted, once.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
