//! The keywords of plays, blocks and tasks: all of ansible-core 2.19's
//! (<https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html>), where each may stand, what it
//! takes, and whether this engine carries it out.

use yaml::Node;

/// Where a keyword may stand; places add up.
pub(crate) type Places = u8;
/// In a play.
pub(crate) const PLAY: Places = 1;
/// In a block.
pub(crate) const BLOCK: Places = 2;
/// In a task.
pub(crate) const TASK: Places = 4;
/// In a handler.
pub(crate) const HANDLER: Places = 8;
/// In an `include_tasks`, which takes few (`TaskInclude.VALID_INCLUDE_KEYWORDS`).
pub(crate) const INCLUDE: Places = 16;
/// In an `import_playbook`.
pub(crate) const IMPORT_PLAYBOOK: Places = 32;

/// What a keyword takes, for the check of literal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Bool,
    Text,
    Integer,
    Number,
    /// A string, a number, or a list of them.
    Words,
    /// A condition or a list of them.
    Conditions,
    /// A mapping whose keys are variable names.
    Variables,
    /// A mapping.
    Mapping,
    /// A list, or one item of it.
    List,
    /// A list of tasks.
    Tasks,
    Anything,
}

/// One keyword.
#[derive(Debug)]
pub(crate) struct Keyword {
    pub(crate) name: &'static str,
    pub(crate) places: Places,
    pub(crate) takes: Takes,
    pub(crate) supported: bool,
}

const EVERYWHERE: Places = PLAY | BLOCK | TASK | HANDLER | IMPORT_PLAYBOOK;
const TASKS: Places = TASK | HANDLER;
const BLOCKS: Places = BLOCK | TASK | HANDLER;

const fn keyword(name: &'static str, places: Places, takes: Takes) -> Keyword {
    Keyword { name, places, takes, supported: true }
}

const fn unsupported(name: &'static str, places: Places, takes: Takes) -> Keyword {
    Keyword { name, places, takes, supported: false }
}

/// Every keyword.
pub(crate) const ALL: &[Keyword] = &[
    keyword("action", TASKS | INCLUDE, Takes::Anything),
    keyword("always", BLOCK, Takes::Tasks),
    keyword("any_errors_fatal", EVERYWHERE, Takes::Bool),
    keyword("args", TASKS | INCLUDE, Takes::Anything),
    unsupported("async", TASKS, Takes::Integer),
    keyword("become", EVERYWHERE, Takes::Bool),
    unsupported("become_exe", EVERYWHERE, Takes::Text),
    unsupported("become_flags", EVERYWHERE, Takes::Text),
    keyword("become_method", EVERYWHERE, Takes::Text),
    keyword("become_user", EVERYWHERE, Takes::Text),
    keyword("block", BLOCK, Takes::Tasks),
    keyword("changed_when", TASKS, Takes::Conditions),
    keyword("check_mode", EVERYWHERE, Takes::Bool),
    keyword("collections", EVERYWHERE | INCLUDE, Takes::Words),
    keyword("connection", EVERYWHERE, Takes::Text),
    unsupported("debugger", EVERYWHERE | INCLUDE, Takes::Text),
    keyword("delay", TASKS, Takes::Number),
    keyword("delegate_facts", BLOCKS, Takes::Bool),
    keyword("delegate_to", BLOCKS, Takes::Text),
    keyword("diff", EVERYWHERE, Takes::Bool),
    keyword("environment", EVERYWHERE, Takes::List),
    unsupported("fact_path", PLAY, Takes::Text),
    keyword("failed_when", TASKS, Takes::Conditions),
    keyword("force_handlers", PLAY, Takes::Bool),
    keyword("gather_facts", PLAY, Takes::Bool),
    unsupported("gather_subset", PLAY, Takes::Words),
    unsupported("gather_timeout", PLAY, Takes::Integer),
    keyword("handlers", PLAY, Takes::Tasks),
    keyword("hosts", PLAY, Takes::Words),
    keyword("ignore_errors", EVERYWHERE | INCLUDE, Takes::Bool),
    keyword("ignore_unreachable", EVERYWHERE, Takes::Bool),
    keyword("import_playbook", IMPORT_PLAYBOOK, Takes::Text),
    keyword("listen", HANDLER, Takes::Words),
    keyword("local_action", TASKS, Takes::Anything),
    keyword("loop", TASKS | INCLUDE, Takes::Anything),
    keyword("loop_control", TASKS | INCLUDE, Takes::Mapping),
    keyword("max_fail_percentage", PLAY, Takes::Number),
    unsupported("module_defaults", EVERYWHERE, Takes::List),
    keyword("name", EVERYWHERE | INCLUDE, Takes::Text),
    keyword("no_log", EVERYWHERE | INCLUDE, Takes::Bool),
    keyword("notify", BLOCKS, Takes::Words),
    keyword("order", PLAY, Takes::Text),
    keyword("poll", TASKS, Takes::Integer),
    keyword("port", EVERYWHERE, Takes::Integer),
    keyword("post_tasks", PLAY, Takes::Tasks),
    keyword("pre_tasks", PLAY, Takes::Tasks),
    keyword("register", TASKS | INCLUDE, Takes::Text),
    keyword("remote_user", EVERYWHERE, Takes::Text),
    keyword("rescue", BLOCK, Takes::Tasks),
    keyword("retries", TASKS, Takes::Integer),
    unsupported("roles", PLAY, Takes::List),
    keyword("run_once", EVERYWHERE | INCLUDE, Takes::Bool),
    keyword("serial", PLAY, Takes::Words),
    keyword("strategy", PLAY, Takes::Text),
    keyword("tags", EVERYWHERE | INCLUDE, Takes::Words),
    keyword("tasks", PLAY, Takes::Tasks),
    keyword("throttle", EVERYWHERE, Takes::Integer),
    keyword("timeout", EVERYWHERE | INCLUDE, Takes::Integer),
    keyword("until", TASKS, Takes::Conditions),
    keyword("user", PLAY, Takes::Text),
    keyword("vars", EVERYWHERE | INCLUDE, Takes::Variables),
    keyword("vars_files", PLAY, Takes::List),
    unsupported("vars_prompt", PLAY, Takes::List),
    keyword("when", BLOCKS | INCLUDE | IMPORT_PLAYBOOK, Takes::Conditions),
];

