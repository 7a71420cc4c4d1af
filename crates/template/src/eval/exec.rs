//! Runs the statements of a program.

use super::callable::Callable;
use super::session::Session;
use super::{force, require_deep};
use crate::Value;
use crate::compile::{Expr, Program, Stmt, Target};
use crate::error::Error;
use crate::place::{Place, Span};
use crate::value::Key;
use diagnostic::Position;
use std::sync::Arc;

/// Names that a template sets itself. There are few, so that a search beats hashing.
#[derive(Default, Clone, Debug)]
pub struct Layer(Vec<(Arc<str>, Value)>);

impl Layer {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| &**own == name).map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, name: Arc<str>, value: Value) {
        match self.0.iter_mut().find(|(own, _)| *own == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name, value)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

/// One program being run.
pub struct Exec {
    pub(crate) session: Arc<Session>,
    pub(crate) program: Arc<Program>,
    pub(crate) origin: Position,
    pub(crate) layers: Vec<Layer>,
    /// Whether string constants that look like templates are rendered (conditions, for Ansible's old playbooks).
    pub(crate) embedded: bool,
    /// The recursive loops that are open: statements and how to find them again.
    pub(crate) recursive: Vec<Arc<crate::compile::For>>,
    pub(crate) depth: usize,
}

/// Macros, recursive loops and includes may nest this deep.
const DEEPEST: usize = 40;

impl Exec {
    pub(crate) fn new(session: Arc<Session>, program: Arc<Program>, origin: Position, embedded: bool) -> Self {
        Self { session, program, origin, layers: vec![Layer::default()], embedded, recursive: Vec::new(), depth: 0 }
    }

    /// The result of a template: the one value it gives, or the text of all.
    pub(crate) fn render(&mut self) -> Result<Value, Error> {
        let session = self.session.clone();
        session.notes().enclosed(|| self.rendered())
    }

    fn rendered(&mut self) -> Result<Value, Error> {
        let program = self.program.clone();
        let mut out = Vec::new();
        self.stmts(&program.body, &mut out)?;
        let value = concat(out)?;
        if let Value::Str(text) = &value {
            self.session.notes().words(text);
        }
        Ok(match value {
            Value::Str(text) if program.trailing_newlines > 0 => {
                let missing = program.trailing_newlines.saturating_sub(text.len() - text.trim_end_matches('\n').len());
                if missing == 0 {
                    Value::Str(text)
                } else {
                    Value::from(format!("{text}{}", program.newline.repeat(missing)))
                }
            }
            value => value,
        })
    }

    /// The value of a program that is one expression.
    pub(crate) fn evaluate(&mut self) -> Result<Value, Error> {
        let program = self.program.clone();
        match program.body.as_slice() {
            [Stmt::Emit(expr)] => self.emit(expr),
            _ => self.render(),
        }
    }

    pub(crate) fn place(&self, span: Span) -> Arc<Place> {
        Place::new(&self.origin, &self.program.text, span)
    }

