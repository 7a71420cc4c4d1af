//! What is wrong with templates before any variable is known: syntax, and names of filters, tests, lookups and functions.

use crate::compile::{Argument, Arguments, Expr, For, Kind, Macro, Mode, Program, Stmt, Syntax, Target, compile};
use crate::engine::is_template;
use crate::error::Error;
use crate::place::{Place, Span, whole_file};
use crate::{FileOptions, Value, filters, functions, lookups, overrides, tests};
use diagnostic::{Diagnose, Mistake, Position};
use std::collections::BTreeSet;
use std::sync::Arc;
use yaml::Node;

/// The mistakes in a node and all that it contains. Names that only a run can know are not judged.
pub fn check(node: &Node) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    each_text(node, &mut |text, position| {
        if is_template(text) {
            mistakes.extend(check_text(text, Mode::Template, &Syntax::default(), position));
        }
    });
    mistakes
}

/// The mistakes in a condition: a bare expression, a list of them, or a boolean.
pub fn check_condition(node: &Node) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    each_text(node, &mut |text, position| {
        let trimmed = text.trim();
        let mode = if ["{{", "{%", "{#"].iter().any(|mark| trimmed.starts_with(mark)) {
            Mode::Template
        } else {
            Mode::Condition
        };
        mistakes.extend(check_text(trimmed, mode, &Syntax::default(), position));
    });
    mistakes
}

/// The mistakes in a template file.
pub fn check_file(text: &str, name: &str, options: &FileOptions) -> Vec<Mistake> {
    match overrides::read(text, options) {
        Ok((body, syntax)) => {
            let lines = text[..text.len() - body.len()].matches('\n').count();
            let origin = whole_file(name, 1 + u32::try_from(lines).unwrap_or(0));
            check_text(body, Mode::File, &syntax, &origin)
        }
        Err(message) => vec![Mistake::at(Position::new(name, 1, 1), message)],
    }
}

/// The names that a node needs from its scope: what it uses without setting it, apart from the global functions and from
/// names that it only asks about (`x is defined`, `x | default(…)`).
pub fn variables(node: &Node) -> Vec<(String, Position)> {
    let mut needed = Vec::new();
    each_text(node, &mut |text, position| {
        if is_template(text)
            && let Ok(program) = compile(text, Mode::Template, &Syntax::default())
        {
            needed.extend(needed_by(&program, position));
        }
    });
    needed
}

/// The same for a condition.
pub fn condition_variables(node: &Node) -> Vec<(String, Position)> {
    let mut needed = Vec::new();
    each_text(node, &mut |text, position| {
        if let Ok(program) = compile(text.trim(), Mode::Condition, &Syntax::default()) {
            needed.extend(needed_by(&program, position));
        }
    });
    needed
}

fn needed_by(program: &Program, position: &Position) -> Vec<(String, Position)> {
    let mut walk = Walk::default();
    walk.stmts(&program.body);
    let Walk { used, set, .. } = walk;
    let free = used.into_iter().filter(|(name, _)| !set.contains(name) && functions::find(name).is_none());
    free.filter(|(name, _)| !matches!(&**name, "omit" | "vars" | "loop" | "varargs" | "kwargs" | "caller"))
        .map(|(name, span)| (name.to_string(), Place::new(position, &program.text, span).position()))
        .collect()
}

fn each_text(node: &Node, visit: &mut dyn FnMut(&str, &Position)) {
    match &node.value {
        yaml::Value::String(text) if !node.is_unsafe => visit(text, &node.position),
        yaml::Value::Sequence(items) => items.iter().for_each(|item| each_text(item, visit)),
        yaml::Value::Mapping(mapping) => mapping.iter().for_each(|(_, value)| each_text(value, visit)),
        _ => {}
    }
}

fn check_text(text: &str, mode: Mode, syntax: &Syntax, position: &Position) -> Vec<Mistake> {
    let shared: Arc<str> = Arc::from(text);
    match compile(text, mode, syntax) {
        Err((error, span)) => vec![mistake(&error, Place::new(position, &shared, span).position())],
        Ok(program) => {
            let mut walk = Walk::default();
            walk.stmts(&program.body);
            walk.unknown.sort_by_key(|(_, span)| span.start);
            let found = walk.unknown.iter();
            found.map(|(error, span)| mistake(error, Place::new(position, &shared, *span).position())).collect()
        }
    }
}

fn mistake(error: &Error, position: Position) -> Mistake {
    let mistake = Mistake::at(position, error.to_string());
    match error.hint() {
        Some(hint) => mistake.hinted(hint),
        None => mistake,
    }
}

/// Goes through a program and notes names.
#[derive(Default)]
struct Walk {
    unknown: Vec<(Error, Span)>,
    used: Vec<(Arc<str>, Span)>,
    set: BTreeSet<Arc<str>>,
    /// Inside something that an undefined variable does not break.
    lenient: bool,
}

