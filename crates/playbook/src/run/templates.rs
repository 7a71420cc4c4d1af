//! Rendering for a task on a host. Facts are gathered on the way: when a template asks for one that is not there yet, the
//! machine is asked, and the template rendered again.

use super::Run;
use super::fault::Fault;
use super::variables::{Locals, Scope};
use super::veil::Veil;
use crate::load::fields;
use std::sync::Arc;
use template::{Engine, Error, Value};
use yaml::Node;

/// The templates of one execution of a task.
#[derive(Clone)]
pub(crate) struct Templates<'r> {
    pub(crate) run: &'r Run<'r>,
    pub(crate) engine: Engine,
    pub(crate) scope: Scope,
    /// Hides what they have read of secrets.
    pub(crate) veil: Arc<Veil>,
}

impl Templates<'_> {
    /// The same with other variables of the execution.
    pub(crate) fn with_locals(&self, locals: Locals) -> Self {
        Self { scope: self.scope.with_locals(locals), ..self.clone() }
    }

    /// Renders a node. `doing` begins the message of an error.
    pub(crate) async fn render(&self, node: &Node, doing: &str) -> Result<Value, Fault> {
        self.evaluate(doing, |engine, scope| engine.render(node, scope)).await
    }

    /// Renders a node without asking any machine for facts.
    pub(crate) fn render_now(&self, node: &Node) -> Result<Value, Error> {
        self.engine.render(node, &self.scope.shared())
    }

    /// Whether all conditions hold; else the first that does not.
    pub(crate) async fn unmet<'n>(&self, conditions: &[&'n Node]) -> Result<Option<&'n Node>, Fault> {
        for condition in conditions {
            let doing = "Error while evaluating conditional";
            if !self.evaluate(doing, |engine, scope| engine.condition(condition, scope)).await? {
                return Ok(Some(*condition));
            }
        }
        Ok(None)
    }

    /// Whether all conditions hold.
    pub(crate) async fn hold(&self, conditions: &[Node]) -> Result<bool, Fault> {
        let conditions: Vec<&Node> = conditions.iter().collect();
        Ok(self.unmet(&conditions).await?.is_none())
    }

    /// Evaluates, and again once the facts are there that it asked for.
    pub(crate) async fn evaluate<T>(
        &self,
        doing: &str,
        evaluate: impl Fn(&Engine, &Arc<dyn template::Scope>) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        let scope = self.scope.shared();
        loop {
            let result = evaluate(&self.engine, &scope);
            if !self.gather_wanted().await? {
                return result.map_err(|error| Fault::template(doing, &error));
            }
        }
    }

    /// Gathers the facts that templates have asked for; whether there were any.
    pub(crate) async fn gather_wanted(&self) -> Result<bool, Fault> {
        let hosts = self.scope.wanted.take();
        for host in &hosts {
            self.run.gather_facts(self, host).await?;
        }
        Ok(!hosts.is_empty())
    }

    /// A keyword's boolean, nothing when it is not given or omitted.
    pub(crate) async fn boolean(&self, node: Option<&Node>, keyword: &str) -> Result<Option<bool>, Fault> {
        let Some(node) = node else { return Ok(None) };
        if let Some(literal) = fields::boolean(node) {
            return Ok(Some(literal));
        }
        let value = self.render(node, &format!("Error processing keyword '{keyword}'")).await?;
        if value.is_omit() {
            return Ok(None);
        }
        match boolean(&value) {
            Some(flag) => Ok(Some(flag)),
            None => Err(unfit(node, keyword, "a boolean", &value)),
        }
    }

    /// A keyword's text, nothing when it is not given, omitted or null.
    pub(crate) async fn text(&self, node: Option<&Node>, keyword: &str) -> Result<Option<String>, Fault> {
        let Some(node) = node else { return Ok(None) };
        let value = self.render(node, &format!("Error processing keyword '{keyword}'")).await?;
        match value {
            Value::Omit | Value::None => Ok(None),
            Value::List(_) | Value::Map(_) | Value::Tuple(_) => Err(unfit(node, keyword, "a string", &value)),
            value => Ok(Some(text(&value))),
        }
    }

    /// A keyword's number, nothing when it is not given or omitted.
    pub(crate) async fn number(&self, node: Option<&Node>, keyword: &str) -> Result<Option<f64>, Fault> {
        let Some(node) = node else { return Ok(None) };
        let value = self.render(node, &format!("Error processing keyword '{keyword}'")).await?;
        if value.is_omit() {
            return Ok(None);
        }
        let number = value.as_str().map_or_else(|| value.as_float(), |text| text.trim().parse().ok());
        number.map(Some).ok_or_else(|| unfit(node, keyword, "a number", &value))
    }
}

fn unfit(node: &Node, keyword: &str, expected: &str, value: &Value) -> Fault {
    let message = format!("`{keyword}` takes {expected}, not `{}`", text(value));
    Fault::at(diagnostic::Mistake::at(node.position.clone(), message))
}

/// The boolean that a rendered value stands for.
pub(crate) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::Str(text) => fields::boolean_word(text),
        _ => None,
    }
}

/// A value as text: strings as they are, the rest as JSON.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
        other => match other.to_json() {
            serde_json::Value::String(text) => text,
            json => json.to_string(),
        },
    }
}
