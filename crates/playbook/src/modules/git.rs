//! `ansible.builtin.git`: a repository, cloned or brought to a version.
//!
//! Differences from ansible-core 2.19: `archive`, `separate_git_dir` and `gpg_allowlist` are not offered; git older than 2.3 is
//! not catered for; a commit given as `version` is found only after its branch has been fetched, as there.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/git_module.html>

use super::convert::Arguments;
use super::script::{self, Fields, Mode, flag};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use remote::{Command, Output};
use serde_json::{Value, json};

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "git",
    summary: "A repository, cloned or brought to a version.",
    parameters: &[
        Parameter::new("repo", Kind::String, "Where it comes from.").required().aliases(&["name"]),
        Parameter::new("dest", Kind::Path, "Where it goes."),
        Parameter::new("version", Kind::String, "A branch, a tag, a commit or `HEAD`.").default("HEAD"),
        Parameter::new("remote", Kind::String, "What the remote is called.").default("origin"),
        Parameter::new("refspec", Kind::String, "What is fetched besides."),
        Parameter::new("reference", Kind::String, "A repository on the machine to borrow objects from."),
        Parameter::new("force", Kind::Bool, "Discards changes in tracked files.").default("false"),
        Parameter::new("depth", Kind::Integer, "How many commits of the history."),
        Parameter::new("single_branch", Kind::Bool, "Clones only the version's branch.").default("false"),
        Parameter::new("clone", Kind::Bool, "Clones what is not there.").default("true"),
        Parameter::new("update", Kind::Bool, "Fetches when it is there.").default("true"),
        Parameter::new("bare", Kind::Bool, "Has no files checked out.").default("false"),
        Parameter::new("recursive", Kind::Bool, "With submodules.").default("true"),
        Parameter::new("track_submodules", Kind::Bool, "Submodules at their branch instead of their commit.")
            .default("false"),
        Parameter::new("verify_commit", Kind::Bool, "Checks the signature.").default("false"),
        Parameter::new("accept_hostkey", Kind::Bool, "Takes any host key; better not.").default("false"),
        Parameter::new("accept_newhostkey", Kind::Bool, "Takes the host key of a host not yet known.").default("false"),
        Parameter::new("key_file", Kind::Path, "The private key on the machine."),
        Parameter::new("ssh_opts", Kind::String, "More options of ssh."),
        Parameter::new("executable", Kind::Path, "The path of git."),
        Parameter::new("umask", Kind::Raw, "The umask, quoted octal digits."),
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

/// Which repository, where, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Options {
    repo: String,
    dest: String,
    version: String,
    remote: String,
    refspec: String,
    reference: String,
    force: bool,
    depth: Option<u64>,
    single_branch: bool,
    clone: bool,
    update: bool,
    bare: bool,
    recursive: bool,
    track_submodules: bool,
    verify_commit: bool,
    ssh: String,
    key_file: String,
    executable: String,
    umask: String,
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        arguments.mutually_exclusive(&["accept_hostkey", "accept_newhostkey"]).or_else(|failure| {
            // Both have defaults, so that only two that are true exclude each other.
            match arguments.bool("accept_hostkey")? && arguments.bool("accept_newhostkey")? {
                true => Err(failure),
                false => Ok(()),
            }
        })?;
        let text = |name| arguments.string(name).map(Option::unwrap_or_default);
        let options = Self {
            repo: text("repo")?,
            dest: text("dest")?,
            version: text("version")?,
            remote: text("remote")?,
            refspec: text("refspec")?,
            reference: text("reference")?,
            force: arguments.bool("force")?,
            depth: arguments.count("depth")?.filter(|depth| *depth > 0),
            single_branch: arguments.bool("single_branch")?,
            clone: arguments.bool("clone")?,
            update: arguments.bool("update")?,
            bare: arguments.bool("bare")?,
            recursive: arguments.bool("recursive")?,
            track_submodules: arguments.bool("track_submodules")?,
            verify_commit: arguments.bool("verify_commit")?,
            ssh: ssh_options(arguments)?,
            key_file: text("key_file")?,
            executable: text("executable")?,
            umask: umask(arguments)?,
        };
        for (name, value) in [("version", &options.version), ("remote", &options.remote), ("refspec", &options.refspec)]
        {
            if value.starts_with('-') {
                return Err(Failure::message(format!("{name} must not begin with `-`, got: {value}")));
            }
        }
        Ok(options)
    }
}

