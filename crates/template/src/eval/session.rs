//! One call of the engine: the scope it renders with, and the chain of variables it is in.

use super::exec::Exec;
use super::finalize::finalize;
use super::thunk::Thunk;
use super::view::View;
use crate::compile::Mode;
use crate::engine::{Engine, is_template};
use crate::error::Error;
use crate::place::{Place, Span};
use crate::traces::Notes;
use crate::{FileOptions, Scope, Value, Variable};
use diagnostic::Position;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use yaml::Node;

/// What the parts of one rendering share.
pub(crate) struct Session {
    engine: Engine,
    scope: Arc<dyn Scope>,
    /// Where the template file lies, for includes and lookups.
    directory: Option<PathBuf>,
    chain: Arc<Mutex<Vec<Link>>>,
    progress: Arc<Progress>,
}

/// What changes while one rendering goes on, over all variables that lead to each other.
#[derive(Default)]
struct Progress {
    /// How deep the evaluation of expressions is nested.
    depth: AtomicUsize,
    notes: Notes,
}

/// A variable that is being rendered: in which scope, which member of it.
#[derive(PartialEq, Clone)]
struct Link {
    scope: usize,
    name: Arc<str>,
    path: Vec<usize>,
}

/// Deeper chains than any author means, and shallow enough for a thread's stack in a debug build.
const LONGEST_CHAIN: usize = 48;

impl Session {
    pub(crate) fn new(engine: Engine, scope: Arc<dyn Scope>, directory: Option<PathBuf>) -> Self {
        Self { engine, scope, directory, chain: Arc::default(), progress: Arc::default() }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn scope(&self) -> &Arc<dyn Scope> {
        &self.scope
    }

    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// What is noted of secrets.
    pub(crate) fn notes(&self) -> &Notes {
        &self.progress.notes
    }

    /// Notes a secret that was read. From now on it is not shown anywhere.
    pub(crate) fn secret(&self, value: &Value) {
        for text in crate::traces::texts(value) {
            self.engine.redactor().add(&text);
        }
        self.notes().secret(value);
    }

    /// Runs something one expression deeper.
    pub(crate) fn nested<T>(&self, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let depth = &self.progress.depth;
        if depth.fetch_add(1, Ordering::Relaxed) >= DEEPEST {
            depth.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::operation("expressions and variables are nested too deep"));
        }
        let result = run();
        depth.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// The same rendering in another scope.
    pub(crate) fn in_scope(&self, scope: Arc<dyn Scope>) -> Arc<Self> {
        Arc::new(Self {
            engine: self.engine.clone(),
            scope,
            directory: self.directory.clone(),
            chain: self.chain.clone(),
            progress: self.progress.clone(),
        })
    }

    /// Renders a node with all that it contains; the first error ends it.
    pub(crate) fn node(self: &Arc<Self>, node: &Node) -> Result<Value, Error> {
        match &node.value {
            yaml::Value::Sequence(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.node(item)?;
                    if !value.is_omit() {
                        rendered.push(value);
                    }
                }
                Ok(Value::list(rendered))
            }
            yaml::Value::Mapping(mapping) => {
                let mut rendered = crate::value::Map::with_capacity(mapping.len());
                for (key, value) in mapping.iter() {
                    let value = self.node(value)?;
                    if !value.is_omit() {
                        rendered.insert(super::thunk::key(key), value);
                    }
                }
                Ok(Value::map(rendered))
            }
            _ => finalize(self.scalar(node)?),
        }
    }

    /// Renders a scalar. The result may still be lazy.
    pub(crate) fn scalar(self: &Arc<Self>, node: &Node) -> Result<Value, Error> {
        let value = match &node.value {
            yaml::Value::String(text) if node.is_unsafe || !is_template(text) => Value::from(text.as_str()),
            yaml::Value::String(text) => self.text(text, &node.position)?,
            yaml::Value::Null => Value::None,
            yaml::Value::Bool(flag) => Value::Bool(*flag),
            yaml::Value::Int(number) => Value::Int((*number).into()),
            yaml::Value::Float(number) => Value::Float(*number),
            yaml::Value::Vault(ciphertext) => {
                let place = || Place::new(&node.position, &Arc::from(""), Span::default());
                let value = Value::from(self.engine.decrypt(ciphertext).map_err(|error| error.at(place))?);
                self.secret(&value);
                value
            }
            yaml::Value::Sequence(_) | yaml::Value::Mapping(_) => self.node(node)?,
        };
        if node.is_secret {
            self.secret(&value);
        }
        Ok(value)
    }

