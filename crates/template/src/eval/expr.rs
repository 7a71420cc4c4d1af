//! Evaluates expressions.

use super::arguments::Args;
use super::exec::Exec;
use super::{attribute, force, item, iterate, names};
use crate::Value;
use crate::compile::{Argument, Arguments, Expr, Kind};
use crate::error::Error;
use crate::value::{Key, Map, Operator, binary, negate};
use std::sync::Arc;

impl Exec {
    /// The value of an expression. Containers of variables stay lazy, what is undefined is a marker.
    pub(crate) fn expr(&mut self, expr: &Expr) -> Result<Value, Error> {
        let session = self.session.clone();
        session.nested(|| self.kind(expr)).map_err(|error| error.at(|| self.place(expr.span)))
    }

    /// The value of an expression with its members rendered.
    pub(crate) fn forced(&mut self, expr: &Expr) -> Result<Value, Error> {
        self.expr(expr).map(force)
    }

    fn kind(&mut self, expr: &Expr) -> Result<Value, Error> {
        match &expr.kind {
            Kind::Const(value) => Ok(value.clone()),
            Kind::Embedded(text) if self.embedded => self.session.text(text, &self.origin),
            Kind::Embedded(text) => Ok(Value::Str(text.clone())),
            Kind::Name(name) => self.name(name, expr),
            Kind::Attribute(base, name) => {
                let base = self.expr(base)?;
                let found = attribute(&base, name);
                self.or_marker(found, expr)
            }
            Kind::Item(base, key) => {
                let base = self.expr(base)?;
                let key = self.forced(key)?;
                if !matches!(base, Value::Undefined(_)) {
                    key.check()?;
                }
                let found = item(&base, &key);
                self.or_marker(found, expr)
            }
            Kind::Slice(base, parts) => {
                let base = self.forced(base)?;
                let mut bounds = [None; 3];
                for (bound, part) in bounds.iter_mut().zip(parts.iter()) {
                    if let Some(part) = part {
                        *bound = match self.forced(part)? {
                            Value::None => None,
                            value => Some(super::int(&value)?),
                        };
                    }
                }
                super::access::slice(&base, bounds)
            }
            Kind::Not(inner) => self.truth(inner).map(|truth| Value::Bool(!truth)),
            Kind::Negate(inner) => negate(&self.forced(inner)?),
            Kind::And(left, right) => {
                let value = self.expr(left)?;
                let truth = value.truth().map_err(|error| error.at(|| self.place(left.span)))?;
                if truth { self.expr(right) } else { Ok(value) }
            }
            Kind::Or(left, right) => {
                let value = self.expr(left)?;
                let truth = value.truth().map_err(|error| error.at(|| self.place(left.span)))?;
                if truth { Ok(value) } else { self.expr(right) }
            }
            Kind::Binary(op, left, right) => {
                let left = self.forced(left)?;
                let right = self.right_of(*op, right, true)?;
                binary(*op, &left, &right)
            }
            Kind::Compare(first, rest) => {
                let mut left = self.forced(first)?;
                for (index, (op, right)) in rest.iter().enumerate() {
                    let right = self.right_of(*op, right, index + 1 == rest.len())?;
                    let holds = binary(*op, &left, &right)?;
                    if !holds.truth()? {
                        return Ok(holds);
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Kind::If(condition, then, otherwise) => match (self.truth(condition)?, otherwise) {
                (true, _) => self.expr(then),
                (false, Some(otherwise)) => self.expr(otherwise),
                (false, None) => {
                    let message = "the inline if-expression evaluated to false and no else section was defined.";
                    Ok(Value::blank(Error::undefined(message, None).at(|| self.place(expr.span))))
                }
            },
            Kind::Filter { target: Some(target), .. } => {
                let value = self.expr(target)?;
                self.apply_to(expr, value)
            }
            Kind::Filter { .. } => Err(Error::operation("a filter needs a value")),
            Kind::Test { name, test, target, arguments } => {
                let value = self.expr(target)?;
                let args = self.arguments(Some(value), arguments)?;
                self.run_test(name, *test, args, expr)
            }
            Kind::Call(callee, arguments) => self.call(callee, arguments, expr),
            Kind::List(items) => self.exprs(items).map(Value::list),
            Kind::Tuple(items) => self.exprs(items).map(Value::tuple),
            Kind::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = Key::new(&self.forced(key)?)?;
                    map.insert(key, self.forced(value)?);
                }
                Ok(Value::map(map))
            }
        }
    }

    /// What stands on the right of an operator. `in` needs a mapping's names only; in a chain the next operator has it on its left.
    fn right_of(&mut self, op: Operator, expr: &Expr, is_last: bool) -> Result<Value, Error> {
        let by_name = is_last && matches!(op, Operator::In | Operator::NotIn);
        self.expr(expr).map(if by_name { names::hollow } else { force })
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Result<Vec<Value>, Error> {
        exprs.iter().map(|expr| self.forced(expr)).collect()
    }

    fn name(&mut self, name: &Arc<str>, expr: &Expr) -> Result<Value, Error> {
        if let Some(value) = self.local(name) {
            return Ok(value);
        }
        if let Some(value) = self.session.variable(name) {
            return Ok(self.captured(value, expr));
        }
        if let Some(value) = super::callable::global(name, &self.session) {
            return Ok(value);
        }
        let error = Error::undefined(format!("'{name}' is undefined"), Some(name));
        Ok(Value::marker(error.at(|| self.place(expr.span))))
    }

    /// What can't be rendered is a marker: `default` may still step in.
    fn captured(&self, value: Result<Value, Error>, expr: &Expr) -> Value {
        value.unwrap_or_else(|error| Value::marker(error.at(|| self.place(expr.span))))
    }

    /// The member that was found, or a marker that tells what has no such member.
    fn or_marker(&self, found: Result<Value, Error>, expr: &Expr) -> Result<Value, Error> {
        Ok(self.captured(found, expr))
    }

    /// Applies a filter, named by an expression without target, to a value.
    pub(crate) fn apply_to(&mut self, expr: &Expr, value: Value) -> Result<Value, Error> {
        let Kind::Filter { name, filter, target, arguments } = &expr.kind else {
            return Err(Error::operation("a filter was expected"));
        };
        // In `{% filter a | b %}` the innermost filter takes the block's text.
        let value = match target {
            Some(inner) if matches!(&inner.kind, Kind::Filter { .. }) && ends_open(inner) => {
                self.apply_to(inner, value)?
            }
            _ => value,
        };
        let args = self.arguments(Some(value), arguments)?;
        let Some(filter) = filter else {
            return Err(crate::filters::unknown(name).at(|| self.place(expr.span)));
        };
        self.run_filter(name, *filter, args, expr)
    }

    /// Evaluates the arguments of a call.
    pub(crate) fn arguments(&mut self, first: Option<Value>, arguments: &Arguments) -> Result<Args, Error> {
        let mut args = Args::of(first.into_iter().collect());
        for argument in &arguments.0 {
            match argument {
                Argument::Positional(expr) => {
                    let value = self.expr(expr)?;
                    args.positional.push(value);
                }
                Argument::Named(name, expr) => {
                    let value = self.expr(expr)?;
                    args.named.push((name.clone(), value));
                }
                Argument::Items(expr) => {
                    let items = self.forced(expr)?;
                    args.positional.extend(iterate(&items)?);
                }
                Argument::Entries(expr) => match self.forced(expr)?.required()? {
                    Value::Map(map) => {
                        args.named.extend(map.iter().map(|(key, value)| (Arc::from(key.to_json()), value.clone())))
                    }
                    other => {
                        let found = other.type_name();
                        return Err(Error::operation(format!("argument after ** must be a mapping, not {found}")));
                    }
                },
            }
        }
        Ok(args)
    }
}

/// Whether a chain of filters begins with one that has no value.
fn ends_open(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Filter { target: None, .. } => true,
        Kind::Filter { target: Some(inner), .. } => ends_open(inner),
        _ => false,
    }
}
