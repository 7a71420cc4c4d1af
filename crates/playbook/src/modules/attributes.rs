//! Owner, group and mode: the parameters that all modules which write files share, and what they return about a path.

use super::convert::{Arguments, text};
use super::script::Fields;
use super::{Failure, Kind, Parameter, TaskResult};
use serde_json::{Map, Value};

/// `mode`
pub(crate) const MODE: Parameter =
    Parameter::new("mode", Kind::Raw, "Permissions: octal (`\"0644\"`) or symbolic (`u=rw,g=r`).");
/// `owner`
pub(crate) const OWNER: Parameter = Parameter::new("owner", Kind::String, "Name or number of the user that owns it.");
/// `group`
pub(crate) const GROUP: Parameter = Parameter::new("group", Kind::String, "Name or number of the group that owns it.");
/// `unsafe_writes`: taken and not needed, since what can not be replaced atomically is an error here.
pub(crate) const UNSAFE_WRITES: Parameter =
    Parameter::new("unsafe_writes", Kind::Bool, "Accepted; files are always replaced atomically.").default("false");

/// What a file's owner, group and mode shall be; nothing means as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// Name or number.
    pub(crate) owner: Option<String>,
    /// Name or number.
    pub(crate) group: Option<String>,
    /// Permissions.
    pub(crate) mode: Option<FileMode>,
}

impl Attributes {
    /// The parameters `owner`, `group` and `mode`.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let mode = arguments.given("mode").map(FileMode::parse).transpose()?;
        Ok(Self { owner: arguments.string("owner")?, group: arguments.string("group")?, mode })
    }

    /// Owner, group and the mode's steps, as the scripts take them.
    pub(crate) fn words(&self) -> [String; 3] {
        let mode = self.mode.as_ref().map(FileMode::steps).unwrap_or_default();
        [self.owner.clone().unwrap_or_default(), self.group.clone().unwrap_or_default(), mode]
    }
}

/// Permissions as a task gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileMode {
    /// All bits.
    Octal(u32),
    /// A change of the bits that are there.
    Symbolic(Vec<Step>),
    /// `preserve`: those of the source.
    Preserve,
}

/// One change for one of user, group and others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    operation: &'static str,
    cleared: u32,
    permissions: u32,
    special: u32,
    conditional: u32,
    copied: u32,
    shift: u32,
    umasked: bool,
}

impl FileMode {
    /// A number is the mode itself (YAML has read the octal digits), a string is octal or symbolic, as in `set_mode_if_different`
    /// of ansible-core's `module_utils/basic.py`.
    pub(crate) fn parse(value: &Value) -> Result<Self, Failure> {
        if let Value::Number(number) = value {
            return match number.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|mode| *mode <= 0o7777) {
                Some(mode) => Ok(Self::Octal(mode)),
                None => Err(invalid(&number.to_string(), "Invalid mode supplied, only permission info is allowed")),
            };
        }
        let text = text(value);
        if text == "preserve" {
            return Ok(Self::Preserve);
        }
        let digits = text.strip_prefix("0o").unwrap_or(&text);
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(Self::Octal(mode)),
            Ok(_) => Err(invalid(&text, "Invalid mode supplied, only permission info is allowed")),
            Err(_) => symbolic(&text).map(Self::Symbolic),
        }
    }

    /// As `mode_of` in the shared functions takes it.
    pub(crate) fn steps(&self) -> String {
        match self {
            Self::Octal(mode) => format!("0{mode:o}"),
            Self::Symbolic(steps) => steps.iter().map(Step::words).collect::<Vec<_>>().join(" "),
            Self::Preserve => String::new(),
        }
    }
}

impl Step {
    fn words(&self) -> String {
        let Self { operation, cleared, permissions, special, conditional, copied, shift, umasked } = self;
        let umasked = u8::from(*umasked);
        format!("{operation} 0{cleared:o} 0{permissions:o} 0{special:o} 0{conditional:o} {copied} {shift} {umasked}")
    }
}

