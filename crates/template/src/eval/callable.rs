//! What can be called, and the objects that only templates have.

use super::arguments::{Args, Bound};
use super::exec::{Exec, Layer};
use super::session::Session;
use super::view::View;
use crate::Value;
use crate::compile::{Macro, Program};
use crate::error::Error;
use crate::functions;
use crate::value::equal;
use diagnostic::Position;
use std::sync::{Arc, Mutex};

/// A function, method, macro, or an object with members of its own.
pub enum Callable {
    /// A global function: `lookup`, `now`, `range`, …
    Global(&'static str, functions::Function),
    /// A method that has not been called.
    Method {
        /// Its object.
        object: Value,
        /// Its name.
        name: Arc<str>,
    },
    /// A macro with the names it was declared among.
    Macro(MacroValue),
    /// `loop`
    Loop(Loop),
    /// `namespace()`
    Namespace(Mutex<Layer>),
    /// `cycler()`: items and the next position.
    Cycler(Vec<Value>, Mutex<usize>),
    /// `joiner()`: separator and whether it was used.
    Joiner(Value, Mutex<bool>),
    /// An imported template: its names.
    Module(Layer),
}

/// A macro and its surroundings.
#[derive(Clone)]
pub struct MacroValue {
    pub(crate) declaration: Arc<Macro>,
    pub(crate) program: Arc<Program>,
    pub(crate) origin: Position,
    pub(crate) enclosing: Layer,
}

/// The loop variable.
pub struct Loop {
    pub(crate) items: Arc<Vec<Value>>,
    pub(crate) index: usize,
    pub(crate) depth: usize,
    pub(crate) recursive: bool,
    pub(crate) changed: Arc<Mutex<Option<Vec<Value>>>>,
}

impl Callable {
    /// What it is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Global(..) => "function",
            Self::Method { .. } => "built-in method",
            Self::Macro(_) => "macro",
            Self::Loop(_) => "loop",
            Self::Namespace(_) => "namespace",
            Self::Cycler(..) => "cycler",
            Self::Joiner(..) => "joiner",
            Self::Module(_) => "template module",
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<Value> {
        match self {
            Self::Loop(this) => this.attribute(name),
            Self::Namespace(members) => {
                members.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(name).cloned()
            }
            Self::Module(members) => members.get(name).cloned(),
            Self::Cycler(items, next) if name == "current" => {
                let next = *next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                items.get(next).cloned()
            }
            Self::Macro(this) if name == "name" => Some(Value::Str(this.declaration.name.clone())),
            _ => None,
        }
    }

    /// Calls a method of such an object: `loop.cycle('a', 'b')`, `cycler.next()`.
    pub(crate) fn method(&self, name: &str, args: &Args) -> Option<Result<Value, Error>> {
        match (self, name) {
            (Self::Loop(this), "cycle") => Some(match args.positional.len() {
                0 => Err(Error::operation("no items for cycling given")),
                length => Ok(args.positional[this.index % length].clone()),
            }),
            (Self::Loop(this), "changed") => Some(this.has_changed(&args.positional)),
            (Self::Cycler(items, next), "next") => {
                let mut next = next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                let item = items.get(*next).cloned().unwrap_or(Value::None);
                *next = (*next + 1) % items.len().max(1);
                Some(Ok(item))
            }
            (Self::Cycler(_, next), "reset") => {
                *next.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = 0;
                Some(Ok(Value::None))
            }
            _ => None,
        }
    }
}

impl Loop {
    fn attribute(&self, name: &str) -> Option<Value> {
        let length = self.items.len();
        Some(match name {
            "index" => Value::from(self.index + 1),
            "index0" => Value::from(self.index),
            "revindex" => Value::from(length - self.index),
            "revindex0" => Value::from(length - self.index - 1),
            "first" => Value::Bool(self.index == 0),
            "last" => Value::Bool(self.index + 1 == length),
            "length" => Value::from(length),
            "depth" => Value::from(self.depth + 1),
            "depth0" => Value::from(self.depth),
            "previtem" => self.beside(self.index.checked_sub(1), "there is no previous item"),
            "nextitem" => self.beside(Some(self.index + 1), "there is no next item"),
            _ => return None,
        })
    }

    fn beside(&self, index: Option<usize>, otherwise: &str) -> Value {
        let item = index.and_then(|index| self.items.get(index)).cloned();
        item.unwrap_or_else(|| Value::marker(Error::undefined(otherwise, None)))
    }

