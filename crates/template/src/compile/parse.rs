//! Parses text with minijinja and lowers the result.

use super::escape::Escaped;
use super::ir::{Program, Stmt};
use super::lower::{Located, Lower};
use crate::FileOptions;
use crate::error::Error;
use crate::place::Span;
use minijinja::machinery::{ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;
use std::sync::Arc;

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// A scalar of a YAML file: `{{ … }}` takes backslashes literally.
    Template,
    /// The same text is a bare expression (`debug: var=`).
    Expression,
    /// A bare expression with Jinja's escapes (`when`).
    Condition,
    /// A file.
    File,
}

/// Delimiters and white space.
pub(crate) type Syntax = FileOptions;

/// Reads a text.
pub(crate) fn compile(text: &str, mode: Mode, syntax: &Syntax) -> Result<Program, Located> {
    // minijinja counts lines and columns in 16 bits, offsets in 32: anything longer is no template by hand.
    if u32::try_from(text.len()).is_err() {
        return Err((Error::syntax("the text is too long"), Span::default()));
    }
    if expressions(text, mode, syntax).any(|expression| longest_unary_run(expression) > MOST_UNARY) {
        return Err((Error::syntax("the expression is nested too deep"), Span::default()));
    }
    let escaped = match mode {
        Mode::Template => Escaped::in_variables(text),
        Mode::Expression | Mode::Condition | Mode::File => Escaped::unchanged(text),
    };
    let lower = Lower::new(&escaped, &syntax.newline_sequence);
    let body = match mode {
        Mode::Expression | Mode::Condition => {
            let parsed = parse_expr(&escaped.text).map_err(|error| syntax_error(&error, &escaped))?;
            vec![Stmt::Emit(lower.expr(&parsed)?)]
        }
        Mode::Template | Mode::File => {
            let config = config(syntax).map_err(|error| syntax_error(&error, &escaped))?;
            let parsed = parse(&escaped.text, "", config).map_err(|error| syntax_error(&error, &escaped))?;
            match parsed {
                ast::Stmt::Template(template) => lower.stmts(&template.children)?,
                other => lower.stmts(&[other])?,
            }
        }
    };
    let trailing_newlines = match mode {
        Mode::Template | Mode::File => text.len() - text.trim_end_matches('\n').len(),
        Mode::Expression | Mode::Condition => 0,
    };
    Ok(Program { text: Arc::from(text), body, trailing_newlines, newline: syntax.newline_sequence.as_str().into() })
}

/// minijinja's parser guards its stack against brackets, but not against `not not not …`, `- - - …` and the like.
const MOST_UNARY: usize = 100;

/// The parts of a text between delimiters; without any delimiter the text itself.
fn expressions<'a>(text: &'a str, mode: Mode, syntax: &'a Syntax) -> impl Iterator<Item = &'a str> {
    let whole = matches!(mode, Mode::Expression | Mode::Condition).then_some(text);
    let between = |start: &'a str, end: &'a str| {
        text.split(start).skip(1).map(move |rest| rest.split(end).next().unwrap_or(rest))
    };
    let variables = between(&syntax.variable_start_string, &syntax.variable_end_string);
    whole.into_iter().chain(variables).chain(between(&syntax.block_start_string, &syntax.block_end_string))
}

/// How many `not`, `-` or `else` follow each other with nothing but short operands between them.
fn longest_unary_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for word in text.split_whitespace() {
        let signs = word.chars().take_while(|c| matches!(c, '-' | '(')).count();
        match word {
            "not" | "else" => run += 1,
            _ if signs > 0 => run += signs,
            "if" | "1" => {}
            _ => run = 0,
        }
        longest = longest.max(run);
    }
    longest
}

fn config(syntax: &Syntax) -> Result<SyntaxConfig, minijinja::Error> {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(syntax.trim_blocks).lstrip_blocks(syntax.lstrip_blocks);
    if *syntax != (Syntax { trim_blocks: syntax.trim_blocks, lstrip_blocks: syntax.lstrip_blocks, ..Syntax::default() })
    {
        builder
            .variable_delimiters(syntax.variable_start_string.clone(), syntax.variable_end_string.clone())
            .block_delimiters(syntax.block_start_string.clone(), syntax.block_end_string.clone())
            .comment_delimiters(syntax.comment_start_string.clone(), syntax.comment_end_string.clone());
    }
    builder.build()
}

fn syntax_error(error: &minijinja::Error, escaped: &Escaped) -> Located {
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let span = error.range().map_or_else(Span::default, |range| {
        let offset = |at: usize| escaped.original(u32::try_from(at).unwrap_or(u32::MAX));
        Span { start: offset(range.start), end: offset(range.end) }
    });
    (Error::syntax(message), span)
}
