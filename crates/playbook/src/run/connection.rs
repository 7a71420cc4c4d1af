//! How a task reaches its machine, and as whom: connection variables beat keywords, keywords beat the command line
//! (<https://docs.ansible.com/ansible/latest/reference_appendices/general_precedence.html>).

use super::Options;
use super::fault::Fault;
use super::templates::{Templates, boolean, text};
use super::variables::{Host, Scope};
use crate::load::{Keywords, Level};
use camino::Utf8PathBuf;
use diagnostic::{Mistake, Secret};
use remote::{Become, BecomeMethod, Ssh, Transport};
use std::sync::Arc;
use std::time::Duration;
use template::{Scope as _, Value};
use yaml::Node;

/// The way to a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The inventory's name of the machine.
    pub host: String,
    /// How it is connected to.
    pub transport: Transport,
    /// Whom to become there.
    pub r#become: Option<Become>,
}

/// Looks up what belongs to one connection.
struct Lookup<'a> {
    templates: Templates<'a>,
    level: &'a Level,
    options: &'a Options,
}

impl Way {
    /// The way to the task's host, or to the one that it is delegated to.
    pub(crate) async fn find(
        templates: &Templates<'_>,
        level: &Level,
        delegate: Option<&Arc<Host>>,
    ) -> Result<Self, Fault> {
        let mut templates = templates.clone();
        if let Some(host) = delegate {
            templates.scope = templates.scope.delegated(host);
        }
        let options = templates.run.options;
        let host = templates.scope.host.as_ref().map(|host| host.name.clone()).unwrap_or_default();
        let lookup = Lookup { templates, level, options };
        let transport = lookup.transport(&host).await?;
        let r#become = lookup.r#become().await?;
        Ok(Self { host, transport, r#become })
    }
}

impl Lookup<'_> {
    /// The first of these variables that is set.
    async fn variable(&self, names: &[&str]) -> Result<Option<Value>, Fault> {
        for name in names {
            // A lookup by hand: most connection variables are not set, and no expression is worth compiling for them.
            if Scope::get(&self.templates.scope, name).is_none() {
                continue;
            }
            let position = diagnostic::Position::new("<connection>", 1, 1);
            let doing = format!("error while resolving `{name}`");
            let value =
                self.templates.evaluate(&doing, |engine, scope| engine.expression(name, &position, scope)).await?;
            if !matches!(value, Value::None | Value::Omit) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    async fn text(&self, names: &[&str]) -> Result<Option<String>, Fault> {
        Ok(self.variable(names).await?.map(|value| text(&value)).filter(|text| !text.is_empty()))
    }

    /// A variable, else the keyword.
    async fn setting(
        &self,
        names: &[&str],
        name: &str,
        keyword: impl Fn(&Keywords) -> Option<&Node>,
    ) -> Result<Option<String>, Fault> {
        match self.text(names).await? {
            Some(text) => Ok(Some(text)),
            None => self.templates.text(self.level.find(keyword), name).await,
        }
    }

    async fn transport(&self, host: &str) -> Result<Transport, Fault> {
        let connection =
            self.setting(&["ansible_connection"], "connection", |keywords| keywords.connection.as_ref()).await?;
        let connection = connection.or_else(|| self.options.connection.connection.clone());
        match connection.as_deref().map(|name| name.strip_prefix("ansible.builtin.").unwrap_or(name)) {
            Some("local") => Ok(Transport::Local),
            None | Some("ssh" | "smart" | "paramiko" | "paramiko_ssh") => self.ssh(host).await.map(Transport::Ssh),
            Some(other) => {
                let message = format!("connection `{other}` is not supported: the native engine has `ssh` and `local`");
                Err(Fault::at(Mistake::new(message).hinted("run it with `--engine ansible`")))
            }
        }
    }

    async fn ssh(&self, host: &str) -> Result<Ssh, Fault> {
        let defaults = &self.options.connection;
        let key = self.text(&["ansible_ssh_private_key_file", "ansible_private_key_file"]).await?;
        Ok(Ssh {
            host: self.text(&["ansible_host", "ansible_ssh_host"]).await?.unwrap_or_else(|| host.to_owned()),
            port: self.port().await?,
            user: self
                .setting(&["ansible_user", "ansible_ssh_user"], "remote_user", |keywords| keywords.remote_user.as_ref())
                .await?
                .or_else(|| defaults.user.clone()),
            private_key: key.map(|path| expand_home(&path)).or_else(|| defaults.private_key.clone()),
            host_key_checking: self.host_key_checking().await?,
            arguments: self.arguments().await?,
            connect_timeout: self.timeout().await?,
        })
    }

    async fn port(&self) -> Result<Option<u16>, Fault> {
        let port =
            self.setting(&["ansible_port", "ansible_ssh_port"], "port", |keywords| keywords.port.as_ref()).await?;
        let Some(port) = port else { return Ok(None) };
        port.trim().parse().map(Some).map_err(|_| Fault::message(format!("`{port}` is not a valid port")))
    }

    async fn host_key_checking(&self) -> Result<bool, Fault> {
        let value = self.variable(&["ansible_host_key_checking", "ansible_ssh_host_key_checking"]).await?;
        Ok(value.and_then(|value| boolean(&value)).unwrap_or(self.options.connection.host_key_checking))
    }

    async fn timeout(&self) -> Result<Duration, Fault> {
        let value = self.text(&["ansible_timeout", "ansible_ssh_timeout"]).await?;
        let seconds = value.and_then(|value| value.parse().ok()).map(Duration::from_secs);
        Ok(seconds.unwrap_or(self.options.connection.timeout))
    }

    async fn arguments(&self) -> Result<Vec<String>, Fault> {
        let defaults = &self.options.connection;
        let mut arguments = Vec::new();
        for (name, default) in [
            ("ansible_ssh_common_args", &defaults.ssh_common_args),
            ("ansible_ssh_extra_args", &defaults.ssh_extra_args),
        ] {
            let Some(line) = self.text(&[name]).await?.or_else(|| default.clone()) else { continue };
            let words = shlex::split(&line)
                .ok_or_else(|| Fault::message(format!("a quote is not closed in `{name}`: `{line}`")))?;
            arguments.extend(words);
        }
        Ok(arguments)
    }

    async fn r#become(&self) -> Result<Option<Become>, Fault> {
        let defaults = &self.options.connection;
        let wanted = match self.variable(&["ansible_become"]).await? {
            Some(value) => {
                Some(boolean(&value).ok_or_else(|| {
                    Fault::message(format!("`ansible_become` takes a boolean, not `{}`", text(&value)))
                })?)
            }
            None => self.templates.boolean(self.level.find(|keywords| keywords.r#become.as_ref()), "become").await?,
        };
        if !wanted.unwrap_or(defaults.r#become) {
            return Ok(None);
        }
        let method = self.method().await?;
        let (user, password) = match method {
            BecomeMethod::Sudo => (["ansible_become_user", "ansible_sudo_user"], "ansible_sudo_pass"),
            BecomeMethod::Su => (["ansible_become_user", "ansible_su_user"], "ansible_su_pass"),
        };
        let user = self.setting(&user, "become_user", |keywords| keywords.become_user.as_ref()).await?;
        let password = self.text(&["ansible_become_password", "ansible_become_pass", password]).await?;
        let password = password.map(Secret::new).or_else(|| defaults.become_password.clone());
        if let Some(password) = &password {
            self.options.redactor.add(password.reveal());
        }
        Ok(Some(Become {
            user: user.or_else(|| defaults.become_user.clone()).unwrap_or_else(|| "root".to_owned()),
            method,
            password,
        }))
    }

    async fn method(&self) -> Result<BecomeMethod, Fault> {
        let name = self
            .setting(&["ansible_become_method"], "become_method", |keywords| keywords.become_method.as_ref())
            .await?;
        let name = name.or_else(|| self.options.connection.become_method.clone());
        match name.as_deref().map(|name| name.strip_prefix("ansible.builtin.").unwrap_or(name)) {
            None | Some("sudo") => Ok(BecomeMethod::Sudo),
            Some("su") => Ok(BecomeMethod::Su),
            Some(other) => {
                let message =
                    format!("become method `{other}` is not supported: the native engine has `sudo` and `su`");
                Err(Fault::at(Mistake::new(message).hinted("run it with `--engine ansible`")))
            }
        }
    }
}

fn expand_home(path: &str) -> Utf8PathBuf {
    let home = path.strip_prefix("~/").and_then(|rest| Some((std::env::home_dir()?, rest)));
    match home.and_then(|(home, rest)| Utf8PathBuf::from_path_buf(home.join(rest)).ok()) {
        Some(path) => path,
        None => Utf8PathBuf::from(path),
    }
}
