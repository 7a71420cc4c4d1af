//! Conditions, by the rules of Ansible 2.19 (`TemplateEngine.evaluate_conditional`): an expression whose result is a
//! boolean; a text that is one template may only lead to such an expression.

use crate::compile::{Kind, Mode, Stmt};
use crate::engine::is_template;
use crate::error::Error;
use crate::eval::{Session, finalize};
use crate::place::{Place, Span};
use crate::{Value, Variable};
use diagnostic::Position;
use std::sync::Arc;
use yaml::Node;

/// Whether a condition holds.
pub(crate) fn holds(session: &Arc<Session>, node: &Node) -> Result<bool, Error> {
    match &node.value {
        yaml::Value::Bool(flag) => Ok(*flag),
        yaml::Value::Sequence(items) => {
            for item in items {
                if !holds(session, item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        yaml::Value::String(text) => text_holds(session, text, &node.position),
        yaml::Value::Null => Err(broken(&node.position, "", "empty conditional expressions are not allowed", None)),
        _ => {
            let message = format!("a condition must be an expression or a boolean, not {}", node.kind());
            Err(broken(&node.position, "", message, None))
        }
    }
}

fn text_holds(session: &Arc<Session>, text: &str, position: &Position) -> Result<bool, Error> {
    let mut text: Arc<str> = Arc::from(text.trim());
    let mut position = position.clone();
    for _ in 0..LONGEST_INDIRECTION {
        if text.is_empty() {
            return Err(broken(&position, &text, "empty conditional expressions are not allowed", None));
        }
        if !is_all_template(&text) {
            let value = finalize(session.expression(&text, &position, Mode::Condition)?)?;
            return boolean(&value, &text, &position);
        }
        match indirect(session, &text, &position)? {
            Some((next, place)) => (text, position) = (next, place),
            None => {
                let value = finalize(session.text(&text, &position)?)?;
                return rendered(&value, &text, &position);
            }
        }
    }
    Err(broken(&position, &text, "the condition leads from variable to variable without end", None))
}

/// How many variables a condition may lead through.
const LONGEST_INDIRECTION: usize = 32;

fn is_all_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.starts_with(mark))
        && ["}}", "%}", "#}"].iter().any(|mark| text.ends_with(mark))
}

/// `{{ name }}`, where the variable is a text that a person wrote: that text is the condition. Text from data never is
/// one, since an expression can run commands.
fn indirect(session: &Arc<Session>, text: &str, position: &Position) -> Result<Option<(Arc<str>, Position)>, Error> {
    let program = session.engine().program(text, Mode::Template, position)?;
    let [Stmt::Emit(expr)] = program.body.as_slice() else { return Ok(None) };
    let Kind::Name(name) = &expr.kind else { return Ok(None) };
    let Some(Variable::Authored(node)) = session.scope().get(name) else { return Ok(None) };
    Ok(match &node.value {
        yaml::Value::String(next) if !node.is_unsafe && (!is_template(next) || is_all_template(next)) => {
            Some((Arc::from(next.trim()), node.position.clone()))
        }
        _ => None,
    })
}

fn rendered(value: &Value, text: &str, position: &Position) -> Result<bool, Error> {
    if value.as_str().is_some_and(|text| !text.trim().is_empty()) {
        let message = "a template that gives text is no condition";
        return Err(broken(position, text, message, Some("write the expression itself, without `{{ }}`".to_owned())));
    }
    boolean(value, text, position)
}

fn boolean(value: &Value, text: &str, position: &Position) -> Result<bool, Error> {
    if let Value::Bool(flag) = value {
        return Ok(*flag);
    }
    let truth = if value.truth()? { "True" } else { "False" };
    let kind = value.type_name();
    let message = format!(
        "conditional result ({truth}) was derived from value of type '{kind}'; conditionals must have a boolean result"
    );
    let simple = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let subject = if simple { text.to_owned() } else { format!("({text})") };
    let hint = match value {
        Value::List(_) | Value::Map(_) | Value::Tuple(_) => format!("write `{subject} | length > 0`"),
        Value::None => format!("write `{subject} is not none`"),
        _ => format!("write `{subject} | bool`, or `{subject} is truthy`"),
    };
    Err(broken(position, text, message, Some(hint)))
}

fn broken(position: &Position, text: &str, message: impl Into<String>, hint: Option<String>) -> Error {
    let span = Span { start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
    Error::Condition { message: message.into(), hint, place: Some(Place::new(position, &Arc::from(text), span)) }
}
