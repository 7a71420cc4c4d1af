//! Templates: their syntax, and the filters, tests and lookups that they name.

use crate::load::{ActionKind, Problems, Task, sources};
use crate::modules::Kind;
use diagnostic::Mistake;
use yaml::{Node, Value};

/// Checks the templates in a node.
pub(super) fn node(node: &Node, problems: &mut Problems) {
    template::check(node).into_iter().for_each(|mistake| sort(mistake, problems));
}

/// Checks a condition.
pub(super) fn condition(node: &Node, problems: &mut Problems) {
    template::check_condition(node).into_iter().for_each(|mistake| sort(mistake, problems));
}

/// Checks the arguments of a task.
pub(super) fn arguments(task: &Task, problems: &mut Problems) {
    let arguments = &task.action.arguments;
    for line in arguments.free_form.iter().chain(&arguments.template) {
        node(line, problems);
    }
    for argument in &arguments.parameters {
        let name = Node::new(Value::String(argument.name.clone()), argument.position.clone());
        node(&name, problems);
        match task.action.kind {
            ActionKind::Module(module) if is_condition(module, &argument.name) => condition(&argument.value, problems),
            _ => node(&argument.value, problems),
        }
    }
}

fn is_condition(module: &crate::modules::Module, name: &str) -> bool {
    let is = |parameter: &crate::modules::Parameter| parameter.kind == Kind::Conditions && parameter.name == name;
    module.parameters.iter().any(is)
}

/// A filter that Ansible has and this engine lacks is no mistake of the playbook.
fn sort(mistake: Mistake, problems: &mut Problems) {
    let Some((kind, name)) = unknown_plugin(&mistake.message) else {
        problems.mistakes.push(mistake);
        return;
    };
    let known = match kind {
        "filter" => FILTERS,
        "test" => TESTS,
        "lookup" => LOOKUPS,
        _ => &[],
    };
    let is_known = match sources::short_name(name) {
        Some(short) => known.contains(&short),
        None => name.split('.').count() >= 3,
    };
    match mistake.position {
        Some(position) if is_known => problems.unsupported(&position, format!("{kind} `{name}`")),
        position => problems.mistakes.push(Mistake { position, ..mistake }),
    }
}

/// `filter` and `x` from "unknown filter `x`".
fn unknown_plugin(message: &str) -> Option<(&str, &str)> {
    let (kind, name) = message.strip_prefix("unknown ")?.split_once(" `")?;
    Some((kind, name.split('`').next()?))
}

/// Filters of ansible-core 2.19 and Jinja 3.1.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "center",
    "checksum",
    "combinations",
    "combine",
    "comment",
    "commonpath",
    "count",
    "d",
    "default",
    "dict2items",
    "dictsort",
    "difference",
    "dirname",
    "e",
    "escape",
    "expanduser",
    "expandvars",
    "extract",
    "fileglob",
    "filesizeformat",
    "first",
    "flatten",
    "float",
    "forceescape",
    "format",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "groupby",
    "hash",
    "human_readable",
    "human_to_bytes",
    "indent",
    "int",
    "intersect",
    "items",
    "items2dict",
    "join",
    "last",
    "length",
    "list",
    "log",
    "lower",
    "mandatory",
    "map",
    "max",
    "md5",
    "min",
    "normpath",
    "password_hash",
    "path_join",
    "permutations",
    "pow",
    "pprint",
    "product",
    "quote",
    "random",
    "realpath",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "rekey_on_member",
    "relpath",
    "replace",
    "reverse",
    "root",
    "round",
    "safe",
    "select",
    "selectattr",
    "sha1",
    "shuffle",
    "slice",
    "sort",
    "split",
    "splitext",
    "strftime",
    "string",
    "striptags",
    "subelements",
    "sum",
    "symmetric_difference",
    "ternary",
    "title",
    "to_datetime",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_uuid",
    "to_yaml",
    "tojson",
    "trim",
    "truncate",
    "type_debug",
    "union",
    "unique",
    "unvault",
    "upper",
    "urldecode",
    "urlencode",
    "urlize",
    "urlsplit",
    "vault",
    "win_basename",
    "win_dirname",
    "win_splitdrive",
    "wordcount",
    "wordwrap",
    "xmlattr",
    "zip",
    "zip_longest",
];

/// Tests of ansible-core 2.19 and Jinja 3.1.
const TESTS: &[&str] = &[
    "abs",
    "all",
    "any",
    "boolean",
    "callable",
    "change",
    "changed",
    "contains",
    "defined",
    "directory",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "exists",
    "failed",
    "failure",
    "false",
    "falsy",
    "file",
    "filter",
    "finished",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "is_abs",
    "is_dir",
    "is_file",
    "is_link",
    "is_mount",
    "is_same_file",
    "isnan",
    "issubset",
    "issuperset",
    "iterable",
    "le",
    "lessthan",
    "link",
    "link_exists",
    "lower",
    "lt",
    "mapping",
    "match",
    "mount",
    "nan",
    "ne",
    "none",
    "number",
    "odd",
    "reachable",
    "regex",
    "same_file",
    "sameas",
    "search",
    "sequence",
    "skip",
    "skipped",
    "started",
    "string",
    "subset",
    "succeeded",
    "success",
    "successful",
    "superset",
    "test",
    "timedout",
    "true",
    "truthy",
    "undefined",
    "unreachable",
    "upper",
    "uri",
    "url",
    "urn",
    "vault_encrypted",
    "vaulted_file",
    "version",
    "version_compare",
];

/// Lookups of ansible-core 2.19.
const LOOKUPS: &[&str] = &[
    "config",
    "csvfile",
    "dict",
    "env",
    "file",
    "fileglob",
    "first_found",
    "indexed_items",
    "ini",
    "inventory_hostnames",
    "items",
    "lines",
    "list",
    "nested",
    "password",
    "pipe",
    "random_choice",
    "sequence",
    "subelements",
    "template",
    "together",
    "unvault",
    "url",
    "varnames",
    "vars",
];
