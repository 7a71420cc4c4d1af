//! `include` and `import` of other template files.

use super::callable::Callable;
use super::exec::{Exec, Layer};
use crate::Value;
use crate::compile::{Expr, Target};
use crate::error::Error;
use crate::lookups::paths;
use crate::place::whole_file;
use crate::{FileOptions, compile::Program};
use diagnostic::Position;
use std::sync::Arc;

impl Exec {
    pub(crate) fn include(&mut self, name: &Expr, ignore_missing: bool, out: &mut Vec<Value>) -> Result<(), Error> {
        let names = match self.forced(name)?.required()? {
            value @ (Value::List(_) | Value::Tuple(_)) => super::iterate(&value)?,
            value => vec![value],
        };
        let Some((program, origin)) = self.template(&names)? else {
            if ignore_missing {
                return Ok(());
            }
            let names = names.iter().map(Value::to_text).collect::<Vec<_>>().join(", ");
            return Err(Error::operation(format!("could not find the template `{names}`")).at(|| self.place(name.span)));
        };
        let layers = self.layers.clone();
        self.deeper(|exec| {
            let mut inner = Exec::new(exec.session.clone(), program.clone(), origin, false);
            inner.layers = layers;
            inner.depth = exec.depth;
            inner.stmts(&program.body, out)
        })
    }

    pub(crate) fn import(&mut self, name: &Expr) -> Result<Value, Error> {
        self.module(name).map(|layer| Value::Callable(Arc::new(Callable::Module(layer))))
    }

    pub(crate) fn import_names(&mut self, name: &Expr, names: &[(Arc<str>, Arc<str>)]) -> Result<(), Error> {
        let module = self.module(name)?;
        for (member, alias) in names {
            let value = module.get(member).cloned().unwrap_or_else(|| {
                Value::marker(Error::undefined(format!("the template does not export '{member}'"), None))
            });
            self.assign(&Target::Name(alias.clone()), value)?;
        }
        Ok(())
    }

    /// The names that a template sets at its top.
    fn module(&mut self, name: &Expr) -> Result<Layer, Error> {
        let value = self.forced(name)?.required()?;
        let Some((program, origin)) = self.template(std::slice::from_ref(&value))? else {
            let name_text = value.to_text();
            return Err(
                Error::operation(format!("could not find the template `{name_text}`")).at(|| self.place(name.span))
            );
        };
        self.deeper(|exec| {
            let mut inner = Exec::new(exec.session.clone(), program.clone(), origin, false);
            inner.depth = exec.depth;
            inner.stmts(&program.body, &mut Vec::new())?;
            Ok(inner.layers.swap_remove(0))
        })
    }

    /// The first template that exists.
    fn template(&self, names: &[Value]) -> Result<Option<(Arc<Program>, Position)>, Error> {
        for name in names {
            if let Some(path) = paths::find(&self.session, "templates", &name.to_text()) {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| Error::operation(format!("can't read `{}`: {error}", path.display())))?;
                let origin = whole_file(&path.display().to_string(), 1);
                let program = self.session.engine().file_program(&text, &FileOptions::default(), &origin)?;
                return Ok(Some((program, origin)));
            }
        }
        Ok(None)
    }
}
