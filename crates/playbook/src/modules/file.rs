//! `ansible.builtin.file`: files, directories and links, their owners and modes.
//!
//! Differences from ansible-core 2.19: `attributes` (chattr) and SELinux contexts are not offered.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/file_module.html>

use super::attributes::{self, Attributes, FileMode, GROUP, MODE, OWNER, UNSAFE_WRITES, with_path_info};
use super::convert::{Arguments, text};
use super::script::{self, Fields, Mode, flag};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use jiff::civil::DateTime;
use remote::{Command, Output};
use serde_json::Value;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "file",
    summary: "Files, directories and links, their owners and modes.",
    parameters: &[
        Parameter::new("path", Kind::Path, "What it is about.").required().aliases(&["dest", "name"]),
        Parameter::new("state", Kind::String, "What shall be there.").choices(&[
            "absent",
            "directory",
            "file",
            "hard",
            "link",
            "touch",
        ]),
        Parameter::new("src", Kind::Path, "What a link leads to."),
        Parameter::new("recurse", Kind::Bool, "Sets owner, group and mode of all below a directory too.")
            .default("false"),
        Parameter::new("force", Kind::Bool, "Makes links to what is not there and in the place of files.")
            .default("false"),
        Parameter::new("follow", Kind::Bool, "Works on what a link leads to.").default("true"),
        MODE,
        OWNER,
        GROUP,
        UNSAFE_WRITES,
        Parameter::new("modification_time", Kind::String, "`preserve`, `now` or a time."),
        FORMAT_M,
        Parameter::new("access_time", Kind::String, "`preserve`, `now` or a time."),
        FORMAT_A,
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

const FORMAT_M: Parameter =
    Parameter::new("modification_time_format", Kind::String, "How `modification_time` is written.")
        .default(TOUCH_FORMAT);
const FORMAT_A: Parameter =
    Parameter::new("access_time_format", Kind::String, "How `access_time` is written.").default(TOUCH_FORMAT);

/// `touch -t` reads times in this form; it is ansible-core's default too.
const TOUCH_FORMAT: &str = "%Y%m%d%H%M.%S";

/// What shall be at a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    path: String,
    state: String,
    src: String,
    recurse: bool,
    force: bool,
    follow: bool,
    attributes: Attributes,
    mode_text: String,
    modification_time: String,
    access_time: String,
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let attributes = Attributes::of(arguments)?;
        if attributes.mode == Some(FileMode::Preserve) {
            return Err(Failure::message("mode must be in octal or symbolic form"));
        }
        Ok(Self {
            path: arguments.required_string("path")?,
            state: arguments.string("state")?.unwrap_or_default(),
            src: arguments.string("src")?.unwrap_or_default(),
            recurse: arguments.bool("recurse")?,
            force: arguments.bool("force")?,
            follow: arguments.bool("follow")?,
            attributes,
            mode_text: arguments.given("mode").map(text).unwrap_or_default(),
            modification_time: time(arguments, "modification_time")?,
            access_time: time(arguments, "access_time")?,
        })
    }
}

/// `preserve`, `now`, nothing, or the time as `touch -t` takes it.
fn time(arguments: &Arguments, name: &str) -> Result<String, Failure> {
    let Some(given) = arguments.string(name)?.filter(|given| !given.is_empty()) else { return Ok(String::new()) };
    if given == "preserve" || given == "now" {
        return Ok(given);
    }
    let format = arguments.required_string(&format!("{name}_format"))?;
    DateTime::strptime(&format, &given).map(|time| time.strftime(TOUCH_FORMAT).to_string()).map_err(|error| {
        Failure::message(format!("Error while obtaining timestamp for time {given} using format {format}: {error}"))
    })
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
        carry_out(&options, invocation).await
    })
}

/// A directory, for `copy`.
pub(super) async fn make_directory(
    path: String,
    attributes: Attributes,
    invocation: &Invocation<'_>,
) -> Result<TaskResult, Failure> {
    let options = Options { path, state: "directory".to_owned(), follow: true, attributes, ..Options::default() };
    carry_out(&options, invocation).await
}

/// A link in the place of whatever is there, for `copy`.
pub(super) async fn make_link(
    path: String,
    target: &str,
    attributes: Attributes,
    follow: bool,
    invocation: &Invocation<'_>,
) -> Result<TaskResult, Failure> {
    let (state, src) = ("link".to_owned(), target.to_owned());
    let options = Options { path, state, src, force: true, follow, attributes, ..Options::default() };
    carry_out(&options, invocation).await
}

async fn carry_out(options: &Options, invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let mode = Mode::of(invocation);
    result(&invocation.context.run(script(options, mode)).await?, mode)
}