impl Walk {
    fn stmts(&mut self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Text(_) => {}
            Stmt::Emit(expr) | Stmt::Include { name: expr, .. } => self.expr(expr),
            Stmt::For(each) => self.each(each),
            Stmt::If { condition, then, otherwise } => {
                self.expr(condition);
                self.branch(then);
                self.branch(otherwise);
            }
            Stmt::With { assignments, body } => {
                for (target, expr) in assignments {
                    self.expr(expr);
                    self.target(target);
                }
                self.stmts(body);
            }
            Stmt::Set { target, value } => {
                self.expr(value);
                self.target(target);
            }
            Stmt::SetBlock { target, filter, body } => {
                self.stmts(body);
                filter.iter().for_each(|filter| self.expr(filter));
                self.target(target);
            }
            Stmt::FilterBlock { filter, body } => {
                self.expr(filter);
                self.stmts(body);
            }
            Stmt::Macro(declaration) => {
                self.set.insert(declaration.name.clone());
                self.declaration(declaration);
            }
            Stmt::CallBlock { call, body } => {
                self.expr(call);
                self.declaration(body);
            }
            Stmt::Import { name, target } => {
                self.expr(name);
                self.target(target);
            }
            Stmt::FromImport { name, names } => {
                self.expr(name);
                self.set.extend(names.iter().map(|(_, alias)| alias.clone()));
            }
            Stmt::Block(body) => self.stmts(body),
        }
    }

    fn each(&mut self, each: &For) {
        self.expr(&each.items);
        self.target(&each.target);
        each.condition.iter().for_each(|condition| self.branch_expr(condition));
        self.branch(&each.body);
        self.branch(&each.otherwise);
    }

    fn declaration(&mut self, declaration: &Macro) {
        self.set.extend(declaration.parameters.iter().cloned());
        declaration.defaults.iter().for_each(|expr| self.branch_expr(expr));
        self.branch(&declaration.body);
    }

    /// What may never run can't be certainly undefined.
    fn branch(&mut self, body: &[Stmt]) {
        let outer = std::mem::replace(&mut self.lenient, true);
        self.stmts(body);
        self.lenient = outer;
    }

    fn branch_expr(&mut self, expr: &Expr) {
        let outer = std::mem::replace(&mut self.lenient, true);
        self.expr(expr);
        self.lenient = outer;
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Name(name) => drop(self.set.insert(name.clone())),
            Target::Member(..) => {}
            Target::Tuple(targets) => targets.iter().for_each(|target| self.target(target)),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Const(_) | Kind::Embedded(_) => {}
            Kind::Name(name) => {
                if !self.lenient {
                    self.used.push((name.clone(), expr.span));
                }
            }
            Kind::Attribute(base, _) | Kind::Not(base) | Kind::Negate(base) => self.expr(base),
            Kind::Item(base, key) => {
                self.expr(base);
                self.expr(key);
            }
            Kind::Binary(_, base, key) => {
                self.expr(base);
                self.expr(key);
            }
            Kind::Slice(base, parts) => {
                self.expr(base);
                parts.iter().flatten().for_each(|part| self.expr(part));
            }
            Kind::And(left, right) | Kind::Or(left, right) => {
                self.expr(left);
                self.branch_expr(right);
            }
            Kind::Compare(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, expr)| self.expr(expr));
            }
            Kind::If(condition, then, otherwise) => {
                self.expr(condition);
                self.branch_expr(then);
                otherwise.iter().for_each(|expr| self.branch_expr(expr));
            }
            Kind::Filter { name, filter, target, arguments } => {
                if filter.is_none() {
                    self.unknown.push((filters::unknown(name), expr.span));
                }
                self.named_argument(name, arguments, expr.span);
                let takes_markers = filter.is_none_or(|filter| filter.takes_markers);
                if let Some(target) = target {
                    if takes_markers { self.branch_expr(target) } else { self.expr(target) }
                }
                self.arguments(arguments);
            }
            Kind::Test { name, test, target, arguments } => {
                if test.is_none() {
                    self.unknown.push((tests::unknown(name), expr.span));
                }
                if test.is_none_or(|test| test.takes_markers) {
                    self.branch_expr(target)
                } else {
                    self.expr(target)
                }
                self.arguments(arguments);
            }
            Kind::Call(callee, arguments) => {
                self.lookup_name(callee, arguments);
                match &callee.kind {
                    Kind::Attribute(base, _) => self.expr(base),
                    _ => self.expr(callee),
                }
                self.arguments(arguments);
            }
            Kind::List(items) | Kind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            Kind::Map(entries) => entries.iter().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
        }
    }

    fn arguments(&mut self, arguments: &Arguments) {
        for argument in &arguments.0 {
            match argument {
                Argument::Positional(expr)
                | Argument::Named(_, expr)
                | Argument::Items(expr)
                | Argument::Entries(expr) => {
                    self.expr(expr);
                }
            }
        }
    }

    /// `lookup('file', …)`: the name of the lookup.
    fn lookup_name(&mut self, callee: &Expr, arguments: &Arguments) {
        if let Kind::Name(function) = &callee.kind
            && matches!(&**function, "lookup" | "query" | "q")
            && let Some((name, span)) = constant(arguments, 0)
            && !lookups::exists(&name)
        {
            self.unknown.push((lookups::unknown(&name), span));
        }
    }

    /// `map('filter')`, `select('test')`, `selectattr('name', 'test')`: names in the arguments.
    fn named_argument(&mut self, filter: &str, arguments: &Arguments, _span: Span) {
        let filter = filter.rsplit('.').next().unwrap_or(filter);
        let (index, is_filter) = match filter {
            "map" => (0, true),
            "select" | "reject" => (0, false),
            "selectattr" | "rejectattr" => (1, false),
            _ => return,
        };
        let Some((name, span)) = constant(arguments, index) else { return };
        if is_filter && filters::find(&name).is_none() {
            self.unknown.push((filters::unknown(&name), span));
        }
        if !is_filter && tests::find(&name).is_none() {
            self.unknown.push((tests::unknown(&name), span));
        }
    }
}

/// A text constant among the positional arguments.
fn constant(arguments: &Arguments, index: usize) -> Option<(Arc<str>, Span)> {
    match arguments.0.get(index)? {
        Argument::Positional(Expr { kind: Kind::Const(Value::Str(text)), span }) => Some((text.clone(), *span)),
        _ => None,
    }
}
