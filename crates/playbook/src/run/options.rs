//! What a run is told from outside the playbook.

use crate::Sources;
use camino::Utf8PathBuf;
use diagnostic::{Redactor, Secret};
use indexmap::IndexMap;
use std::sync::Arc;
use std::time::Duration;
use yaml::Node;

/// The settings of a run. [`Default`] is a plain `ansible-playbook site.yml`.
#[derive(Clone)]
pub struct Options {
    /// `-e`; see [`crate::extra_vars`] and, where encrypted files are read, [`crate::extra_vars_with`].
    pub extra_vars: IndexMap<String, Node>,
    /// `--limit`
    pub limit: Option<String>,
    /// `--tags`; none is all.
    pub tags: Vec<String>,
    /// `--skip-tags`
    pub skip_tags: Vec<String>,
    /// `--check`
    pub check: bool,
    /// `--diff`
    pub diff: bool,
    /// How many hosts are worked on at once.
    pub forks: usize,
    /// `--start-at-task`
    pub start_at_task: Option<String>,
    /// `--force-handlers`
    pub force_handlers: bool,
    /// How many `-v`.
    pub verbosity: u8,
    /// How machines are reached when neither variables nor keywords say it.
    pub connection: Connection,
    /// Knows what must not be shown; a run adds what it decrypts.
    pub redactor: Redactor,
    /// Reads `!vault` values and encrypted files. Events hide what comes out of it, and what is made of that, by origin:
    /// whichever task reads it, however short it is.
    pub decrypt: Option<Arc<template::Decrypt>>,
    /// What `include_tasks` is read with.
    pub sources: Sources,
    /// The environment of every task, below all `environment` keywords.
    pub environment: Vec<(String, String)>,
}

/// How machines are reached, below all variables and keywords.
#[derive(Debug, Clone)]
pub struct Connection {
    /// `--connection`
    pub connection: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `--private-key`
    pub private_key: Option<Utf8PathBuf>,
    /// `--ssh-common-args`
    pub ssh_common_args: Option<String>,
    /// `--ssh-extra-args`
    pub ssh_extra_args: Option<String>,
    /// `ANSIBLE_HOST_KEY_CHECKING`
    pub host_key_checking: bool,
    /// `--timeout`
    pub timeout: Duration,
    /// `--become`
    pub r#become: bool,
    /// `--become-method`
    pub become_method: Option<String>,
    /// `--become-user`
    pub become_user: Option<String>,
    /// The answer to `--ask-become-pass`.
    pub become_password: Option<Secret<String>>,
}

/// So many hosts at once, unless the user says otherwise: more than anybody has boards, fewer than a laptop minds.
pub const FORKS: usize = 50;

/// Ansible's default for `timeout` of connections.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Options {
    fn default() -> Self {
        Self {
            extra_vars: IndexMap::new(),
            limit: None,
            tags: Vec::new(),
            skip_tags: Vec::new(),
            check: false,
            diff: false,
            forks: FORKS,
            start_at_task: None,
            force_handlers: false,
            verbosity: 0,
            connection: Connection::default(),
            redactor: Redactor::new(),
            decrypt: None,
            sources: Sources::default(),
            environment: Vec::new(),
        }
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            connection: None,
            user: None,
            private_key: None,
            ssh_common_args: None,
            ssh_extra_args: None,
            host_key_checking: true,
            timeout: CONNECT_TIMEOUT,
            r#become: false,
            become_method: None,
            become_user: None,
            become_password: None,
        }
    }
}
