//! From minijinja's syntax tree to ours.

use super::escape::Escaped;
use super::ir::{Argument, Arguments, Expr, For, Kind, Macro, Stmt, Target};
use crate::error::Error;
use crate::place::Span;
use crate::value::Operator;
use crate::{Value, filters, tests};
use minijinja::machinery::ast;
use std::cell::Cell;
use std::sync::Arc;

/// Turns a syntax tree into one that can be rendered.
pub(crate) struct Lower<'a> {
    escaped: &'a Escaped,
    /// What stands for a line's end in the output.
    newline: &'a str,
    depth: Cell<usize>,
}

/// Deeper than any author goes; shallow enough for a thread's stack in a debug build.
const DEEPEST: usize = 100;

/// An error with its place in the text.
pub(crate) type Located = (Error, Span);

impl<'a> Lower<'a> {
    pub(crate) fn new(escaped: &'a Escaped, newline: &'a str) -> Self {
        Self { escaped, newline, depth: Cell::new(0) }
    }

    fn span(&self, span: minijinja::machinery::Span) -> Span {
        Span { start: self.escaped.original(span.start_offset), end: self.escaped.original(span.end_offset) }
    }

    fn boxed(&self, expr: &ast::Expr<'_>) -> Result<Box<Expr>, Located> {
        self.expr(expr).map(Box::new)
    }

