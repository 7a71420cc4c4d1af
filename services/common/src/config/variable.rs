//! One variable: its rules, and reading it.

use super::environment::Documented;
use super::{Environment, Invalid, Mistake, Setting};
use diagnostic::{REDACTED, Secret, closest};
use std::fmt::Display;
use std::time::Duration;

/// Secrets are short; a file that is longer is not one (`/dev/zero`, a disk image).
const SECRET_LIMIT_BYTES: u64 = 64 * 1024;

/// A variable that is about to be read. Ends with [`required`](Self::required), [`default`](Self::default),
/// [`optional`](Self::optional), [`secret`](Self::secret) or [`optional_secret`](Self::optional_secret).
#[derive(Debug)]
pub struct Variable<'a> {
    environment: &'a mut Environment,
    name: &'static str,
    about: &'static str,
    hint: Option<&'static str>,
    bounds: Option<(f64, f64)>,
    shortest: Option<Duration>,
    choices: &'static [&'static str],
}

impl<'a> Variable<'a> {
    pub(super) fn new(environment: &'a mut Environment, name: &'static str, about: &'static str) -> Self {
        Self { environment, name, about, hint: None, bounds: None, shortest: None, choices: &[] }
    }

    /// What to tell whoever got it wrong.
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The smallest and the largest number allowed.
    pub fn within(mut self, least: impl Into<f64>, most: impl Into<f64>) -> Self {
        self.bounds = Some((least.into(), most.into()));
        self
    }

    /// The shortest duration allowed.
    pub fn at_least(mut self, shortest: Duration) -> Self {
        self.shortest = Some(shortest);
        self
    }

