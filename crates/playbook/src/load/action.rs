//! What a task does: its module and the module's arguments, in all the forms that Ansible takes
//! (`ansible/parsing/mod_args.py`, 2.19).

use super::free_form;
use super::sources::short_name;
use super::{Problems, Sources, fields};
use crate::modules::Module;
use diagnostic::Position;
use yaml::{Mapping, Node, Value};

/// The module of a task, or what the engine itself does.
#[derive(Debug)]
pub struct Action {
    /// The name as written.
    pub name: String,
    /// Where the name stands.
    pub position: Position,
    /// What is done.
    pub kind: ActionKind,
    /// With what.
    pub arguments: Arguments,
}

/// What a task does.
#[derive(Clone, Copy)]
pub enum ActionKind {
    /// A module.
    Module(&'static Module),
    /// `meta`
    Meta(Meta),
    /// `include_tasks`
    IncludeTasks,
    /// `import_tasks`, which is gone once a playbook is read.
    ImportTasks,
    /// `include_vars`
    IncludeVars,
    /// `setup`, `gather_facts`
    Facts,
    /// What this engine does not know; reported when the playbook was read.
    Unknown,
}

impl std::fmt::Debug for ActionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Module(module) => f.write_str(module.name),
            Self::Meta(meta) => write!(f, "meta {meta:?}"),
            Self::IncludeTasks => f.write_str("include_tasks"),
            Self::ImportTasks => f.write_str("import_tasks"),
            Self::IncludeVars => f.write_str("include_vars"),
            Self::Facts => f.write_str("setup"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// `meta` actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// `flush_handlers`
    FlushHandlers,
    /// `end_play`
    EndPlay,
    /// `end_batch`
    EndBatch,
    /// `end_host`
    EndHost,
    /// `noop`
    Noop,
    /// `clear_facts`
    ClearFacts,
    /// `reset_connection`
    ResetConnection,
}

/// The `meta` actions that are carried out.
pub(crate) const METAS: [(&str, Meta); 7] = [
    ("flush_handlers", Meta::FlushHandlers),
    ("end_play", Meta::EndPlay),
    ("end_batch", Meta::EndBatch),
    ("end_host", Meta::EndHost),
    ("noop", Meta::Noop),
    ("clear_facts", Meta::ClearFacts),
    ("reset_connection", Meta::ResetConnection),
];

/// The ones that only Ansible carries out.
const OTHER_METAS: [&str; 4] = ["clear_host_errors", "refresh_inventory", "end_role", "role_complete"];

/// The arguments of a module.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// Parameters as written; a later one of the same name has replaced an earlier one.
    pub parameters: Vec<Argument>,
    /// The free-form line.
    pub free_form: Option<Node>,
    /// `args: "{{ … }}"`: more parameters, below those written.
    pub template: Option<Node>,
}

/// One parameter as written.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The name as written, perhaps an alias.
    pub name: String,
    /// Where the name stands.
    pub position: Position,
    /// Its value.
    pub value: Node,
}

impl Arguments {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.parameters.iter().find(|argument| argument.name == name).map(|argument| &argument.value)
    }

    fn set(&mut self, name: &str, position: &Position, value: Node) {
        let argument = Argument { name: name.to_owned(), position: position.clone(), value };
        match self.parameters.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = argument,
            None => self.parameters.push(argument),
        }
    }
}

/// Modules whose whole line is free-form (`MODULE_REQUIRE_ARGS_SIMPLE`, 2.19): `k=v` words stay in it.
pub(crate) fn keeps_line(name: &str) -> bool {
    matches!(short_name(name), Some("command" | "shell" | "script" | "raw" | "expect" | "win_command" | "win_shell"))
}

