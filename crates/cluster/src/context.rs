//! What every command works with: the configuration, the inventory, the output, the root of the project.

use crate::cli::Global;
use crate::config::{self, Config};
use crate::exit::{Failure, Result, boxed};
use crate::output::Output;
use crate::prompt;
use crate::target::Target;
use camino::Utf8PathBuf;
use catalog::Catalog;
use diagnostic::Secret;
use inventory::Inventory;
use sandbox::Sandbox;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Runtime;

/// Read once, used by all steps of a command. What a command does not ask for is not read.
pub(crate) struct Context {
    pub(crate) output: Output,
    global: Global,
    found: OnceLock<config::Found>,
    become_password: OnceLock<Secret<String>>,
}

impl Context {
    /// Nothing is read yet: `cluster version` works anywhere.
    #[expect(clippy::unnecessary_wraps, reason = "more of the environment will be checked here")]
    pub(crate) fn new(global: &Global, output: Output) -> Result<Self> {
        Ok(Self { output, global: global.clone(), found: OnceLock::new(), become_password: OnceLock::new() })
    }

    fn found(&self) -> Result<&config::Found> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = config::find(self.global.config.as_deref())?;
        Ok(self.found.get_or_init(|| found))
    }

    /// The folder of `cluster.toml`.
    pub(crate) fn root(&self) -> Result<Utf8PathBuf> {
        Ok(self.found()?.root.clone())
    }

    /// The configuration.
    pub(crate) fn config(&self) -> Result<&Config> {
        Ok(&self.found()?.config)
    }

    /// The cluster to work on: flag or `CLUSTER_TARGET`, else the configuration.
    pub(crate) fn target(&self) -> Result<Target> {
        match self.global.target {
            Some(target) => Ok(target),
            None => Ok(self.config()?.target),
        }
    }

    /// What a command line has to say so that it works on the same cluster again; nothing where the surroundings say it.
    pub(crate) fn target_flag(&self) -> Result<String> {
        let said = environment("CLUSTER_TARGET").is_some() || self.config()?.target == self.target()?;
        Ok(if said { String::new() } else { format!(" --target {}", self.target()?) })
    }

    /// Where the inventory is read from: `-i`, else `ANSIBLE_INVENTORY`, else the configuration.
    pub(crate) fn inventory_sources(&self) -> Result<Vec<String>> {
        if !self.global.inventory.is_empty() {
            return Ok(self.global.inventory.clone());
        }
        if let Some(sources) = environment("ANSIBLE_INVENTORY") {
            return Ok(vec![sources]);
        }
        let found = self.found()?;
        Ok(vec![config::shown(&found.root.join(&found.config.inventory)).into_string()])
    }

    /// The inventory; its warnings are shown.
    pub(crate) fn inventory(&self) -> Result<Arc<Inventory>> {
        let inventory = Arc::new(Inventory::load(&self.inventory_sources()?).map_err(boxed)?);
        for warning in inventory.warnings() {
            self.output.warning(warning);
        }
        Ok(inventory)
    }

    /// How playbooks of services run: the environment's settings for connections, become as those playbooks want it.
    pub(crate) fn playbook_options(&self, ask_become_pass: bool) -> Result<playbook::Options> {
        let connection = playbook::Connection {
            user: environment("ANSIBLE_REMOTE_USER"),
            private_key: environment("ANSIBLE_PRIVATE_KEY_FILE").map(Utf8PathBuf::from),
            host_key_checking: host_key_checking(),
            become_password: if ask_become_pass { Some(self.become_password()?) } else { None },
            ..playbook::Connection::default()
        };
        Ok(playbook::Options {
            connection,
            verbosity: self.output.verbosity(),
            redactor: self.output.redactor().clone(),
            ..playbook::Options::default()
        })
    }

    /// The password that sudo wants, asked for once.
    fn become_password(&self) -> Result<Secret<String>> {
        if let Some(password) = self.become_password.get() {
            return Ok(password.clone());
        }
        let password = prompt::become_password()?;
        self.output.redactor().add(password.reveal());
        Ok(self.become_password.get_or_init(|| password).clone())
    }

    /// The services of this project.
    pub(crate) fn catalog(&self) -> Result<Catalog> {
        Catalog::load(&self.root()?).map_err(boxed)
    }

    /// The sandbox of this project; it need not be up.
    pub(crate) fn sandbox(&self) -> Result<Sandbox> {
        Ok(Sandbox::at(&self.root()?))
    }

    /// The runtime for commands that wait for something.
    pub(crate) fn runtime(&self) -> Result<Runtime> {
        Runtime::new().map_err(|error| {
            Failure::new(diagnostic::Exit::Failed, "the threads for the work could not be started")
                .because(error)
                .into()
        })
    }
}

/// An environment variable that is set and not empty.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `ANSIBLE_HOST_KEY_CHECKING`: on unless it says no, in any of Ansible's words for it.
pub(crate) fn host_key_checking() -> bool {
    let no = ["false", "no", "off", "0", "f", "n"];
    environment("ANSIBLE_HOST_KEY_CHECKING").is_none_or(|value| !no.contains(&value.to_lowercase().as_str()))
}
