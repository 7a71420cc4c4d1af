//! What every command works with: the configuration, the inventory, the output, the root of the project.

use crate::cli::Global;
use crate::commands::playbook::Engine;
use crate::config::{self, Config};
use crate::exit::{Error, Failure, Result, boxed};
use crate::output::Output;
use crate::passwords::Passwords;
use crate::prompt;
use crate::target::Target;
use camino::Utf8PathBuf;
use catalog::Catalog;
use diagnostic::Secret;
use inventory::Inventory;
use sandbox::Sandbox;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Runtime;

/// Read once, used by all steps of a command. What a command does not ask for is not read.
pub(crate) struct Context {
    pub(crate) output: Output,
    global: Global,
    found: OnceLock<config::Found>,
    become_password: OnceLock<Secret<String>>,
    passwords: OnceLock<Passwords>,
}

impl Context {
    /// Nothing is read yet: `cluster version` works anywhere.
    #[expect(clippy::unnecessary_wraps, reason = "more of the environment will be checked here")]
    pub(crate) fn new(global: &Global, output: Output) -> Result<Self> {
        Ok(Self {
            output,
            global: global.clone(),
            found: OnceLock::new(),
            become_password: OnceLock::new(),
            passwords: OnceLock::new(),
        })
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

    /// What runs playbooks: the flag, else the configuration, which playbooks outside of a project do without.
    pub(crate) fn engine(&self, given: Option<Engine>) -> Result<Engine> {
        match given {
            Some(engine) => Ok(engine),
            None if config::exists(self.global.config.as_deref()) => Ok(self.config()?.engine),
            None => Ok(Engine::Auto),
        }
    }

    /// A command to go on with, on the same cluster: what led there is said again, but not what the surroundings say.
    pub(crate) fn command(&self, words: &str) -> String {
        let mut command = format!("cluster {words}");
        let mut flag = |name: &str, value: &str| {
            let quoted = shlex::try_quote(value).unwrap_or(value.into());
            command.push_str(&format!(" --{name} {quoted}"));
        };
        let configured = self.config().ok().map(|config| config.target);
        if let Some(target) = self.global.target.filter(|target| Some(*target) != configured)
            && environment("CLUSTER_TARGET").is_none()
        {
            flag("target", &target.to_string());
        }
        if let Some(config) = &self.global.config
            && environment("CLUSTER_CONFIG").is_none()
        {
            flag("config", config.as_str());
        }
        self.global.inventory.iter().for_each(|source| flag("inventory", source));
        command
    }

    /// The command as it was typed.
    pub(crate) fn again(&self) -> String {
        let typed = std::env::args().skip(1).collect::<Vec<_>>();
        let quoted = typed.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        self.output.redactor().redact(&format!("cluster {quoted}")).into_owned()
    }

    /// The sandbox of this project, which must be up.
    pub(crate) fn running_sandbox(&self) -> Result<Sandbox> {
        let sandbox = self.sandbox()?;
        sandbox.check_owner().map_err(boxed)?;
        if sandbox.is_up() {
            return Ok(sandbox);
        }
        Err(Failure::usage("the sandbox is not up").hinted("run `cluster sandbox up`").into())
    }

    /// Where the inventory is read from: `-i`, else `ANSIBLE_INVENTORY`, else the configuration.
    pub(crate) fn inventory_sources(&self) -> Result<Vec<String>> {
        if !self.global.inventory.is_empty() {
            return Ok(self.global.inventory.clone());
        }
        if let Some(sources) = environment("ANSIBLE_INVENTORY") {
            return Ok(sources_of(&sources));
        }
        let found = self.found()?;
        Ok(vec![config::shown(&found.root.join(&found.config.inventory)).into_string()])
    }

    /// The inventory; its warnings are shown.
    pub(crate) fn inventory(&self) -> Result<Arc<Inventory>> {
        let loaded = Inventory::load_with(&self.inventory_sources()?, self.passwords()?.decrypt_asking());
        let inventory = Arc::new(loaded.map_err(|error| self.about_inventory(error))?);
        for warning in inventory.warnings() {
            self.output.warning(warning);
        }
        Ok(inventory)
    }

    /// An error of the inventory; where the configuration names one that is not there, with that place.
    fn about_inventory(&self, error: inventory::Error) -> Error {
        let is_configured = self.global.inventory.is_empty() && environment("ANSIBLE_INVENTORY").is_none();
        match (&error, self.found()) {
            (inventory::Error::NotFound { .. }, Ok(found)) if is_configured => boxed(found.missing_inventory()),
            _ => boxed(error),
        }
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
            decrypt: self.passwords()?.decrypt()?,
            ..playbook::Options::default()
        })
    }

    /// The password that sudo wants, asked for once.
    pub(crate) fn become_password(&self) -> Result<Secret<String>> {
        if let Some(password) = self.become_password.get() {
            return Ok(password.clone());
        }
        let password = prompt::become_password()?;
        self.output.redactor().add(password.reveal());
        Ok(self.become_password.get_or_init(|| password).clone())
    }

    /// The vault passwords of this run.
    pub(crate) fn passwords(&self) -> Result<&Passwords> {
        if let Some(passwords) = self.passwords.get() {
            return Ok(passwords);
        }
        let configured = match config::exists(self.global.config.as_deref()) {
            true => self.found()?.vault_password_file(),
            false => None,
        };
        let passwords = Passwords::new(&self.global.vault, configured, self.output.clone())?;
        Ok(self.passwords.get_or_init(|| passwords))
    }

    /// The services of this project, their paths and those in mistakes as the user would write them.
    pub(crate) fn catalog(&self) -> Result<Catalog> {
        Catalog::load(&config::shown_folder(&self.root()?)).map_err(boxed)
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

/// `ANSIBLE_INVENTORY` is a list of paths with commas; where these are no paths it is a list of hosts, as with `-i`.
fn sources_of(text: &str) -> Vec<String> {
    let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let all_exist = parts.iter().all(|part| Utf8PathBuf::from(part).exists());
    if all_exist && !text.ends_with(',') {
        parts.into_iter().map(str::to_owned).collect()
    } else {
        vec![text.to_owned()]
    }
}

/// An environment variable that is set and not empty.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A word as one types it in a shell: in quotes only where it needs them (`--target=sandbox` does not).
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.,:/@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return Cow::Borrowed(word);
    }
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// `ANSIBLE_HOST_KEY_CHECKING`: on unless it says no, in any of Ansible's words for it.
pub(crate) fn host_key_checking() -> bool {
    let no = ["false", "no", "off", "0", "f", "n"];
    environment("ANSIBLE_HOST_KEY_CHECKING").is_none_or(|value| !no.contains(&value.to_lowercase().as_str()))
}