    /// Renders a text.
    pub(crate) fn text(self: &Arc<Self>, text: &str, origin: &Position) -> Result<Value, Error> {
        if !is_template(text) {
            return Ok(Value::from(text));
        }
        let program = self.engine.program(text, Mode::Template, origin)?;
        Exec::new(self.clone(), program, origin.clone(), false).render()
    }

    /// Evaluates an expression.
    pub(crate) fn expression(self: &Arc<Self>, text: &str, origin: &Position, mode: Mode) -> Result<Value, Error> {
        let program = self.engine.program(text, mode, origin).map_err(|error| match error {
            Error::Syntax { message, place } if is_template(text) => {
                Error::Syntax { message: format!("{message} (an expression takes no `{{{{ }}}}`)"), place }
            }
            other => other,
        })?;
        Exec::new(self.clone(), program, origin.clone(), mode == Mode::Condition).evaluate()
    }

    /// Renders a file to text.
    pub(crate) fn file(
        self: &Arc<Self>,
        text: &str,
        origin: &Position,
        options: &FileOptions,
    ) -> Result<String, Error> {
        let program = self.engine.file_program(text, options, origin)?;
        let value = finalize(Exec::new(self.clone(), program, origin.clone(), false).render()?)?;
        Ok(match value {
            Value::None => String::new(),
            value => value.to_text(),
        })
    }

    /// The value of a variable; containers stay lazy.
    pub(crate) fn variable(self: &Arc<Self>, name: &str) -> Option<Result<Value, Error>> {
        Some(match self.scope.get(name)? {
            Variable::Data(value) => Ok(value),
            Variable::Scope(scope) => Ok(Value::Scope(Arc::new(View::new(self, scope)))),
            Variable::Authored(root) => self.authored(&root, Vec::new(), &Arc::from(name)),
        })
    }

    /// The value of a member of an authored variable.
    pub(crate) fn authored(
        self: &Arc<Self>,
        root: &Arc<Node>,
        path: Vec<usize>,
        name: &Arc<str>,
    ) -> Result<Value, Error> {
        let node = super::thunk::descend(root, &path);
        match &node.value {
            yaml::Value::Sequence(_) | yaml::Value::Mapping(_) => {
                Ok(Value::Lazy(Arc::new(Thunk::new(self.clone(), root.clone(), path, name.clone()))))
            }
            yaml::Value::String(text) if !node.is_unsafe && is_template(text) => {
                let _link = self.enter(name, path)?;
                self.scalar(node)
            }
            _ => self.scalar(node).map_err(|error| error.about(|| format!("variable `{name}`"))),
        }
    }

    fn enter(&self, name: &Arc<str>, path: Vec<usize>) -> Result<Leave, Error> {
        let link = Link { scope: Arc::as_ptr(&self.scope).cast::<()>() as usize, name: name.clone(), path };
        let mut chain = self.chain.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let start = chain.iter().position(|other| *other == link);
        if start.is_some() || chain.len() >= LONGEST_CHAIN {
            let names = chain[start.unwrap_or(0)..].iter().map(|link| &*link.name).chain([&**name]);
            let chain = names.collect::<Vec<_>>().join(" -> ");
            return Err(Error::Loop { chain, place: None });
        }
        chain.push(link);
        Ok(Leave(self.chain.clone()))
    }
}

/// Real templates stay below 50; what is deeper would overflow the stack of a thread in a debug build.
const DEEPEST: usize = 160;

/// Takes the last variable off the chain when it is done.
struct Leave(Arc<Mutex<Vec<Link>>>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop();
    }
}