fn ssh_options(arguments: &Arguments) -> Result<String, Failure> {
    let mut options = arguments.string("ssh_opts")?.unwrap_or_default();
    let decided = options.contains("StrictHostKeyChecking=no") || options.contains("StrictHostKeyChecking=accept-new");
    for (name, value) in [("accept_hostkey", "no"), ("accept_newhostkey", "accept-new")] {
        if arguments.bool(name)? && !decided {
            options = format!("{options} -o StrictHostKeyChecking={value}").trim_start().to_owned();
        }
    }
    Ok(options)
}

fn umask(arguments: &Arguments) -> Result<String, Failure> {
    match arguments.given("umask") {
        None => Ok(String::new()),
        Some(Value::String(digits)) if u32::from_str_radix(digits, 8).is_ok_and(|mask| mask <= 0o777) => {
            Ok(digits.clone())
        }
        Some(Value::String(_)) => Err(Failure::message("umask must be an octal integer")),
        Some(_) => Err(Failure::message("umask must be defined as a quoted octal integer")),
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
        let mode = Mode::of(invocation);
        result(&invocation.context.run(script(options, mode)).await?)
    })
}

fn script(options: Options, mode: Mode) -> Command {
    let depth = options.depth.map(|depth| depth.to_string()).unwrap_or_default();
    let mut arguments = vec![options.repo, options.dest, options.version, options.remote, options.refspec];
    arguments.extend([options.reference, flag(options.force), depth, flag(options.clone), flag(options.update)]);
    arguments.extend([flag(options.bare), flag(options.recursive), flag(options.single_branch)]);
    arguments.extend([flag(options.track_submodules), flag(options.verify_commit), options.ssh, options.key_file]);
    arguments.extend([options.executable, options.umask, flag(mode.check), flag(mode.diff)]);
    script::with_library(include_str!("git/run.sh"), arguments)
}

