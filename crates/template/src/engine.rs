//! The way in: renders what a person wrote with the variables of a scope.

use crate::compile::{Mode, Program, Syntax, compile};
use crate::error::Error;
use crate::eval::{Args, Exec, Session, finalize};
use crate::place::{Place, Span, whole_file};
use crate::{FileOptions, Scope, Traces, Value, condition, lookups, overrides};
use diagnostic::{Position, Redactor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use yaml::Node;

/// Gives the text of an encrypted scalar or file, or why it can't.
pub type Decrypt = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// Compiled templates by how and from what they were read.
type Programs = HashMap<(Mode, Arc<str>), Arc<Program>>;

/// Renders templates. Clones share the compiled templates, so one engine serves all hosts at once.
#[derive(Clone, Default)]
pub struct Engine {
    programs: Arc<RwLock<Programs>>,
    search_path: Arc<[PathBuf]>,
    decrypt: Option<Arc<Decrypt>>,
    redactor: Redactor,
    traces: Option<Traces>,
}

/// More templates than any set of playbooks has; beyond it the cache starts anew instead of growing.
const MOST_CACHED: usize = 8192;

/// Whether a text can be a template at all: what has none of the three marks is taken as it is.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

impl Engine {
    /// An engine without search path and decryption.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same engine, with the directories in which lookups and includes find relative paths: role, play, in the
    /// order of Ansible's search. In each, `files/` or `templates/` comes before the directory itself.
    #[must_use]
    pub fn with_search_path(&self, directories: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { search_path: directories.into_iter().collect(), ..self.clone() }
    }

    /// The same engine, with a way to read `!vault` scalars.
    #[must_use]
    pub fn with_decrypt(&self, decrypt: Arc<Decrypt>) -> Self {
        Self { decrypt: Some(decrypt), ..self.clone() }
    }

    /// The same engine; every secret that is read is added to `redactor`.
    #[must_use]
    pub fn with_redactor(&self, redactor: Redactor) -> Self {
        Self { redactor, ..self.clone() }
    }

    /// The same engine, noting in `traces` what its results hold of secrets. An error can tell anything that was read on the way,
    /// so all of that is noted then.
    #[must_use]
    pub fn with_traces(&self, traces: Traces) -> Self {
        Self { traces: Some(traces), ..self.clone() }
    }

    /// Renders a node with all that it contains. A string that is one `{{ expression }}` gives the expression's value
    /// with its type; anything else becomes text. [`Value::Omit`] stands only at the top: inside containers it is dropped.
    pub fn render(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Value, Error> {
        let session = self.session(scope);
        self.traced(&session, session.node(node)).map_err(|error| explain(error, scope))
    }

    /// Renders a bare text, as an argument of the command line is one.
    pub fn render_text(&self, text: &str, position: &Position, scope: &Arc<dyn Scope>) -> Result<Value, Error> {
        let session = self.session(scope);
        let rendered = session.text(text, position).and_then(finalize);
        self.traced(&session, rendered).map_err(|error| explain(error, scope))
    }

    /// Evaluates a bare expression, as `debug: var=` has one.
    pub fn expression(&self, text: &str, position: &Position, scope: &Arc<dyn Scope>) -> Result<Value, Error> {
        let session = self.session(scope);
        let value = session.expression(text, position, Mode::Expression).and_then(finalize);
        self.traced(&session, value).map_err(|error| explain(error, scope))
    }

    /// Whether a condition (`when`, `until`, `changed_when`, `failed_when`, `assert.that`) holds. A list holds when all
    /// of its items do. As in Ansible 2.19 the result must be a boolean.
    pub fn condition(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<bool, Error> {
        let session = self.session(scope);
        let holds = condition::holds(&session, node);
        if holds.is_err() {
            self.note(session.notes().take());
        }
        holds.map_err(|error| explain(error, scope))
    }

    /// Renders a file, as the `template` module does. `name` is its path: errors name it, includes are sought beside it.
    pub fn render_file(
        &self,
        text: &str,
        name: &str,
        options: &FileOptions,
        scope: &Arc<dyn Scope>,
    ) -> Result<String, Error> {
        let origin = whole_file(name, 1);
        let session = self.session_in(scope, Path::new(name).parent());
        let rendered = self.traced(&session, session.file(text, &origin, options).map(Value::from));
        rendered.map(|text| text.to_text()).map_err(|error| explain(error, scope))
    }

    /// Runs a lookup on terms that are rendered already, as `with_dict: …` does.
    pub fn lookup(
        &self,
        name: &str,
        terms: Vec<Value>,
        position: &Position,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>, Error> {
        let program = self.program("", Mode::Template, position)?;
        let session = self.session(scope);
        let mut exec = Exec::new(session.clone(), program, position.clone(), false);
        let mut args = Args::of(terms);
        if name.ends_with("first_found") {
            args.named.push((lookups::BY_LOOP.into(), Value::Bool(true)));
        }
        let found = lookups::run(&mut exec, name, args).map(Value::list).and_then(finalize);
        let found = self.traced(&session, found).map(|found| match found {
            Value::List(found) => found.to_vec(),
            other => vec![other],
        });
        found.map_err(|error: Error| explain(error.at(|| Place::new(position, &Arc::from(""), Span::default())), scope))
    }

    /// Notes what a result holds of secrets.
    fn traced(&self, session: &Session, result: Result<Value, Error>) -> Result<Value, Error> {
        let noted = session.notes().take();
        if noted.is_empty() {
            return result;
        }
        match (&result, &self.traces) {
            (Ok(value), Some(traces)) => traces.keep(noted, value),
            _ => self.note(noted),
        }
        result
    }

    fn note(&self, noted: Vec<String>) {
        if let Some(traces) = self.traces.as_ref().filter(|_| !noted.is_empty()) {
            traces.extend(noted);
        }
    }

    fn session(&self, scope: &Arc<dyn Scope>) -> Arc<Session> {
        self.session_in(scope, None)
    }

    fn session_in(&self, scope: &Arc<dyn Scope>, directory: Option<&Path>) -> Arc<Session> {
        Arc::new(Session::new(self.clone(), scope.clone(), directory.map(Path::to_path_buf)))
    }

    /// The program of a text, compiled once.
    pub(crate) fn program(&self, text: &str, mode: Mode, origin: &Position) -> Result<Arc<Program>, Error> {
        let key = (mode, Arc::from(text));
        if let Some(program) = self.programs.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key) {
            return Ok(program.clone());
        }
        let program = Arc::new(compile_at(text, mode, &Syntax::default(), origin)?);
        let mut programs = self.programs.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if programs.len() >= MOST_CACHED {
            programs.clear();
        }
        programs.insert(key, program.clone());
        Ok(program)
    }

    /// The program of a file: options and the header of the text say how it is read.
    pub(crate) fn file_program(
        &self,
        text: &str,
        options: &FileOptions,
        origin: &Position,
    ) -> Result<Arc<Program>, Error> {
        let normalized =
            if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
        let (body, syntax) = overrides::read(&normalized, options)
            .map_err(|message| Error::syntax(message).at(|| Place::new(origin, &Arc::from(text), Span::default())))?;
        if syntax == FileOptions::default() && body.len() == normalized.len() {
            return self.program(&normalized, Mode::File, origin);
        }
        let lines = normalized[..normalized.len() - body.len()].matches('\n').count();
        let origin = Position { line: origin.line + u32::try_from(lines).unwrap_or(0), ..origin.clone() };
        compile_at(body, Mode::File, &syntax, &origin).map(Arc::new)
    }

    pub(crate) fn search_path(&self) -> &[PathBuf] {
        &self.search_path
    }

    /// The text of something encrypted. The error does not know yet what that is.
    pub(crate) fn decrypt(&self, ciphertext: &str) -> Result<String, Error> {
        match &self.decrypt {
            Some(decrypt) => decrypt(ciphertext).map_err(|why| Error::encrypted(Some(why))),
            None => Err(Error::encrypted(None)),
        }
    }

    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

/// Compiles, with the place in the file on an error.
pub(crate) fn compile_at(text: &str, mode: Mode, syntax: &Syntax, origin: &Position) -> Result<Program, Error> {
    compile(text, mode, syntax).map_err(|(error, span)| error.at(|| Place::new(origin, &Arc::from(text), span)))
}

/// The nearest variable is sought only when the error leaves the engine: most undefined values meet a `default`.
fn explain(error: Error, scope: &Arc<dyn Scope>) -> Error {
    error.with_nearest(|| scope.names())
}