    fn exprs(&self, exprs: &[ast::Expr<'_>]) -> Result<Vec<Expr>, Located> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(crate) fn expr(&self, expr: &ast::Expr<'_>) -> Result<Expr, Located> {
        // Chains of operators and filters grow deep without nesting in the text; evaluation would overflow the stack.
        if self.depth.get() >= DEEPEST {
            return Err((Error::syntax("the expression is nested too deep"), self.span(expr.span())));
        }
        self.depth.set(self.depth.get() + 1);
        let lowered = self.shallow(expr);
        self.depth.set(self.depth.get() - 1);
        lowered
    }

    fn shallow(&self, expr: &ast::Expr<'_>) -> Result<Expr, Located> {
        let mut span = self.span(expr.span());
        let kind = match expr {
            ast::Expr::Var(var) => Kind::Name(var.id.into()),
            ast::Expr::Const(constant) => constant_kind(&constant.value),
            ast::Expr::Slice(slice) => {
                let part = |part: &Option<ast::Expr<'_>>| part.as_ref().map(|part| self.expr(part)).transpose();
                let parts = [part(&slice.start)?, part(&slice.stop)?, part(&slice.step)?];
                Kind::Slice(self.boxed(&slice.expr)?, Box::new(parts))
            }
            ast::Expr::UnaryOp(unary) => match unary.op {
                ast::UnaryOpKind::Not => Kind::Not(self.boxed(&unary.expr)?),
                ast::UnaryOpKind::Neg => Kind::Negate(self.boxed(&unary.expr)?),
            },
            ast::Expr::BinOp(binary) => {
                let (left, right) = (self.boxed(&binary.left)?, self.boxed(&binary.right)?);
                span = whole(&left).to(whole(&right));
                match operator(binary.op) {
                    Some(op) => Kind::Binary(op, left, right),
                    None if matches!(binary.op, ast::BinOpKind::ScAnd) => Kind::And(left, right),
                    None => Kind::Or(left, right),
                }
            }
            ast::Expr::Compare(compare) => {
                let first = self.boxed(&compare.expr)?;
                let rest = compare.ops.iter().map(|op| Ok((comparison(op.op), self.expr(&op.expr)?)));
                Kind::Compare(first, rest.collect::<Result<_, Located>>()?)
            }
            ast::Expr::IfExpr(choice) => Kind::If(
                self.boxed(&choice.test_expr)?,
                self.boxed(&choice.true_expr)?,
                choice.false_expr.as_ref().map(|expr| self.boxed(expr)).transpose()?,
            ),
            ast::Expr::Filter(filter) => {
                let name = compact(filter.name);
                Kind::Filter {
                    filter: filters::find(&name),
                    name,
                    target: filter.expr.as_ref().map(|expr| self.boxed(expr)).transpose()?,
                    arguments: self.arguments(&filter.args)?,
                }
            }
            ast::Expr::Test(test) => {
                let name = compact(test.name);
                Kind::Test {
                    test: tests::find(&name),
                    name,
                    target: self.boxed(&test.expr)?,
                    arguments: self.arguments(&test.args)?,
                }
            }
            ast::Expr::GetAttr(attribute) => {
                let base = self.boxed(&attribute.expr)?;
                span = base.span.to(span);
                Kind::Attribute(base, attribute.name.into())
            }
            ast::Expr::GetItem(item) => {
                let base = self.boxed(&item.expr)?;
                span = base.span.to(span);
                Kind::Item(base, self.boxed(&item.subscript_expr)?)
            }
            ast::Expr::Call(call) => {
                let callee = self.boxed(&call.expr)?;
                span = callee.span.to(span);
                Kind::Call(callee, self.arguments(&call.args)?)
            }
            ast::Expr::List(list) => Kind::List(self.exprs(&list.items)?),
            ast::Expr::Tuple(tuple) => Kind::Tuple(self.exprs(&tuple.items)?),
            ast::Expr::Map(map) => {
                let entries = map.keys.iter().zip(&map.values);
                Kind::Map(entries.map(|(k, v)| Ok((self.expr(k)?, self.expr(v)?))).collect::<Result<_, Located>>()?)
            }
        };
        Ok(Expr { kind, span })
    }

    fn arguments(&self, arguments: &[ast::CallArg<'_>]) -> Result<Arguments, Located> {
        let lowered = arguments.iter().map(|argument| {
            Ok(match argument {
                ast::CallArg::Pos(expr) => Argument::Positional(self.expr(expr)?),
                ast::CallArg::Kwarg(name, expr) => Argument::Named((*name).into(), self.expr(expr)?),
                ast::CallArg::PosSplat(expr) => Argument::Items(self.expr(expr)?),
                ast::CallArg::KwargSplat(expr) => Argument::Entries(self.expr(expr)?),
            })
        });
        lowered.collect::<Result<_, _>>().map(Arguments)
    }

    pub(crate) fn stmts(&self, stmts: &[ast::Stmt<'_>]) -> Result<Vec<Stmt>, Located> {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&self, stmt: &ast::Stmt<'_>) -> Result<Stmt, Located> {
        Ok(match stmt {
            ast::Stmt::Template(template) => Stmt::Block(self.stmts(&template.children)?),
            ast::Stmt::EmitExpr(emit) => Stmt::Emit(self.expr(&emit.expr)?),
            ast::Stmt::EmitRaw(raw) => Stmt::Text(if self.newline == "\n" {
                raw.raw.into()
            } else {
                raw.raw.replace('\n', self.newline).into()
            }),
            ast::Stmt::ForLoop(each) => Stmt::For(Arc::new(For {
                target: self.target(&each.target)?,
                items: self.expr(&each.iter)?,
                condition: each.filter_expr.as_ref().map(|expr| self.expr(expr)).transpose()?,
                recursive: each.recursive,
                body: self.stmts(&each.body)?,
                otherwise: self.stmts(&each.else_body)?,
            })),
            ast::Stmt::IfCond(choice) => Stmt::If {
                condition: self.expr(&choice.expr)?,
                then: self.stmts(&choice.true_body)?,
                otherwise: self.stmts(&choice.false_body)?,
            },
            ast::Stmt::WithBlock(with) => {
                let assignments = with.assignments.iter().map(|(t, e)| Ok((self.target(t)?, self.expr(e)?)));
                Stmt::With { assignments: assignments.collect::<Result<_, Located>>()?, body: self.stmts(&with.body)? }
            }
            ast::Stmt::Set(set) => Stmt::Set { target: self.target(&set.target)?, value: self.expr(&set.expr)? },
            ast::Stmt::SetBlock(set) => Stmt::SetBlock {
                target: self.target(&set.target)?,
                filter: set.filter.as_ref().map(|filter| self.expr(filter)).transpose()?,
                body: self.stmts(&set.body)?,
            },
            ast::Stmt::AutoEscape(block) => Stmt::Block(self.stmts(&block.body)?),
            ast::Stmt::FilterBlock(block) => {
                Stmt::FilterBlock { filter: self.expr(&block.filter)?, body: self.stmts(&block.body)? }
            }
            ast::Stmt::Block(block) => Stmt::Block(self.stmts(&block.body)?),
            ast::Stmt::Import(import) => {
                Stmt::Import { name: self.expr(&import.expr)?, target: self.target(&import.name)? }
            }
            ast::Stmt::FromImport(import) => Stmt::FromImport {
                name: self.expr(&import.expr)?,
                names: import.names.iter().map(|(name, alias)| imported(name, alias.as_ref())).collect(),
            },
            ast::Stmt::Extends(extends) => {
                let message = "`extends` is not supported: use `include` or `import`";
                return Err((Error::syntax(message), self.span(extends.span())));
            }
            ast::Stmt::Include(include) => {
                Stmt::Include { name: self.expr(&include.name)?, ignore_missing: include.ignore_missing }
            }
            ast::Stmt::Macro(declaration) => Stmt::Macro(self.declaration(declaration)?),
            ast::Stmt::CallBlock(block) => {
                let callee = self.boxed(&block.call.expr)?;
                let span = callee.span.to(self.span(block.call.span()));
                let call = Expr { kind: Kind::Call(callee, self.arguments(&block.call.args)?), span };
                Stmt::CallBlock { call, body: self.declaration(&block.macro_decl)? }
            }
            ast::Stmt::Continue(part) => return Err(extension("continue", "loopcontrols", self.span(part.span()))),
            ast::Stmt::Break(part) => return Err(extension("break", "loopcontrols", self.span(part.span()))),
            ast::Stmt::Do(part) => return Err(extension("do", "do", self.span(part.span()))),
        })
    }

    fn declaration(&self, declaration: &ast::Macro<'_>) -> Result<Arc<Macro>, Located> {
        Ok(Arc::new(Macro {
            name: declaration.name.into(),
            parameters: declaration.args.iter().filter_map(variable).collect(),
            defaults: self.exprs(&declaration.defaults)?,
            body: self.stmts(&declaration.body)?,
        }))
    }

    fn target(&self, target: &ast::Expr<'_>) -> Result<Target, Located> {
        Ok(match target {
            ast::Expr::Var(var) => Target::Name(var.id.into()),
            ast::Expr::List(list) => {
                Target::Tuple(list.items.iter().map(|item| self.target(item)).collect::<Result<_, _>>()?)
            }
            ast::Expr::GetAttr(attribute) => match variable(&attribute.expr) {
                Some(base) => Target::Member(base, attribute.name.into()),
                None => return Err((Error::syntax("can't assign to this"), self.span(attribute.span()))),
            },
            other => return Err((Error::syntax("can't assign to this"), self.span(other.span()))),
        })
    }
}

fn extension(word: &str, name: &str, span: Span) -> Located {
    (Error::syntax(format!("`{word}` needs the extension `jinja2.ext.{name}`, which Ansible leaves off")), span)
}

/// The span of an expression with what its filters and tests are applied to; their own is the name with the arguments.
fn whole(expr: &Expr) -> Span {
    match &expr.kind {
        Kind::Filter { target: Some(target), .. } | Kind::Test { target, .. } => whole(target).to(expr.span),
        _ => expr.span,
    }
}

fn imported(name: &ast::Expr<'_>, alias: Option<&ast::Expr<'_>>) -> (Arc<str>, Arc<str>) {
    let name = variable(name).unwrap_or_else(|| "".into());
    let alias = alias.and_then(variable).unwrap_or_else(|| name.clone());
    (name, alias)
}

fn variable(expr: &ast::Expr<'_>) -> Option<Arc<str>> {
    match expr {
        ast::Expr::Var(var) => Some(var.id.into()),
        _ => None,
    }
}

/// `ansible.builtin . x` may hold white space around the dots.
fn compact(name: &str) -> Arc<str> {
    if name.contains(char::is_whitespace) { name.split_whitespace().collect::<String>().into() } else { name.into() }
}

fn constant_kind(value: &minijinja::Value) -> Kind {
    if let Some(text) = value.as_str() {
        return if crate::engine::is_template(text) { Kind::Embedded(text.into()) } else { Kind::Const(text.into()) };
    }
    Kind::Const(match value.kind() {
        minijinja::value::ValueKind::Bool => Value::Bool(value.is_true()),
        minijinja::value::ValueKind::Number if value.is_integer() => {
            i128::try_from(value.clone()).map_or_else(|_| Value::Float(as_float(value)), Value::Int)
        }
        minijinja::value::ValueKind::Number => Value::Float(as_float(value)),
        _ => Value::None,
    })
}

fn as_float(value: &minijinja::Value) -> f64 {
    f64::try_from(value.clone()).unwrap_or(f64::NAN)
}

fn operator(kind: ast::BinOpKind) -> Option<Operator> {
    Some(match kind {
        ast::BinOpKind::Eq => Operator::Eq,
        ast::BinOpKind::Ne => Operator::Ne,
        ast::BinOpKind::Lt => Operator::Lt,
        ast::BinOpKind::Lte => Operator::Lte,
        ast::BinOpKind::Gt => Operator::Gt,
        ast::BinOpKind::Gte => Operator::Gte,
        ast::BinOpKind::Add => Operator::Add,
        ast::BinOpKind::Sub => Operator::Sub,
        ast::BinOpKind::Mul => Operator::Mul,
        ast::BinOpKind::Div => Operator::Div,
        ast::BinOpKind::FloorDiv => Operator::FloorDiv,
        ast::BinOpKind::Rem => Operator::Rem,
        ast::BinOpKind::Pow => Operator::Pow,
        ast::BinOpKind::Concat => Operator::Concat,
        ast::BinOpKind::In => Operator::In,
        ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr => return None,
    })
}

fn comparison(kind: ast::CompareOpKind) -> Operator {
    match kind {
        ast::CompareOpKind::Eq => Operator::Eq,
        ast::CompareOpKind::Ne => Operator::Ne,
        ast::CompareOpKind::Lt => Operator::Lt,
        ast::CompareOpKind::Lte => Operator::Lte,
        ast::CompareOpKind::Gt => Operator::Gt,
        ast::CompareOpKind::Gte => Operator::Gte,
        ast::CompareOpKind::In => Operator::In,
        ast::CompareOpKind::NotIn => Operator::NotIn,
    }
}
