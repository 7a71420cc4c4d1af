//! A template ready to be rendered: names resolved to filters and tests, every part with its place in the text.

use crate::Value;
use crate::filters::Filter;
use crate::place::Span;
use crate::tests::Test;
use crate::value::Operator;
use std::sync::Arc;

/// A compiled template or expression.
#[derive(Debug)]
pub(crate) struct Program {
    /// The text as it was given, for places in errors.
    pub(crate) text: Arc<str>,
    pub(crate) body: Vec<Stmt>,
    /// Whether the text ends with newlines that the parser drops and a string result gets back.
    pub(crate) trailing_newlines: usize,
    /// What ends a line in the output.
    pub(crate) newline: Arc<str>,
}

#[derive(Debug)]
pub(crate) enum Stmt {
    Text(Arc<str>),
    Emit(Expr),
    For(Arc<For>),
    If { condition: Expr, then: Vec<Stmt>, otherwise: Vec<Stmt> },
    With { assignments: Vec<(Target, Expr)>, body: Vec<Stmt> },
    Set { target: Target, value: Expr },
    SetBlock { target: Target, filter: Option<Expr>, body: Vec<Stmt> },
    FilterBlock { filter: Expr, body: Vec<Stmt> },
    Macro(Arc<Macro>),
    CallBlock { call: Expr, body: Arc<Macro> },
    Include { name: Expr, ignore_missing: bool },
    Import { name: Expr, target: Target },
    FromImport { name: Expr, names: Vec<(Arc<str>, Arc<str>)> },
    Block(Vec<Stmt>),
}

#[derive(Debug)]
pub(crate) struct For {
    pub(crate) target: Target,
    pub(crate) items: Expr,
    pub(crate) condition: Option<Expr>,
    pub(crate) recursive: bool,
    pub(crate) body: Vec<Stmt>,
    pub(crate) otherwise: Vec<Stmt>,
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: Arc<str>,
    pub(crate) parameters: Vec<Arc<str>>,
    /// Of the last parameters.
    pub(crate) defaults: Vec<Expr>,
    pub(crate) body: Vec<Stmt>,
}

/// What a value is assigned to.
#[derive(Debug)]
pub(crate) enum Target {
    Name(Arc<str>),
    /// A member of a `namespace()`.
    Member(Arc<str>, Arc<str>),
    Tuple(Vec<Target>),
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Const(Value),
    /// A string constant that looks like a template itself (`lookup('file', '{{ dir }}/x')`).
    Embedded(Arc<str>),
    Name(Arc<str>),
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Operator, Expr)>),
    /// condition, value if it holds, value otherwise
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// Without a target the text of a block is meant.
    Filter {
        name: Arc<str>,
        filter: Option<Filter>,
        target: Option<Box<Expr>>,
        arguments: Arguments,
    },
    Test {
        name: Arc<str>,
        test: Option<Test>,
        target: Box<Expr>,
        arguments: Arguments,
    },
    Call(Box<Expr>, Arguments),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
}

/// The arguments of a call in the order of evaluation.
#[derive(Debug, Default)]
pub(crate) struct Arguments(pub(crate) Vec<Argument>);

#[derive(Debug)]
pub(crate) enum Argument {
    Positional(Expr),
    Named(Arc<str>, Expr),
    /// `*list`
    Items(Expr),
    /// `**dict`
    Entries(Expr),
}