fn script(options: &Options, mode: Mode) -> Command {
    let Options { path, state, src, mode_text, modification_time, access_time, .. } = options.clone();
    let [owner, group, steps] = options.attributes.words();
    let mut arguments = vec![state, path, src, flag(options.recurse), flag(options.follow), flag(options.force)];
    arguments.extend([owner, group, steps, mode_text, flag(mode.check), flag(mode.diff)]);
    arguments.extend([modification_time, access_time]);
    script::with_library(include_str!("file/run.sh"), arguments)
}

fn result(output: &Output, mode: Mode) -> Result<TaskResult, Failure> {
    let fields = Fields::read(output)?;
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    let state = fields.get("state").unwrap_or_default();
    let path = fields.get("target").unwrap_or_default();
    let mut result = TaskResult::new(fields.is_set("changed"));
    result = result.with(if matches!(state, "touch" | "link" | "hard") { "dest" } else { "path" }, path);
    if matches!(state, "link" | "hard") {
        result = result.with("src", fields.get("src").filter(|src| !src.is_empty()).map_or(Value::Null, Value::from));
    }
    if mode.diff && !fields.is_set("undiffed") && (state != "absent" || fields.is_set("changed")) {
        result = result.with("diff", attributes::diff(path, &fields));
    }
    if let Some(warning) = fields.get("warning") {
        result = result.with("warnings", vec![Value::from(warning)]);
    }
    match state {
        "absent" => Ok(with_path_info(result.with("state", "absent"), &fields)),
        _ => Ok(with_path_info(result, &fields)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Call, Here, shells};
    use super::*;
    use rstest::rstest;
    use serde_json::json;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    /// The parameters with `@` standing for the directory.
    fn call(shell: &'static [&'static str], directory: &Path, parameters: &Value) -> Call {
        let text = parameters.to_string().replace('@', directory.to_str().unwrap());
        Call { here: Here { shell }, ..Call::new(serde_json::from_str(&text).unwrap()) }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// In each shell: a fresh directory with a file, a directory with a file in it, and a link to it.
    fn each(test: impl Fn(&'static [&'static str], &Path)) {
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let at = directory.path();
            fs::write(at.join("file"), "text").unwrap();
            fs::set_permissions(at.join("file"), fs::Permissions::from_mode(0o644)).unwrap();
            fs::create_dir(at.join("dir")).unwrap();
            fs::write(at.join("dir/in side"), "").unwrap();
            fs::set_permissions(at.join("dir/in side"), fs::Permissions::from_mode(0o600)).unwrap();
            symlink("dir", at.join("link")).unwrap();
            test(shell, at);
        }
    }

    /// Changes once, and says beforehand in check mode that it will.
    fn converges(shell: &'static [&'static str], at: &Path, parameters: &Value) -> Value {
        let mut call = call(shell, at, parameters);
        call.check_mode = true;
        assert_eq!(call.result(&MODULE)["changed"], true, "check mode, {shell:?}, {parameters}");
        call.check_mode = false;
        let result = call.result(&MODULE);
        assert_eq!(result["changed"], true, "first, {shell:?}, {parameters}");
        assert_eq!(call.result(&MODULE)["changed"], false, "second, {shell:?}, {parameters}");
        result
    }

    #[test]
    fn directories_are_made_with_their_parents() {
        each(|shell, at| {
            let result = converges(shell, at, &json!({"path": "@/a b/c", "state": "directory", "mode": "0750"}));
            assert_eq!((mode(&at.join("a b")), mode(&at.join("a b/c"))), (0o750, 0o750));
            assert_eq!((&result["state"], &result["mode"]), (&json!("directory"), &json!("0750")));
            assert_eq!(result["path"], at.join("a b/c").to_str().unwrap());
        });
    }

    #[test]
    fn modes_converge() {
        each(|shell, at| {
            converges(shell, at, &json!({"path": "@/file", "mode": "0600"}));
            converges(shell, at, &json!({"path": "@/file", "mode": "u+x,go=r"}));
            assert_eq!(mode(&at.join("file")), 0o744);
            converges(shell, at, &json!({"path": "@/dir", "mode": "02775"}));
            converges(shell, at, &json!({"path": "@/dir", "mode": "0755"}));
            assert_eq!(mode(&at.join("dir")), 0o755);
        });
    }

    #[test]
    fn recursion_reaches_all_below() {
        each(|shell, at| {
            converges(
                shell,
                at,
                &json!({"path": "@/dir", "state": "directory", "recurse": true, "mode": "u=rwX,go=rX"}),
            );
            assert_eq!((mode(&at.join("dir")), mode(&at.join("dir/in side"))), (0o755, 0o644));
            converges(shell, at, &json!({"path": "@/dir", "recurse": true, "mode": "0700"}));
            assert_eq!(mode(&at.join("dir/in side")), 0o700);
        });
    }

    #[test]
    fn links_are_made_and_turned() {
        each(|shell, at| {
            converges(shell, at, &json!({"path": "@/new", "src": "file", "state": "link"}));
            let result = converges(shell, at, &json!({"path": "@/link", "src": "@/file", "state": "link"}));
            assert_eq!(fs::read_link(at.join("link")).unwrap(), at.join("file"));
            assert_eq!((&result["dest"], &result["state"]), (&json!(at.join("link").to_str()), &json!("link")));
            assert!(at.join("dir/in side").exists());
        });
    }

    #[test]
    fn hard_links_share_their_file() {
        each(|shell, at| {
            converges(shell, at, &json!({"path": "@/other", "src": "@/file", "state": "hard"}));
            let inode = |name: &str| fs::metadata(at.join(name)).unwrap().ino();
            assert_eq!(inode("other"), inode("file"));
        });
    }

    #[test]
    fn what_shall_be_absent_goes() {
        each(|shell, at| {
            converges(shell, at, &json!({"path": "@/link", "state": "absent"}));
            let mut call = call(shell, at, &json!({"path": "@/dir", "state": "absent"}));
            call.diff = true;
            let inside = at.join("dir/in side");
            let expected = json!({
                "before": {"path": at.join("dir"), "state": "directory",
                    "path_content": {"directories": [], "files": [inside]}},
                "after": {"path": at.join("dir"), "state": "absent"},
            });
            assert_eq!(call.result(&MODULE)["diff"], expected);
            let result = call.result(&MODULE);
            assert_eq!(result, json!({"changed": false, "path": at.join("dir"), "state": "absent"}));
        });
    }

    #[test]
    fn touching_makes_a_file_and_its_times() {
        each(|shell, at| {
            let call_now = call(shell, at, &json!({"path": "@/new", "state": "touch", "mode": "0640"}));
            assert_eq!(call_now.result(&MODULE)["dest"], at.join("new").to_str().unwrap());
            assert_eq!(call_now.result(&MODULE)["changed"], true);
            assert_eq!(mode(&at.join("new")), 0o640);
            let times = json!({"path": "@/new", "state": "touch", "modification_time": "202001020304.05",
                "access_time": "2021-02-03 04:05", "access_time_format": "%Y-%m-%d %H:%M"});
            converges(shell, at, &times);
        });
    }

    #[test]
    fn a_diff_tells_both_sides() {
        each(|shell, at| {
            let mut call = call(shell, at, &json!({"path": "@/file", "mode": "0600"}));
            call.diff = true;
            let path = at.join("file");
            let expected = json!({"before": {"path": path, "mode": "0644"}, "after": {"path": path, "mode": "0600"}});
            assert_eq!(call.result(&MODULE)["diff"], expected);
        });
    }

    #[rstest]
    #[case(json!({"path": "@/none", "state": "file"}), "file (@/none) is absent, cannot continue")]
    #[case(json!({"path": "@/file", "state": "directory"}), "@/file already exists as a file")]
    #[case(json!({"path": "@/l", "src": "none", "state": "link"}),
        "src file does not exist, use 'force=yes' if you really want to create the link: @/none")]
    #[case(json!({"path": "@/dir", "src": "file", "state": "link", "force": true}),
        "the directory @/dir is not empty, refusing to convert it")]
    #[case(json!({"path": "@/file", "src": "dir", "state": "link"}), "refusing to convert from file to symlink for @/file")]
    #[case(json!({"path": "@/l", "state": "link"}), "src is required for creating new symlinks")]
    #[case(json!({"path": "@/file", "src": "x"}), "src option requires state to be 'link' or 'hard'")]
    #[case(json!({"path": "@/file", "recurse": true}), "recurse option requires state to be 'directory'")]
    #[case(json!({"path": "@/file", "owner": "nobody-there"}), "chown failed: failed to look up user nobody-there")]
    #[case(json!({"path": "@/file", "group": "nobody-there"}), "chgrp failed: failed to look up group nobody-there")]
    #[case(json!({"path": "@/file", "state": "up"}),
        "value of state must be one of: absent, directory, file, hard, link, touch, got: up")]
    fn refuses(#[case] parameters: Value, #[case] message: &str) {
        each(|shell, at| {
            let failure = call(shell, at, &parameters).failure(&MODULE);
            assert_eq!(failure["msg"], message.replace('@', at.to_str().unwrap()), "{shell:?}");
        });
    }

    #[test]
    fn owners_may_be_names_or_numbers() {
        each(|shell, at| {
            let me = fs::metadata(at.join("file")).unwrap().uid();
            let result = call(shell, at, &json!({"path": "@/file", "owner": me.to_string()})).result(&MODULE);
            assert_eq!((&result["changed"], &result["uid"]), (&json!(false), &json!(me)));
            if me == 0 {
                let parameters = json!({"path": "@/dir", "state": "directory", "recurse": true, "owner": "daemon",
                    "group": "daemon"});
                converges(shell, at, &parameters);
                assert_eq!(fs::metadata(at.join("dir/in side")).unwrap().uid(), 1);
            }
        });
    }
}
