//! What modules are offered: the machine of their task, and its templates.

use super::connection::Way;
use super::fault::Fault;
use super::templates::Templates;
use crate::load::Level;
use crate::load::sources;
use crate::modules::{Context, Failure};
use camino::Utf8Path;
use diagnostic::{Mistake, Position};
use futures::future::BoxFuture;
use remote::{Become, Command, Output};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use template::{FileOptions, Traces};
use tokio::sync::OnceCell;

/// The surroundings of one call of a module.
pub(crate) struct TaskContext<'r> {
    pub(crate) templates: Templates<'r>,
    pub(crate) level: Arc<Level>,
    pub(crate) delegate: Option<Arc<super::variables::Host>>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) position: Position,
    way: OnceCell<Way>,
    /// The last template error, whose place the module's own failure does not carry.
    trouble: Mutex<Option<Mistake>>,
}

impl<'r> TaskContext<'r> {
    pub(crate) fn new(
        templates: Templates<'r>,
        level: &Arc<Level>,
        delegate: Option<Arc<super::variables::Host>>,
        environment: Vec<(String, String)>,
        position: Position,
    ) -> Self {
        let level = Arc::clone(level);
        Self { templates, level, delegate, environment, position, way: OnceCell::new(), trouble: Mutex::new(None) }
    }

    /// The way to the machine, found out once.
    pub(crate) async fn way(&self) -> Result<&Way, Fault> {
        self.way.get_or_try_init(|| Way::find(&self.templates, &self.level, self.delegate.as_ref())).await
    }

    /// The template error that made the module fail, if one did.
    pub(crate) fn take_trouble(&self) -> Option<Mistake> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) async fn execute(&self, command: Command, as_login_user: bool) -> Result<Output, Fault> {
        let way = self.way().await?;
        let machine = self.templates.run.machines.get(&way.host, &way.transport).await?;
        let r#become: Option<&Become> = way.r#become.as_ref().filter(|_| !as_login_user);
        let mut environment = self.environment.clone();
        environment.extend(command.environment);
        let command = Command { environment, ..command };
        machine.run(&command, r#become).await.map_err(|error| Fault::machine(&error))
    }

    fn fail(&self, error: &template::Error) -> Failure {
        let told = Mistake::of(error);
        let failure = Failure::message(told.message.clone());
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        failure
    }

    fn failed(&self, fault: Fault) -> Failure {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = fault.mistake;
        Failure::Task(Box::new(crate::modules::TaskResult(fault.result)))
    }
}

impl Context for TaskContext<'_> {
    fn run(&self, command: Command) -> BoxFuture<'_, Result<Output, Failure>> {
        Box::pin(async move { self.execute(command, false).await.map_err(|fault| self.failed(fault)) })
    }

    fn run_as_login_user(&self, command: Command) -> BoxFuture<'_, Result<Output, Failure>> {
        Box::pin(async move { self.execute(command, true).await.map_err(|fault| self.failed(fault)) })
    }

    fn render_file(&self, text: &str, name: &str, options: &FileOptions) -> Result<String, Failure> {
        let scope = self.templates.scope.shared();
        let (veil, traces) = (&self.templates.veil, Traces::new());
        let rendered = self.templates.engine.with_traces(traces.clone()).render_file(text, name, options, &scope);
        veil.content(&traces, rendered.as_deref().unwrap_or_default());
        veil.traces().extend(traces.texts());
        rendered.map_err(|error| self.fail(&error))
    }

    fn evaluate(&self, expression: &str) -> Result<Value, Failure> {
        let scope = self.templates.scope.shared();
        let value = self.templates.engine.expression(expression, &self.position, &scope);
        if !self.templates.veil.traces().is_empty() {
            self.templates.veil.echo(expression);
        }
        value.map(|value| value.to_json()).map_err(|error| self.fail(&error))
    }

    fn condition(&self, condition: &str) -> Result<bool, Failure> {
        let scope = self.templates.scope.shared();
        let node = yaml::Node::new(yaml::Value::String(condition.to_owned()), self.position.clone());
        self.templates.engine.condition(&node, &scope).map_err(|error| self.fail(&error))
    }

    fn decrypt(&self, encrypted: &[u8], path: &Utf8Path) -> Result<Vec<u8>, Failure> {
        let text =
            std::str::from_utf8(encrypted).map_err(|_| Failure::message("an encrypted file holds more than text"))?;
        let clear = sources::decrypted(path, text, self.templates.run.decrypt.as_deref());
        let clear = clear.map_err(|mistake| self.failed(Fault::at(mistake)))?;
        self.templates.veil.decrypted(&clear);
        Ok(clear.into_bytes())
    }

    fn verbosity(&self) -> u8 {
        self.templates.run.options.verbosity
    }
}