/// Every module of ansible-core 2.19, so that a typo is told from a module that this engine lacks.
pub(crate) const BUILTIN: &[&str] = &[
    "add_host",
    "apt",
    "apt_key",
    "apt_repository",
    "assemble",
    "assert",
    "async_status",
    "blockinfile",
    "command",
    "copy",
    "cron",
    "deb822_repository",
    "debconf",
    "debug",
    "dnf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "fail",
    "fetch",
    "file",
    "find",
    "gather_facts",
    "get_url",
    "getent",
    "git",
    "group",
    "group_by",
    "hostname",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "include_vars",
    "iptables",
    "known_hosts",
    "lineinfile",
    "meta",
    "mount_facts",
    "package",
    "package_facts",
    "pause",
    "ping",
    "pip",
    "raw",
    "reboot",
    "replace",
    "rpm_key",
    "script",
    "service",
    "service_facts",
    "set_fact",
    "set_stats",
    "setup",
    "shell",
    "slurp",
    "stat",
    "subversion",
    "systemd",
    "systemd_service",
    "sysvinit",
    "tempfile",
    "template",
    "unarchive",
    "uri",
    "user",
    "validate_argument_spec",
    "wait_for",
    "wait_for_connection",
    "yum_repository",
];

/// What a name stands for.
pub(crate) fn resolve(name: &str, sources: &Sources) -> ActionKind {
    match short_name(name) {
        Some("meta") => ActionKind::Meta(Meta::Noop),
        Some("include_tasks") => ActionKind::IncludeTasks,
        Some("import_tasks") => ActionKind::ImportTasks,
        Some("include_vars") => ActionKind::IncludeVars,
        Some("setup" | "gather_facts") => ActionKind::Facts,
        _ => sources.module(name).map_or(ActionKind::Unknown, ActionKind::Module),
    }
}

/// Whether the name is one that Ansible could know: one of its own, or one of a collection.
pub(crate) fn is_known_to_ansible(name: &str) -> bool {
    match short_name(name) {
        Some(short) => BUILTIN.contains(&short),
        None => name.split('.').count() >= 3 && name.split('.').all(fields::is_variable_name),
    }
}

/// Reports a name that this engine can not carry out.
pub(crate) fn report_unknown(name: &str, at: &Position, sources: &Sources, problems: &mut Problems) {
    if fields::is_template(name) {
        problems.unsupported(at, "a template as the name of a module");
    } else if is_known_to_ansible(name) {
        problems.unsupported(at, format!("module `{name}`"));
    } else {
        let names = sources.modules.iter().map(|module| module.name).chain(BUILTIN.iter().copied());
        let prefix = if name.contains('.') { "ansible.builtin." } else { "" };
        let nearest = super::problems::nearest(name.rsplit('.').next().unwrap_or(name), names);
        let hint = nearest.map(|nearest| format!("did you mean `{prefix}{nearest}`?"));
        let at = at.clone().with_length(name.chars().count());
        problems.hinted(&at, format!("unknown module `{name}`"), hint);
    }
}

/// Reads `module: value`, with what `args` adds.
pub(crate) fn read(
    name: &Node,
    value: &Node,
    args: Option<&Node>,
    sources: &Sources,
    problems: &mut Problems,
) -> Action {
    let text = name.as_str().unwrap_or_default();
    let mut arguments = Arguments::default();
    read_args(args, &mut arguments, problems);
    read_value(text, value, &mut arguments, problems);
    finish(text, &name.position, arguments, sources, problems)
}