    fn has_changed(&self, values: &[Value]) -> Result<Value, Error> {
        let mut last = self.changed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let same = match &*last {
            Some(old) => equal(&Value::list(old.clone()), &Value::list(values.to_vec()))?,
            None => false,
        };
        *last = Some(values.to_vec());
        Ok(Value::Bool(!same))
    }
}

/// The global names of every template.
pub(crate) fn global(name: &str, session: &Arc<Session>) -> Option<Value> {
    match name {
        "omit" => Some(Value::Omit),
        "vars" => Some(Value::Scope(Arc::new(View::new(session, session.scope().clone())))),
        _ => {
            let (name, function) = functions::find(name)?;
            Some(Value::Callable(Arc::new(Callable::Global(name, function))))
        }
    }
}

impl Exec {
    /// Calls a macro.
    pub(crate) fn call_macro(&mut self, this: &MacroValue, args: Args, caller: Option<Value>) -> Result<Value, Error> {
        let declaration = &this.declaration;
        let mut layer = Layer::default();
        let mut named = args.named;
        let given = args.positional.len();
        let mut positional = args.positional.into_iter();
        let optional = declaration.parameters.len() - declaration.defaults.len().min(declaration.parameters.len());
        let mut missing = Vec::new();
        for (index, parameter) in declaration.parameters.iter().enumerate() {
            let by_name = named.iter().position(|(name, _)| name == parameter).map(|at| named.remove(at).1);
            match positional.next().or(by_name) {
                Some(value) => layer.set(parameter.clone(), super::force(value)),
                None if index >= optional => missing.push((parameter.clone(), index - optional)),
                None => {
                    let error = Error::undefined(format!("parameter '{parameter}' was not provided"), None);
                    layer.set(parameter.clone(), Value::marker(error));
                }
            }
        }
        let rest: Vec<_> = positional.collect();
        let name = &declaration.name;
        if !rest.is_empty() && !uses(this, "varargs") {
            let most = declaration.parameters.len();
            return Err(Error::operation(format!(
                "macro '{name}' takes not more than {most} argument(s), {given} given"
            )));
        }
        if let Some(caller) =
            caller.or_else(|| named.iter().position(|(n, _)| &**n == "caller").map(|at| named.remove(at).1))
        {
            layer.set("caller".into(), caller);
        }
        if let Some((unknown, _)) = named.first()
            && !uses(this, "kwargs")
        {
            return Err(Error::operation(format!("macro '{name}' takes no keyword argument '{unknown}'")));
        }
        layer.set("varargs".into(), Value::tuple(rest));
        layer.set("kwargs".into(), Value::record(named.iter().map(|(name, value)| (&**name, value.clone()))));
        let own = Arc::ptr_eq(&self.program, &this.program);
        let root = if own { self.layers.first().cloned().unwrap_or_default() } else { Layer::default() };
        let mut enclosing = this.enclosing.clone();
        enclosing.set(name.clone(), Value::Callable(Arc::new(Callable::Macro(this.clone()))));
        let mut inner = Exec {
            session: self.session.clone(),
            program: this.program.clone(),
            origin: this.origin.clone(),
            layers: vec![root, enclosing, layer],
            embedded: false,
            recursive: Vec::new(),
            depth: self.depth,
        };
        inner.deeper(|exec| {
            for (parameter, index) in missing {
                let value = exec.forced(&declaration.defaults[index])?;
                exec.assign(&crate::compile::Target::Name(parameter), value)?;
            }
            exec.capture(&declaration.body)
        })
    }

    /// A macro as a value, with the names around it.
    pub(crate) fn declare(&self, declaration: &Arc<Macro>) -> Value {
        let mut enclosing = Layer::default();
        for layer in &self.layers {
            for (name, value) in layer.iter() {
                enclosing.set(name.clone(), value.clone());
            }
        }
        Value::Callable(Arc::new(Callable::Macro(MacroValue {
            declaration: declaration.clone(),
            program: self.program.clone(),
            origin: self.origin.clone(),
            enclosing,
        })))
    }
}

/// Whether a macro's text speaks of a name; Jinja decides the same way whether extra arguments are allowed.
fn uses(this: &MacroValue, name: &str) -> bool {
    this.program.text.contains(name)
}

/// `joiner()`: nothing the first time, the separator afterwards.
pub(crate) fn join_once(separator: &Value, used: &Mutex<bool>) -> Value {
    let mut used = used.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if std::mem::replace(&mut *used, true) { separator.clone() } else { Value::from("") }
}

/// `range(end)`, `range(start, end)`, `range(start, end, step)`
pub(crate) fn range(args: Args) -> Result<Value, Error> {
    let [first, second, step] = args.bind(["start", "end", "step"])?;
    let first = super::int(&first.need("end")?)?;
    let step = step.int_or(1)?;
    if step == 0 {
        return Err(Error::operation("range() arg 3 must not be zero"));
    }
    Ok(match second {
        Some(end) => Value::Range(first, super::int(&end)?, step),
        None => Value::Range(0, first, step),
    })
}