fn result(output: &Output) -> Result<TaskResult, Failure> {
    let fields = Fields::read(output)?;
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    let revision = |name| fields.get(name).filter(|revision| !revision.is_empty()).map_or(Value::Null, Value::from);
    let mut result = TaskResult::new(fields.is_set("changed"));
    result = result.with("before", revision("before")).with("after", revision("after"));
    if fields.get("remote_url_changed").is_some() {
        result = result.with("remote_url_changed", fields.is_set("remote_url_changed"));
    }
    if fields.is_set("submodules_changed") {
        result = result.with("submodules_changed", true);
    }
    if let Some(message) = fields.get("message") {
        result = result.with("msg", message);
    }
    if let Some(prepared) = fields.get("prepared") {
        result = result.with("diff", json!({"prepared": prepared}));
    }
    if let Some(warning) = fields.get("warning") {
        result = result.with("warnings", vec![Value::from(warning)]);
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Call, Here, parameters, shells};
    use super::*;
    use rstest::rstest;
    use std::path::Path;
    use std::process::Command as Process;

    /// git as nobody in particular, in that directory; what it prints.
    #[expect(clippy::disallowed_methods, reason = "tests run what they compare with")]
    fn git(at: &Path, line: &str) -> String {
        let mut process = Process::new("git");
        process.current_dir(at).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "init.defaultBranch=main",
        ]);
        let output = process.args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A source with two commits on `main`, a tag `v1` on the first, and a branch `side`.
    struct Place {
        directory: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let source = directory.path().join("source");
            std::fs::create_dir(&source).unwrap();
            git(&source, "init -q");
            let place = Self { directory };
            place.commit("one");
            git(&source, "tag -a v1 -m v1");
            git(&source, "branch side");
            place.commit("two");
            place
        }

        fn source(&self) -> std::path::PathBuf {
            self.directory.path().join("source")
        }

        fn commit(&self, text: &str) -> String {
            std::fs::write(self.source().join("file"), text).unwrap();
            git(&self.source(), "add file");
            git(&self.source(), &format!("commit -q -m {text}"));
            git(&self.source(), "rev-parse HEAD")
        }

        fn file(&self) -> String {
            std::fs::read_to_string(self.directory.path().join("a b/file")).unwrap()
        }

        fn call(&self, more: Value) -> Call {
            let mut all = json!({"repo": self.source(), "dest": self.directory.path().join("a b")});
            all.as_object_mut().unwrap().extend(parameters(more));
            Call { here: Here { shell: &["dash"] }, ..Call::new(all) }
        }
    }

    #[test]
    fn clones_once_and_follows_the_source() {
        for shell in shells().into_iter().filter(|shell| shell[0] != "busybox") {
            let place = Place::new();
            let mut call = place.call(json!({}));
            call.here = Here { shell };
            let head = git(&place.source(), "rev-parse HEAD");
            assert_eq!(call.result(&MODULE), json!({"changed": true, "before": null, "after": head}));
            let same = json!({"changed": false, "before": head, "after": head, "remote_url_changed": false});
            assert_eq!(call.result(&MODULE), same);
            let next = place.commit("three");
            (call.check_mode, call.diff) = (true, false);
            let expected = json!({"changed": true, "before": head, "after": next, "remote_url_changed": false});
            assert_eq!(call.result(&MODULE), expected);
            assert_eq!(place.file(), "two");
            (call.check_mode, call.diff) = (false, true);
            let result = call.result(&MODULE);
            assert_eq!((&result["after"], place.file()), (&json!(next), "three".to_owned()));
            assert!(result["diff"]["prepared"].as_str().unwrap().contains("-two"), "{result}");
        }
    }

    #[rstest]
    #[case(json!({"version": "v1"}), "one")]
    #[case(json!({"version": "side"}), "one")]
    #[case(json!({"version": "main"}), "two")]
    #[case(json!({"version": "main", "depth": 1}), "two")]
    #[case(json!({"version": "v1", "depth": 1}), "one")]
    #[case(json!({"version": "side", "single_branch": true}), "one")]
    #[case(json!({"depth": 1}), "two")]
    #[case(json!({"remote": "upstream"}), "two")]
    fn versions_are_checked_out_and_kept(#[case] more: Value, #[case] text: &str) {
        let place = Place::new();
        let call = place.call(more);
        assert_eq!((&call.result(&MODULE)["changed"], place.file().as_str()), (&json!(true), text));
        assert_eq!(call.result(&MODULE)["changed"], false);
        let mut check = place.call(call.parameters.clone());
        check.check_mode = true;
        assert_eq!(check.result(&MODULE)["changed"], false);
    }

    #[test]
    fn a_version_can_be_changed() {
        let place = Place::new();
        place.call(json!({"version": "main", "depth": 1})).result(&MODULE);
        for (version, text) in [("v1", "one"), ("side", "one"), ("main", "two")] {
            place.call(json!({"version": version, "depth": 1})).result(&MODULE);
            assert_eq!(place.file(), text, "{version}");
        }
        let first = git(&place.source(), "rev-parse v1^{commit}");
        let result = place.call(json!({"version": first})).result(&MODULE);
        assert_eq!((&result["after"], place.file().as_str()), (&json!(first), "one"));
        assert_eq!(place.call(json!({"version": "HEAD"})).result(&MODULE)["changed"], true);
        assert_eq!(place.file(), "two");
    }

    #[test]
    fn check_mode_asks_the_source() {
        let place = Place::new();
        let mut call = place.call(json!({"version": "v1"}));
        (call.check_mode, call.diff) = (true, true);
        let first = git(&place.source(), "rev-parse v1^{commit}");
        let diff = json!({"prepared": format!(">> Newly checked out {first}")});
        assert_eq!(call.result(&MODULE), json!({"changed": true, "before": null, "after": first, "diff": diff}));
        assert!(!place.directory.path().join("a b").exists());
    }

    #[test]
    fn local_changes_are_kept_unless_forced() {
        let place = Place::new();
        place.call(json!({})).result(&MODULE);
        let dest = place.directory.path().join("a b");
        std::fs::write(dest.join("untracked"), "").unwrap();
        assert_eq!(place.call(json!({})).result(&MODULE)["changed"], false);
        std::fs::write(dest.join("file"), "mine").unwrap();
        let failure = place.call(json!({})).failure(&MODULE);
        let head = git(&place.source(), "rev-parse HEAD");
        let message = format!("Local modifications exist in the destination: {} (force=no).", dest.display());
        assert_eq!((&failure["msg"], &failure["before"]), (&json!(message), &json!(head)));
        let forced = place.call(json!({"force": true})).result(&MODULE);
        assert_eq!((&forced["changed"], place.file().as_str()), (&json!(true), "two"));
    }

    #[test]
    fn another_source_is_taken_over() {
        let (place, other) = (Place::new(), Place::new());
        place.call(json!({})).result(&MODULE);
        other.commit("elsewhere");
        let result = place.call(json!({"repo": other.source(), "version": "main", "force": true}));
        let result = result.result(&MODULE);
        assert_eq!((&result["remote_url_changed"], place.file().as_str()), (&json!(true), "elsewhere"));
    }

    #[test]
    fn update_and_clone_can_be_refused() {
        let place = Place::new();
        let head = git(&place.source(), "rev-parse HEAD");
        let asked = place.call(json!({"clone": false})).result(&MODULE);
        assert_eq!(asked, json!({"changed": true, "before": null, "after": head}));
        place.call(json!({})).result(&MODULE);
        place.commit("three");
        let kept = place.call(json!({"update": false})).result(&MODULE);
        assert_eq!(kept, json!({"changed": false, "before": head, "after": head}));
    }

    #[test]
    fn a_bare_clone_has_no_files() {
        let place = Place::new();
        let call = place.call(json!({"bare": true}));
        assert_eq!(call.result(&MODULE)["changed"], true);
        assert!(place.directory.path().join("a b/HEAD").exists());
        let next = place.commit("three");
        assert_eq!(call.result(&MODULE)["after"], next);
        assert_eq!(call.result(&MODULE)["changed"], false);
    }

    #[test]
    fn submodules_come_along() {
        let (place, inner) = (Place::new(), Place::new());
        let line = format!("-c protocol.file.allow=always submodule --quiet add {} sub", inner.source().display());
        git(&place.source(), &line);
        git(&place.source(), "commit -q -m sub");
        let mut call = place.call(json!({}));
        // git takes submodules from files only if it is told so.
        call.here = Here {
            shell: &[
                "env",
                "GIT_CONFIG_COUNT=1",
                "GIT_CONFIG_KEY_0=protocol.file.allow",
                "GIT_CONFIG_VALUE_0=always",
                "sh",
            ],
        };
        let result = call.result(&MODULE);
        assert_eq!(result["submodules_changed"], true);
        assert_eq!(std::fs::read_to_string(place.directory.path().join("a b/sub/file")).unwrap(), "two");
        assert_eq!(call.result(&MODULE)["changed"], false);
    }

    #[test]
    fn gits_own_words_come_through() {
        let place = Place::new();
        let failure = place.call(json!({"repo": "/not/there"})).failure(&MODULE);
        assert_eq!(failure["rc"], 128);
        let message = failure["msg"].as_str().unwrap();
        assert!(message.contains("'/not/there' does not appear to be a git repository"), "{message}");
        let failure = place.call(json!({"version": "v9"})).failure(&MODULE);
        assert_eq!(failure["msg"], "Failed to checkout v9");
        assert!(failure["stderr"].as_str().unwrap().contains("v9"));
    }

    #[rstest]
    #[case(json!({}), "missing required arguments: repo")]
    #[case(json!({"repo": "r"}), "the destination directory must be specified unless clone=no")]
    #[case(json!({"repo": "r", "version": "--x"}), "version must not begin with `-`, got: --x")]
    #[case(json!({"repo": "r", "umask": 22}), "umask must be defined as a quoted octal integer")]
    #[case(json!({"repo": "r", "accept_hostkey": true, "accept_newhostkey": true}),
        "parameters are mutually exclusive: accept_hostkey|accept_newhostkey")]
    #[case(json!({"repo": "r", "dest": "/d", "executable": "/no/git"}),
        "Failed to find required executable \"/no/git\" in paths: @")]
    fn refuses(#[case] parameters: Value, #[case] message: &str) {
        let failure = Call::new(parameters).failure(&MODULE);
        assert_eq!(failure["msg"], message.replace('@', &std::env::var("PATH").unwrap()));
    }
}