fn invalid(details: &str, message: &str) -> Failure {
    Failure::with(TaskResult::new(false).with("details", details), message)
}

fn symbolic(text: &str) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for clause in text.split(',') {
        let bad = || {
            invalid(&format!("bad symbolic permission for mode: {clause}"), "mode must be in octal or symbolic form")
        };
        let start = clause.find(['+', '-', '=']).ok_or_else(bad)?;
        let (users, mut rest) = clause.split_at(start);
        let everyone = users.is_empty() || users == "a";
        let users = if everyone { "ugo" } else { users };
        if !users.chars().all(|user| "ugo".contains(user)) {
            return Err(bad());
        }
        while let Some(operator) = rest.chars().next() {
            let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |next| next + 1);
            let permissions = &rest[1..end];
            if !permissions.chars().all(|p| "rwxXstugo".contains(p)) {
                return Err(bad());
            }
            steps.extend(users.chars().map(|user| step(operator, user, permissions, clause.starts_with(operator))));
            rest = &rest[end..];
        }
    }
    Ok(steps)
}

fn step(operator: char, user: char, permissions: &str, umasked: bool) -> Step {
    let (shift, special) = match user {
        'u' => (6, ('s', 0o4000)),
        'g' => (3, ('s', 0o2000)),
        _ => (0, ('t', 0o1000)),
    };
    let operation = match operator {
        '+' => "add",
        '-' => "remove",
        _ => "set",
    };
    let bits = |of: fn(char) -> u32| permissions.chars().fold(0, |sum, permission| sum | of(permission));
    let rwx = bits(|p| match p {
        'r' => 4,
        'w' => 2,
        'x' => 1,
        _ => 0,
    });
    let copied = bits(|p| match p {
        'u' => 4,
        'g' => 2,
        'o' => 1,
        _ => 0,
    });
    Step {
        operation,
        cleared: 0o7 << shift | special.1,
        permissions: rwx << shift,
        special: if permissions.contains(special.0) { special.1 } else { 0 },
        conditional: if permissions.contains('X') { 1 << shift } else { 0 },
        copied,
        shift,
        umasked,
    }
}

/// What Ansible adds to a result that names a path (`add_path_info` in `module_utils/basic.py`), from the fields of `about`.
pub(crate) fn with_path_info(mut result: TaskResult, fields: &Fields) -> TaskResult {
    let Some(about) = fields.get("about") else { return result };
    let facts: Vec<&str> = about.split(' ').collect();
    let [uid, gid, owner, group, mode, _, size] = facts[..] else { return result };
    let number = |text: &str| text.parse::<u64>().map_or(Value::Null, Value::from);
    let name = |name: &str, id: &str| if name == "UNKNOWN" { id.to_owned() } else { name.to_owned() };
    result = result.with("uid", number(uid)).with("gid", number(gid));
    result = result.with("owner", name(owner, uid)).with("group", name(group, gid));
    result = result.with("mode", format!("0{mode:0>3}")).with("size", number(size));
    result.with("state", fields.get("kind").unwrap_or("file"))
}

/// The diff of attributes: what `tell` has said, and the path on both sides.
pub(crate) fn diff(path: &str, fields: &Fields) -> Value {
    let side = |prefix: &str| {
        let mut side = Map::new();
        side.insert("path".to_owned(), path.into());
        for name in ["state", "src", "owner", "group", "mode", "mtime", "atime"] {
            if let Some(value) = fields.get(&format!("{prefix}_{name}")) {
                side.insert(name.to_owned(), diff_value(name, value));
            }
        }
        side
    };
    let (mut before, after) = (side("before"), side("after"));
    if fields.is_set("walked") {
        let mut content = Map::new();
        for (name, field) in [("directories", "walked_directory"), ("files", "walked_file")] {
            content.insert(name.to_owned(), fields.all(field).map(Value::from).collect());
        }
        before.insert("path_content".to_owned(), Value::Object(content));
    }
    serde_json::json!({ "before": before, "after": after })
}

