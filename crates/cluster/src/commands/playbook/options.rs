//! The options that `ansible-playbook` has too, spelled as there.

use crate::command_line;
use crate::context::{Context, host_key_checking};
use crate::exit::{Failure, Result, boxed};
use camino::Utf8PathBuf;
use playbook::{Connection, Options};
use std::time::Duration;

/// How a playbook is run.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunOptions {
    /// Only these hosts of the plays' hosts, as a pattern
    #[arg(short, long, value_name = "PATTERN")]
    limit: Option<String>,

    /// Variables: key=value, YAML or JSON, or @FILE; may be given several times
    #[arg(short, long, value_name = "VARS")]
    extra_vars: Vec<String>,

    /// Only tasks with these tags
    #[arg(short, long, value_delimiter = ',', value_name = "TAG")]
    tags: Vec<String>,

    /// No tasks with these tags
    #[arg(long, value_delimiter = ',', value_name = "TAG")]
    skip_tags: Vec<String>,

    /// Say what would change, and change nothing
    #[arg(short = 'C', long)]
    check: bool,

    /// Show what changes in files
    #[arg(short = 'D', long)]
    diff: bool,

    /// How many hosts are worked on at once
    #[arg(short, long, env = "ANSIBLE_FORKS", hide_env_values = true, default_value_t = playbook::FORKS, value_name = "N")]
    forks: usize,

    /// Begin with the task of this name
    #[arg(long, value_name = "TASK")]
    start_at_task: Option<String>,

    /// Run notified handlers even when a task failed
    #[arg(long)]
    force_handlers: bool,

    /// How machines are reached: ssh or local
    #[arg(short, long, value_name = "CONNECTION")]
    connection: Option<String>,

    /// User to connect as
    #[arg(short, long, env = "ANSIBLE_REMOTE_USER", hide_env_values = true, value_name = "USER")]
    user: Option<String>,

    /// Private key to connect with
    #[arg(long, env = "ANSIBLE_PRIVATE_KEY_FILE", hide_env_values = true, value_name = "FILE")]
    private_key: Option<Utf8PathBuf>,

    /// Become another user for every task
    #[arg(short, long)]
    r#become: bool,

    /// The user to become
    #[arg(long, value_name = "USER")]
    become_user: Option<String>,

    /// How to become: sudo or su
    #[arg(long, value_name = "METHOD")]
    become_method: Option<String>,

    /// Ask for the password that sudo wants
    #[arg(short = 'K', long)]
    ask_become_pass: bool,

    /// Seconds to wait for a connection
    #[arg(
        short = 'T',
        long,
        env = "ANSIBLE_TIMEOUT",
        hide_env_values = true,
        default_value_t = 10,
        value_name = "SECONDS"
    )]
    timeout: u64,
}

impl RunOptions {
    /// For the native engine. `may_ask`: whether it is the one to ask for passwords.
    pub(super) fn to_native(&self, context: &Context, may_ask: bool) -> Result<Options> {
        if self.forks == 0 {
            return Err(Failure::usage("`--forks 0` would work on no host at all").into());
        }
        command_line::refuse_secrets("--extra-vars", &self.extra_vars)?;
        let password = if self.ask_become_pass && may_ask { Some(context.become_password()?) } else { None };
        let decrypt = context.passwords()?.decrypt()?;
        let given = self.extra_vars.iter().map(String::as_str);
        Ok(Options {
            extra_vars: playbook::extra_vars_with(given, decrypt.as_deref()).map_err(boxed)?,
            limit: self.limit.clone(),
            tags: self.tags.clone(),
            skip_tags: self.skip_tags.clone(),
            check: self.check,
            diff: self.diff,
            forks: self.forks,
            start_at_task: self.start_at_task.clone(),
            force_handlers: self.force_handlers,
            verbosity: context.output.verbosity(),
            connection: Connection {
                connection: self.connection.clone(),
                user: self.user.clone(),
                private_key: self.private_key.clone(),
                host_key_checking: host_key_checking(),
                timeout: Duration::from_secs(self.timeout),
                r#become: self.r#become,
                become_user: self.become_user.clone(),
                become_method: self.become_method.clone(),
                become_password: password,
                ..Connection::default()
            },
            redactor: context.output.redactor().clone(),
            decrypt,
            ..Options::default()
        })
    }

    /// For `ansible-playbook`.
    pub(super) fn to_ansible(&self, context: &Context) -> Result<Vec<String>> {
        let mut words = Vec::new();
        let mut value = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
        context.inventory_sources()?.iter().for_each(|source| value("--inventory", source));
        self.extra_vars.iter().for_each(|vars| value("--extra-vars", vars));
        self.tags.iter().for_each(|tag| value("--tags", tag));
        self.skip_tags.iter().for_each(|tag| value("--skip-tags", tag));
        context.passwords()?.arguments().iter().for_each(|source| value("--vault-id", source));
        value("--forks", &self.forks.to_string());
        value("--timeout", &self.timeout.to_string());
        let optional = [
            ("--limit", self.limit.as_deref()),
            ("--start-at-task", self.start_at_task.as_deref()),
            ("--connection", self.connection.as_deref()),
            ("--user", self.user.as_deref()),
            ("--private-key", self.private_key.as_ref().map(|path| path.as_str())),
            ("--become-user", self.become_user.as_deref()),
            ("--become-method", self.become_method.as_deref()),
        ];
        optional
            .into_iter()
            .filter_map(|(flag, given)| Some((flag, given?)))
            .for_each(|(flag, given)| value(flag, given));
        let switches = [
            ("--check", self.check),
            ("--diff", self.diff),
            ("--become", self.r#become),
            ("--ask-become-pass", self.ask_become_pass),
            ("--force-handlers", self.force_handlers),
        ];
        words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned()));
        words.extend((0..context.output.verbosity()).map(|_| "-v".to_owned()));
        Ok(words)
    }
}