    /// The only values allowed.
    pub fn one_of(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// A value that must be set.
    ///
    /// # Errors
    /// Missing, empty or of the wrong type; noted in the environment.
    pub fn required<T: Setting>(mut self) -> Result<T, Invalid> {
        self.document(T::KIND, None, false, true);
        match self.text() {
            Some(text) => self.parse(&text),
            None => Err(self.missing(false)),
        }
    }

    /// A value that has a default.
    ///
    /// # Errors
    /// Set, but of the wrong type.
    pub fn default<T: Setting>(mut self, default: impl Display) -> Result<T, Invalid> {
        let default = default.to_string();
        self.document(T::KIND, Some(default.clone()), false, false);
        let text = self.text().unwrap_or(default);
        self.parse(&text)
    }

    /// A value that may be absent.
    ///
    /// # Errors
    /// Set, but of the wrong type.
    pub fn optional<T: Setting>(mut self) -> Result<Option<T>, Invalid> {
        self.document(T::KIND, None, false, false);
        match self.text() {
            Some(text) => self.parse(&text).map(Some),
            None => Ok(None),
        }
    }

    /// A secret, from the variable or from the file that `<NAME>_FILE` names; there is never a default.
    ///
    /// # Errors
    /// Missing, given twice, or its file cannot be read.
    pub fn secret(mut self) -> Result<Secret<String>, Invalid> {
        self.document("secret", None, true, true);
        match self.secret_text() {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(self.missing(true)),
            Err(invalid) => Err(invalid),
        }
    }

    /// A secret that may be absent.
    ///
    /// # Errors
    /// Given twice, or its file cannot be read.
    pub fn optional_secret(mut self) -> Result<Option<Secret<String>>, Invalid> {
        self.document("secret", None, true, false);
        self.secret_text()
    }

    /// What is set; an empty variable counts as unset, as a template leaves it when its value is absent.
    fn text(&self) -> Option<String> {
        self.environment.variables.get(self.name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn parse<T: Setting>(self, text: &str) -> Result<T, Invalid> {
        if !self.choices.is_empty() && !self.choices.contains(&text) {
            let choices = self.choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
            return Err(self.wrong(format!("is `{text}`, none of {choices}"), None));
        }
        let value = match T::parse(text) {
            Ok(value) => value,
            Err(wrong) => {
                let hint = service_link(text).map(str::to_owned);
                return Err(self.wrong(wrong, hint));
            }
        };
        if let (Some(shortest), Ok(duration)) = (self.shortest, Duration::parse(text))
            && duration < shortest
        {
            return Err(self.wrong(format!("is `{text}`, shorter than {shortest:?}"), None));
        }
        match (self.bounds, text.parse::<f64>()) {
            (Some((least, most)), Ok(number)) if !(least..=most).contains(&number) => {
                Err(self.wrong(format!("is {text}, outside {least} to {most}"), None))
            }
            _ => Ok(value),
        }
    }

    fn secret_text(&mut self) -> Result<Option<Secret<String>>, Invalid> {
        let file_name = format!("{}_FILE", self.name);
        // A secret may begin or end with blanks, so it is not trimmed as other values are.
        let direct = self.environment.variables.get(self.name).filter(|text| !text.is_empty()).cloned();
        let file = self.environment.variables.get(&file_name).filter(|text| !text.is_empty()).cloned();
        match (direct, file) {
            (Some(_), Some(_)) => {
                Err(self.note(format!("is set, and so is `{file_name}`"), Some("unset one".to_owned())))
            }
            (Some(text), None) => {
                // What was read is not kept where a debug print finds it.
                self.environment.variables.remove(self.name);
                Ok(Some(Secret::new(text)))
            }
            (None, None) => Ok(None),
            (None, Some(path)) => match read_secret(&path) {
                Ok(secret) => Ok(Some(secret)),
                Err(text) => {
                    self.environment.mistakes.push(Mistake { variable: file_name, text, hint: None });
                    Err(Invalid)
                }
            },
        }
    }

    fn missing(self, secret: bool) -> Invalid {
        let set = self.environment.variables.keys().map(String::as_str);
        let known: Vec<&str> = self.environment.documented.iter().map(|known| known.name).collect();
        // Only a near miss counts: `REDIS_PORT` is not a slip of `POSTGRES_PORT`, nor is a name that means something.
        let slip = closest(self.name, set.filter(|name| same_letters(name, self.name) && !known.contains(name)));
        let hint = match (slip, self.hint, secret) {
            (Some(slip), ..) => Some(format!("did you mean it by `{slip}`, which is set?")),
            (None, Some(hint), _) => Some(hint.to_owned()),
            (None, None, true) => Some(format!("set it, or `{}_FILE` to a file that holds it", self.name)),
            (None, None, false) => None,
        };
        self.wrong("is not set".to_owned(), hint)
    }

    fn wrong(mut self, text: String, hint: Option<String>) -> Invalid {
        self.note(text, hint)
    }

    fn note(&mut self, text: String, hint: Option<String>) -> Invalid {
        let hint = hint.or(self.hint.map(str::to_owned));
        self.environment.mistakes.push(Mistake { variable: self.name.to_owned(), text, hint });
        Invalid
    }

    fn document(&mut self, kind: &'static str, default: Option<String>, secret: bool, required: bool) {
        let set = self.environment.variables.contains_key(self.name)
            || self.environment.variables.contains_key(&format!("{}_FILE", self.name));
        let value = if secret { set.then(|| REDACTED.to_owned()) } else { self.text() };
        let (name, about, section) = (self.name, self.about, self.environment.section);
        self.environment.documented.push(Documented { section, name, about, kind, default, secret, required, value });
    }
}

/// Off by a swap, a letter more or a letter less.
fn same_letters(a: &str, b: &str) -> bool {
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let mut rest: Vec<u8> = b.bytes().collect();
    let more = a.bytes().filter(|letter| match rest.iter().position(|other| other == letter) {
        Some(place) => {
            rest.swap_remove(place);
            false
        }
        None => true,
    });
    more.count() <= 1
}

/// Kubernetes sets `<SERVICE>_PORT=tcp://…` for each Service of the namespace (Pod `enableServiceLinks`).
fn service_link(text: &str) -> Option<&'static str> {
    text.starts_with("tcp://").then_some(
        "Kubernetes set it for a Service of that name: set it yourself, or `enableServiceLinks: false` in the pod",
    )
}

fn read_secret(path: &str) -> Result<Secret<String>, String> {
    use std::io::Read;
    let cannot = |error: std::io::Error| format!("names `{path}`, which cannot be read: {error}");
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(SECRET_LIMIT_BYTES + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > SECRET_LIMIT_BYTES {
        return Err(format!("names `{path}`, which is too long for a secret"));
    }
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(format!("names `{path}`, which is empty"));
    }
    Ok(Secret::new(secret.to_owned()))
}