fn diff_value(name: &str, value: &str) -> Value {
    match (name, value.parse::<i64>(), super::stat::seconds(value)) {
        ("owner" | "group", Ok(number), _) => number.into(),
        ("mtime" | "atime", _, Some(seconds)) => seconds.into(),
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{Fields, with_library};
    use super::super::testing::{Here, message, shells};
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!("0644"), "0644")]
    #[case(json!("644"), "0644")]
    #[case(json!(420), "0644")]
    #[case(json!("02755"), "02755")]
    #[case(json!("u+x"), "add 04700 0100 00 00 0 6 0")]
    #[case(json!("g=u"), "set 02070 00 00 00 4 3 0")]
    fn reads_modes(#[case] given: Value, #[case] expected: &str) {
        assert_eq!(FileMode::parse(&given).ok().unwrap().steps(), expected);
    }

    #[rstest]
    #[case(json!("u=zz"), "mode must be in octal or symbolic form")]
    #[case(json!("rw"), "mode must be in octal or symbolic form")]
    #[case(json!("0888"), "mode must be in octal or symbolic form")]
    #[case(json!("177777"), "Invalid mode supplied, only permission info is allowed")]
    #[case(json!(-1), "Invalid mode supplied, only permission info is allowed")]
    fn refuses_modes(#[case] given: Value, #[case] expected: &str) {
        assert_eq!(message(FileMode::parse(&given).unwrap_err()), expected);
    }

    // Expected values: what chmod(1) makes of the same, under umask 022.
    #[rstest]
    #[case("0600", "", "u+x", "700")]
    #[case("0600", "", "a+rX", "644")]
    #[case("0700", "", "a+rX", "755")]
    #[case("0600", "1", "go=rX", "655")]
    #[case("0600", "", "+w", "600")]
    #[case("0640", "", "o=g,g-r", "604")]
    #[case("0755", "", "u=rw,g=r,o=", "640")]
    #[case("0755", "", "u+s,g+s,o+t", "7755")]
    #[case("04755", "", "u-s", "755")]
    #[case("0644", "", "u=rwx-w", "544")]
    fn shells_apply_symbolic_modes(
        #[case] current: &str,
        #[case] directory: &str,
        #[case] mode: &str,
        #[case] expected: &str,
    ) {
        let steps = FileMode::parse(&json!(mode)).ok().unwrap().steps();
        for shell in shells() {
            let script = "umask 022; d=$2; m=$1; set -- $3; mode_of \"$m\" \"$d\" \"$@\"; say mode \"$(printf %o \"$mode\")\"; end";
            let arguments = vec![current.to_owned(), directory.to_owned(), steps.clone()];
            let output = Here { shell }.run_now(with_library(script, arguments));
            assert_eq!(Fields::read(&output).ok().unwrap().get("mode"), Some(expected), "{shell:?}");
        }
    }

    #[rstest]
    #[case("~/x", "/home/me/x")]
    #[case("~root/x", "/root/x")]
    #[case("~nobody-there/x", "~nobody-there/x")]
    #[case("$HOME/$UNSET/${HOME}s/$", "/home/me/$UNSET//home/mes/$")]
    #[case("a~b$1${x y}", "a~b$1${x y}")]
    #[case("$(id)`id`", "$(id)`id`")]
    fn shells_expand_paths(#[case] path: &str, #[case] expected: &str) {
        for shell in shells() {
            let mut command = with_library("expand \"$1\"; say path \"$expanded\"; end", vec![path.to_owned()]);
            command.environment = vec![("HOME".to_owned(), "/home/me".to_owned())];
            let output = Here { shell }.run_now(command);
            assert_eq!(Fields::read(&output).ok().unwrap().get("path"), Some(expected), "{shell:?}");
        }
    }
}