/// The keyword of that name.
pub(crate) fn find(name: &str) -> Option<&'static Keyword> {
    ALL.iter().find(|keyword| keyword.name == name)
}

/// Names of the keywords that may stand in a place.
pub(crate) fn names_in(place: Places) -> impl Iterator<Item = &'static str> {
    ALL.iter().filter(move |keyword| keyword.places & place != 0).map(|keyword| keyword.name)
}

/// The keywords that are inherited, as written at one level.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keywords {
    /// `name`
    pub name: Option<Node>,
    /// `any_errors_fatal`
    pub any_errors_fatal: Option<Node>,
    /// `become`
    pub r#become: Option<Node>,
    /// `become_method`
    pub become_method: Option<Node>,
    /// `become_user`
    pub become_user: Option<Node>,
    /// `check_mode`
    pub check_mode: Option<Node>,
    /// `connection`
    pub connection: Option<Node>,
    /// `delegate_facts`
    pub delegate_facts: Option<Node>,
    /// `delegate_to`
    pub delegate_to: Option<Node>,
    /// `diff`
    pub diff: Option<Node>,
    /// `environment`, outer levels first when rendered.
    pub environment: Option<Node>,
    /// `ignore_errors`
    pub ignore_errors: Option<Node>,
    /// `ignore_unreachable`
    pub ignore_unreachable: Option<Node>,
    /// `no_log`
    pub no_log: Option<Node>,
    /// `notify`
    pub notify: Option<Vec<Node>>,
    /// `port`
    pub port: Option<Node>,
    /// `remote_user`
    pub remote_user: Option<Node>,
    /// `run_once`
    pub run_once: Option<Node>,
    /// `tags`, which add up over the levels.
    pub tags: Vec<Node>,
    /// `throttle`
    pub throttle: Option<Node>,
    /// `timeout`, in seconds.
    pub timeout: Option<Node>,
    /// `when`, which add up over the levels, outer ones first.
    pub when: Vec<Node>,
}

impl Keywords {
    /// Where the value of an inherited keyword that takes one value is kept.
    pub(crate) fn slot(&mut self, name: &str) -> Option<&mut Option<Node>> {
        Some(match name {
            "name" => &mut self.name,
            "any_errors_fatal" => &mut self.any_errors_fatal,
            "become" => &mut self.r#become,
            "become_method" => &mut self.become_method,
            "become_user" => &mut self.become_user,
            "check_mode" => &mut self.check_mode,
            "connection" => &mut self.connection,
            "delegate_facts" => &mut self.delegate_facts,
            "delegate_to" => &mut self.delegate_to,
            "diff" => &mut self.diff,
            "environment" => &mut self.environment,
            "ignore_errors" => &mut self.ignore_errors,
            "ignore_unreachable" => &mut self.ignore_unreachable,
            "no_log" => &mut self.no_log,
            "port" => &mut self.port,
            "remote_user" | "user" => &mut self.remote_user,
            "run_once" => &mut self.run_once,
            "throttle" => &mut self.throttle,
            "timeout" => &mut self.timeout,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_once() {
        let names: Vec<_> = ALL.iter().map(|keyword| keyword.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn every_supported_inherited_keyword_has_its_place() {
        let elsewhere = ["collections", "notify", "tags", "vars", "when"];
        for keyword in ALL.iter().filter(|k| k.supported && k.places & BLOCK != 0 && k.places & TASK != 0) {
            let kept = Keywords::default().slot(keyword.name).is_some() || elsewhere.contains(&keyword.name);
            assert!(kept, "{} would be read and forgotten", keyword.name);
        }
    }
}
