//! Calls: functions, methods, macros, filters and tests.

use super::arguments::Args;
use super::callable::{Callable, join_once};
use super::exec::Exec;
use super::{attribute, force, methods, names};
use crate::Value;
use crate::compile::{Arguments, Expr, Kind};
use crate::error::Error;
use crate::filters::Filter;
use crate::tests::Test;
use std::sync::Arc;

impl Exec {
    /// `callee(arguments)`
    pub(crate) fn call(&mut self, callee: &Expr, arguments: &Arguments, expr: &Expr) -> Result<Value, Error> {
        if let Kind::Attribute(object, name) = &callee.kind {
            return self.call_method(object, name, arguments, expr);
        }
        if let Kind::Name(name) = &callee.kind
            && self.local(name).is_none()
            && self.session.scope().get(name).is_none()
            && crate::functions::find(name).is_none()
        {
            return Ok(Value::marker(crate::functions::unknown(name).at(|| self.place(callee.span))));
        }
        let function = self.expr(callee)?;
        let args = self.arguments(None, arguments)?;
        self.call_value(&function, args, None, expr)
    }

    /// `{% call macro() %}…{% endcall %}`
    pub(crate) fn call_with_caller(&mut self, call: &Expr, caller: Value) -> Result<Value, Error> {
        let Kind::Call(callee, arguments) = &call.kind else {
            return Err(Error::operation("a call was expected"));
        };
        let function = self.expr(callee)?;
        let args = self.arguments(None, arguments)?;
        self.call_value(&function, args, Some(caller), call)
    }

    fn call_value(&mut self, function: &Value, args: Args, caller: Option<Value>, expr: &Expr) -> Result<Value, Error> {
        let Value::Callable(callable) = function else {
            return match function {
                Value::Undefined(_) => Ok(function.clone()),
                other => Err(Error::operation(format!("'{}' object is not callable", other.type_name()))),
            };
        };
        if let Callable::Macro(this) = &**callable {
            return self.call_macro(this, args, caller);
        }
        let embeds = matches!(&**callable, Callable::Global("lookup" | "query" | "q", _));
        if let Some(marker) = args.first_marker() {
            return Ok(marker.clone());
        }
        let args = forced(args);
        let args = if embeds { self.embedded_terms(args, expr)? } else { args };
        let (name, result) = match &**callable {
            Callable::Global(name, function) => (*name, function(self, args)),
            Callable::Method { object, name } => {
                let (result, _) = methods::call(object, name, args)?;
                return Ok(result);
            }
            Callable::Joiner(separator, used) => return Ok(join_once(separator, used)),
            Callable::Loop(this) if this.recursive => ("loop", self.recurse(args)),
            other => return Err(Error::operation(format!("a {} is not callable", other.describe()))),
        };
        Ok(self.captured_call(result, "function", name, expr))
    }

    /// Constants of lookups that look like templates are rendered, as Ansible still does with a warning.
    fn embedded_terms(&mut self, mut args: Args, expr: &Expr) -> Result<Args, Error> {
        let Kind::Call(_, arguments) = &expr.kind else { return Ok(args) };
        for (value, argument) in args.positional.iter_mut().zip(&arguments.0) {
            if let crate::compile::Argument::Positional(Expr { kind: Kind::Embedded(text), .. }) = argument {
                *value = force(self.session.text(text, &self.origin)?.required()?);
            }
        }
        Ok(args)
    }

    fn call_method(
        &mut self,
        object: &Expr,
        name: &Arc<str>,
        arguments: &Arguments,
        expr: &Expr,
    ) -> Result<Value, Error> {
        let base = self.expr(object)?;
        if let Value::Undefined(_) = base {
            return Ok(base);
        }
        let args = self.arguments(None, arguments)?;
        if let Value::Callable(callable) = &base {
            if let Some(result) = callable.method(name, &args) {
                return Ok(self.captured_call(result, "method", name, expr));
            }
            let member = attribute(&base, name)?;
            return self.call_value(&member, args, None, expr);
        }
        if let Some(marker) = args.first_marker() {
            return Ok(marker.clone());
        }
        if !methods::exists(&base, name) {
            let member = attribute(&base, name)?;
            return self.call_value(&member, args, None, expr);
        }
        let base = if methods::reads_little(&base, name) { base } else { force(base) };
        match methods::call(&base, name, forced(args)) {
            Ok((result, changed)) => {
                if let Some(changed) = changed {
                    self.put_back(object, changed);
                }
                Ok(result)
            }
            Err(error) => Ok(self.captured_call(Err(error), "method", name, expr)),
        }
    }

    /// Python's lists and dictionaries change in place; ours are shared, so that the changed one goes back to where the
    /// template holds it.
    fn put_back(&mut self, object: &Expr, changed: Value) {
        match &object.kind {
            Kind::Name(name) => self.store(name, changed),
            Kind::Attribute(base, member) => {
                if let Kind::Name(base) = &base.kind
                    && let Some(Value::Callable(callable)) = self.local(base)
                    && let Callable::Namespace(members) = &*callable
                {
                    members.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).set(member.clone(), changed);
                }
            }
            _ => {}
        }
    }

    /// Runs a filter on evaluated arguments. A failure is a marker, so that what is never used is no error.
    pub(crate) fn run_filter(&mut self, name: &str, filter: Filter, args: Args, expr: &Expr) -> Result<Value, Error> {
        if !filter.takes_markers
            && let Some(marker) = args.first_marker()
        {
            return Ok(marker.clone());
        }
        let args = if filter.lazy { args } else { names::for_filter(name, args) };
        let result = (filter.run)(self, args);
        Ok(self.captured_call(result, "filter", name, expr))
    }

    pub(crate) fn run_test(&mut self, name: &str, test: Option<Test>, args: Args, expr: &Expr) -> Result<Value, Error> {
        let Some(test) = test else {
            return Err(crate::tests::unknown(name).at(|| self.place(expr.span)));
        };
        if !test.takes_markers
            && let Some(marker) = args.first_marker()
        {
            return Ok(marker.clone());
        }
        let args = if test.takes_markers { args } else { names::for_test(name, args) };
        let result = (test.run)(self, args).map(Value::Bool);
        Ok(self.captured_call(result, "test", name, expr))
    }

    fn captured_call(&self, result: Result<Value, Error>, kind: &'static str, name: &str, expr: &Expr) -> Value {
        result.unwrap_or_else(|error| Value::marker(error.of(kind, name).at(|| self.place(expr.span))))
    }
}

/// The arguments with lazy containers rendered.
fn forced(args: Args) -> Args {
    Args {
        positional: args.positional.into_iter().map(force).collect(),
        named: args.named.into_iter().map(|(name, value)| (name, force(value))).collect(),
    }
}