/// Reads `action: module k=v` and `action: {module: …}`.
pub(crate) fn read_old_style(
    value: &Node,
    args: Option<&Node>,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Action> {
    let mut arguments = Arguments::default();
    read_args(args, &mut arguments, problems);
    match &value.value {
        Value::String(text) => {
            let name = read_action_line(text, value, &mut arguments, problems)?;
            Some(finish(&name, &value.position, arguments, sources, problems))
        }
        Value::Mapping(mapping) => {
            let Some(module) = mapping.get("module").and_then(Node::as_str) else {
                problems.mistake(&value.position, "an `action` mapping needs `module`");
                return None;
            };
            let name = read_action_line(module, value, &mut arguments, problems)?;
            let rest = mapping.iter().filter(|(key, _)| !matches!(key.as_str(), Some("module" | "args")));
            let rest = Mapping::new(rest.map(|(key, value)| (key.clone(), value.clone())).collect());
            read_args(mapping.get("args"), &mut arguments, problems);
            read_mapping(&rest, &mut arguments, problems);
            Some(finish(&name, &value.position, arguments, sources, problems))
        }
        _ => {
            problems.mistake(&value.position, format!("`action` takes a string, not {}", value.kind()));
            None
        }
    }
}

/// The module's name at the start of an `action` line; the rest goes to the arguments.
fn read_action_line(text: &str, node: &Node, arguments: &mut Arguments, problems: &mut Problems) -> Option<String> {
    let words = match free_form::split(text) {
        Ok(words) => words,
        Err(free_form::Unbalanced) => {
            problems.hinted(&node.position, UNBALANCED, Some(CLOSE.to_owned()));
            return None;
        }
    };
    let (name, rest) = words.split_first()?;
    let line = Node { value: Value::String(rest.join(" ")), ..node.clone() };
    if !rest.is_empty() {
        read_value(name.trim(), &line, arguments, problems);
    }
    Some(name.trim().to_owned())
}

const UNBALANCED: &str = "a quote or a `{{` is not closed";
const CLOSE: &str = "close each quote, and each `{{` with `}}`";

fn read_args(args: Option<&Node>, arguments: &mut Arguments, problems: &mut Problems) {
    let Some(args) = args else { return };
    match &args.value {
        Value::Mapping(mapping) => read_mapping(mapping, arguments, problems),
        Value::String(text) if fields::is_template(text) => arguments.template = Some(args.clone()),
        Value::Null => {}
        _ => problems.mistake(&args.position, format!("`args` takes a mapping, not {}", args.kind())),
    }
}

fn read_value(module: &str, value: &Node, arguments: &mut Arguments, problems: &mut Problems) {
    match &value.value {
        Value::Null => {}
        Value::Mapping(mapping) => read_mapping(mapping, arguments, problems),
        Value::String(text) => read_line(module, text, value, arguments, problems),
        // YAML gives `command: 1` a number, which Ansible takes only as text.
        _ => problems.mistake(
            &value.position,
            format!("the arguments of `{module}` must be a mapping or a string, not {}", value.kind()),
        ),
    }
}

fn read_mapping(mapping: &Mapping, arguments: &mut Arguments, problems: &mut Problems) {
    for (key, value) in mapping.iter() {
        match key.as_str() {
            Some("_raw_params") => arguments.free_form = Some(value.clone()),
            Some(name) => arguments.set(name, &key.position, value.clone()),
            None => {
                problems.mistake(&key.position, format!("the name of a parameter must be a string, not {}", key.kind()))
            }
        }
    }
}

fn read_line(module: &str, text: &str, node: &Node, arguments: &mut Arguments, problems: &mut Problems) {
    let Ok(line) = free_form::parse(text, keeps_line(module)) else {
        problems.hinted(&node.position, UNBALANCED, Some(CLOSE.to_owned()));
        return;
    };
    for (name, value) in line.parameters {
        arguments.set(&name, &node.position, Node { value: Value::String(value), ..node.clone() });
    }
    if let Some(free_form) = line.free_form {
        arguments.free_form = Some(Node { value: Value::String(free_form), ..node.clone() });
    }
}

fn finish(name: &str, at: &Position, arguments: Arguments, sources: &Sources, problems: &mut Problems) -> Action {
    let mut kind = resolve(name, sources);
    match kind {
        ActionKind::Unknown => report_unknown(name, at, sources, problems),
        ActionKind::Meta(_) => kind = read_meta(at, &arguments, problems),
        _ => {}
    }
    Action { name: name.to_owned(), position: at.clone(), kind, arguments }
}

fn read_meta(at: &Position, arguments: &Arguments, problems: &mut Problems) -> ActionKind {
    let Some(node) = &arguments.free_form else {
        problems.mistake(at, "`meta` needs the name of an action");
        return ActionKind::Unknown;
    };
    let name = node.as_str().unwrap_or_default();
    if let Some((_, meta)) = METAS.iter().find(|(known, _)| *known == name) {
        return ActionKind::Meta(*meta);
    }
    if OTHER_METAS.contains(&name) {
        problems.unsupported(&node.position, format!("`meta: {name}`"));
    } else {
        let names = METAS.iter().map(|(name, _)| *name).chain(OTHER_METAS);
        problems.hinted(
            &node.position,
            format!("unknown meta action `{name}`"),
            super::problems::did_you_mean(name, names),
        );
    }
    ActionKind::Unknown
}