    pub(crate) fn stmts(&mut self, stmts: &[Stmt], out: &mut Vec<Value>) -> Result<(), Error> {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt, out))
    }

    fn stmt(&mut self, stmt: &Stmt, out: &mut Vec<Value>) -> Result<(), Error> {
        match stmt {
            Stmt::Text(text) => out.push(Value::Str(text.clone())),
            Stmt::Emit(expr) => match self.emit(expr)? {
                Value::None => {}
                value => out.push(value),
            },
            Stmt::For(each) => self.each(each, out)?,
            Stmt::If { condition, then, otherwise } => {
                let holds = self.truth(condition)?;
                self.stmts(if holds { then } else { otherwise }, out)?;
            }
            Stmt::With { assignments, body } => {
                let values = assignments.iter().map(|(target, expr)| Ok((target, self.expr(expr)?)));
                let values = values.collect::<Result<Vec<_>, Error>>()?;
                self.scoped(|exec| {
                    values.into_iter().try_for_each(|(target, value)| exec.assign(target, value))?;
                    exec.stmts(body, out)
                })?;
            }
            Stmt::Set { target, value } => {
                let value = self.expr(value)?;
                self.assign(target, value)?;
            }
            Stmt::SetBlock { target, filter, body } => {
                let mut value = self.capture(body)?;
                if let Some(filter) = filter {
                    value = self.apply_to(filter, value)?;
                }
                self.assign(target, value)?;
            }
            Stmt::FilterBlock { filter, body } => {
                let text = self.capture(body)?;
                out.push(self.apply_to(filter, text)?);
            }
            Stmt::Macro(declaration) => {
                let value = self.declare(declaration);
                self.assign(&Target::Name(declaration.name.clone()), value)?;
            }
            Stmt::CallBlock { call, body } => {
                let caller = self.declare(body);
                out.push(self.call_with_caller(call, caller)?);
            }
            Stmt::Include { name, ignore_missing } => self.include(name, *ignore_missing, out)?,
            Stmt::Import { name, target } => {
                let module = self.import(name)?;
                self.assign(target, module)?;
            }
            Stmt::FromImport { name, names } => self.import_names(name, names)?,
            Stmt::Block(body) => self.scoped(|exec| exec.stmts(body, out))?,
        }
        Ok(())
    }

    /// The value of an expression that is put out.
    fn emit(&mut self, expr: &Expr) -> Result<Value, Error> {
        let session = self.session.clone();
        session.notes().emitting(|| self.expr(expr))
    }

    /// The truth of an expression, with the place of an undefined one.
    pub(crate) fn truth(&mut self, expr: &Expr) -> Result<bool, Error> {
        self.expr(expr)?.truth().map_err(|error| error.at(|| self.place(expr.span)))
    }

    /// Text that a block gives.
    pub(crate) fn capture(&mut self, body: &[Stmt]) -> Result<Value, Error> {
        let session = self.session.clone();
        let mut out = Vec::new();
        session.notes().enclosed(|| self.scoped(|exec| exec.stmts(body, &mut out)))?;
        Ok(match concat(out)? {
            Value::None => Value::from(""),
            value => value,
        })
    }

    /// Runs something in a scope of its own.
    pub(crate) fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.layers.push(Layer::default());
        let result = run(self);
        self.layers.pop();
        result
    }

    /// Runs something one level deeper; a macro that calls itself without end is an error.
    pub(crate) fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= DEEPEST {
            return Err(Error::operation("macros, loops or includes are nested too deep"));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    pub(crate) fn assign(&mut self, target: &Target, value: Value) -> Result<(), Error> {
        match target {
            Target::Name(name) => {
                if let Some(layer) = self.layers.last_mut() {
                    layer.set(name.clone(), value);
                }
                Ok(())
            }
            Target::Member(base, name) => match self.local(base) {
                Some(Value::Callable(callable)) => match &*callable {
                    Callable::Namespace(members) => {
                        let mut members = members.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        members.set(name.clone(), value);
                        Ok(())
                    }
                    _ => Err(Error::operation("only a `namespace()` can have its members set")),
                },
                _ => Err(Error::operation(format!("`{base}` is no `namespace()`: only that can have its members set"))),
            },
            Target::Tuple(targets) => {
                let items = super::iterate(&value)?;
                if items.len() != targets.len() {
                    let (found, wanted) = (items.len(), targets.len());
                    let message = if found > wanted {
                        format!("too many values to unpack (expected {wanted})")
                    } else {
                        format!("not enough values to unpack (expected {wanted}, got {found})")
                    };
                    return Err(Error::operation(message));
                }
                targets.iter().zip(items).try_for_each(|(target, item)| self.assign(target, item))
            }
        }
    }

    /// A name that the template has set itself.
    pub(crate) fn local(&self, name: &str) -> Option<Value> {
        self.layers.iter().rev().find_map(|layer| layer.get(name)).cloned()
    }

    /// Puts a changed value back where the template holds it; a variable of the scope gets a changed copy.
    pub(crate) fn store(&mut self, name: &Arc<str>, value: Value) {
        let holder = self.layers.iter().rposition(|layer| layer.get(name).is_some()).unwrap_or(0);
        if let Some(layer) = self.layers.get_mut(holder) {
            layer.set(name.clone(), value);
        }
    }
}

/// Joins what a template gave (ansible-core 2.19, `AnsibleEnvironment.concat`): nothing is `None`, one value keeps its
/// type, several become text.
pub(crate) fn concat(mut values: Vec<Value>) -> Result<Value, Error> {
    match values.len() {
        0 => Ok(Value::None),
        1 => Ok(values.remove(0)),
        _ => {
            let mut text = String::new();
            for value in values.into_iter().filter(|value| !value.is_blank() && !value.is_omit()) {
                let value = force(value);
                require_deep(&value)?;
                match without_omit(value) {
                    Value::Str(part) => text.push_str(&part),
                    other => text.push_str(&other.to_text()),
                }
            }
            Ok(Value::from(text))
        }
    }
}

fn without_omit(value: Value) -> Value {
    match value {
        Value::List(items) | Value::Tuple(items) => {
            Value::list(items.iter().filter(|item| !item.is_omit()).cloned().map(without_omit).collect())
        }
        Value::Map(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_omit());
            Value::map(kept.map(|(key, value)| (Key::clone(key), without_omit(value.clone()))).collect())
        }
        other => other,
    }
}
