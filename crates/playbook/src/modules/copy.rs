//! `ansible.builtin.copy`: files, directories or text to the machine.
//!
//! Differences from ansible-core 2.19: the result's `src` names the temporary file beside the new one, not one in
//! `~/.ansible/tmp`; `attributes` (chattr) and SELinux contexts are not offered; `remote_src` makes no difference texts.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/copy_module.html>

mod tree;

use super::attributes::{FileMode, GROUP, MODE, OWNER, UNSAFE_WRITES, with_path_info};
use super::convert::Arguments;
use super::placing::{self, BACKUP, Content, DEST, FOLLOW, FORCE, Place, VALIDATE};
use super::script::{self, Fields, Mode};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult, sources};
use camino::Utf8Path;
use futures::future::BoxFuture;
use serde_json::Value;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "copy",
    summary: "Files, directories or text to the machine.",
    parameters: &[
        Parameter::new("src", Kind::Path, "A file or directory; with `/` at its end, what is in the directory."),
        Parameter::new("content", Kind::Raw, "The text itself; mappings and lists become JSON."),
        DEST,
        Parameter::new("remote_src", Kind::Bool, "`src` is on the machine.").default("false"),
        MODE,
        OWNER,
        GROUP,
        Parameter::new("directory_mode", Kind::Raw, "Permissions of directories that are made."),
        BACKUP,
        FORCE,
        FOLLOW,
        Parameter::new("local_follow", Kind::Bool, "Copies what links in `src` lead to, not the links.")
            .default("true"),
        VALIDATE,
        Parameter::new("checksum", Kind::String, "The SHA-1 that the file must have."),
        Parameter::new("decrypt", Kind::Bool, "Sends files of Ansible Vault in clear.").default("true"),
        UNSAFE_WRITES,
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

/// What is copied where.
struct Options {
    source: Source,
    place: Place,
    local_follow: bool,
    decrypt: bool,
    checksum: Option<String>,
}

enum Source {
    Text(String),
    Path(String),
    Machine(String),
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let mut place = Place::of(arguments)?;
        place.directory_mode = arguments.given("directory_mode").map(FileMode::parse).transpose()?;
        let src = arguments.string("src")?.filter(|src| !src.is_empty());
        let source = match (src, arguments.given("content")) {
            (None, None) => return Err(Failure::message("src (or content) is required")),
            (Some(_), Some(_)) => return Err(Failure::message("src and content are mutually exclusive")),
            (None, Some(_)) if place.dest.ends_with('/') => {
                return Err(Failure::message("can not use content with a dir as dest"));
            }
            (None, Some(content)) => Source::Text(content_text(content)),
            (Some(src), None) if arguments.bool("remote_src")? => Source::Machine(src),
            (Some(src), None) => Source::Path(src),
        };
        Ok(Self {
            source,
            place,
            local_follow: arguments.bool("local_follow")?,
            decrypt: arguments.bool("decrypt")?,
            checksum: arguments.string("checksum")?,
        })
    }
}

/// Text as it is; anything else as Python's `json.dumps` writes it.
fn content_text(content: &Value) -> String {
    match content {
        Value::Array(_) | Value::Object(_) => super::convert::json(content),
        other => super::convert::text(other),
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
        if options.place.dest.is_empty() {
            return Err(Failure::message("dest is required"));
        }
        match &options.source {
            Source::Text(text) => {
                let bytes = text.as_bytes();
                check_checksum(options.checksum.as_deref(), bytes)?;
                let content = Content { bytes, source: "content", basename: "content", text: true };
                placing::place(&options.place, content, invocation).await
            }
            Source::Machine(src) => from_machine(&options, src, invocation).await,
            Source::Path(src) => from_here(&options, src, invocation).await,
        }
    })
}

fn check_checksum(wanted: Option<&str>, bytes: &[u8]) -> Result<(), Failure> {
    let found = placing::sha1(bytes);
    match wanted.filter(|wanted| *wanted != found && !wanted.is_empty()) {
        None => Ok(()),
        Some(wanted) => {
            let result = TaskResult::new(false).with("checksum", found).with("expected_checksum", wanted);
            Err(Failure::with(result, "Copied file does not match the expected checksum. Transfer failed."))
        }
    }
}

async fn from_here(options: &Options, src: &str, invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let found = sources::find(invocation, "files", src)?;
    if found.is_dir() {
        return tree::copy(options, &found, src.ends_with('/'), invocation).await;
    }
    file(options, &found, found.file_name().unwrap_or_default(), options.place.clone(), invocation).await
}

/// One file of the controller; `name` is its path below a destination that is a directory.
async fn file(
    options: &Options,
    path: &Utf8Path,
    name: &str,
    mut place: Place,
    invocation: &Invocation<'_>,
) -> Result<TaskResult, Failure> {
    if place.attributes.mode == Some(FileMode::Preserve) {
        place.attributes.mode = Some(FileMode::Octal(sources::mode_of(path)?));
    }
    let bytes = sources::read(invocation, path, options.decrypt)?;
    check_checksum(options.checksum.as_deref(), &bytes)?;
    let content = Content { bytes: &bytes, source: path.as_str(), basename: name, text: false };
    placing::place(&place, content, invocation).await
}

/// `remote_src`: nothing is sent.
async fn from_machine(options: &Options, src: &str, invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let mode = Mode::of(invocation);
    let checksum = options.checksum.clone().unwrap_or_default();
    let arguments = placing::from_machine(&options.place, src, &checksum, mode, &script::unique());
    let fields = Fields::read(&invocation.context.run(placing::command(arguments)).await?)?;
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    let mut result = TaskResult::new(fields.is_set("changed")).with("dest", fields.get("dest").unwrap_or_default());
    for name in ["src", "checksum", "md5sum", "backup_file"] {
        if let Some(value) = fields.get(name) {
            result = result.with(name, value);
        }
    }
    if fields.get("outcome") == Some("kept") {
        result = result.with("msg", "file already exists");
    }
    Ok(with_path_info(result, &fields))
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

    /// The parameters with `@` standing for the directory, which is also the search path.
    fn call(shell: &'static [&'static str], at: &Path, parameters: &Value) -> Call {
        let text = parameters.to_string().replace('@', at.to_str().unwrap());
        let search_path = vec![at.to_str().unwrap().into()];
        Call { here: Here { shell }, search_path, ..Call::new(serde_json::from_str(&text).unwrap()) }
    }

    /// In each shell: a fresh directory with `files/source`, mode 0640, a file `old`, mode 0604, and a link to it.
    fn each(test: impl Fn(&'static [&'static str], &Path)) {
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let at = directory.path();
            fs::create_dir(at.join("files")).unwrap();
            fs::write(at.join("files/source"), "a\nb\n").unwrap();
            fs::set_permissions(at.join("files/source"), fs::Permissions::from_mode(0o640)).unwrap();
            fs::write(at.join("old"), "a\nc\n").unwrap();
            fs::set_permissions(at.join("old"), fs::Permissions::from_mode(0o604)).unwrap();
            symlink("old", at.join("link")).unwrap();
            test(shell, at);
            let left: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".cluster")), "{left:?}");
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn text_becomes_a_file_once() {
        each(|shell, at| {
            let call = call(shell, at, &json!({"content": "hi\n", "dest": "@/new", "mode": "0751"}));
            let first = call.result(&MODULE);
            assert_eq!((read(&at.join("new")).as_str(), mode(&at.join("new"))), ("hi\n", 0o751));
            for (name, value) in [
                ("changed", json!(true)),
                ("checksum", json!("55ca6286e3e4f4fba5d0448333fa99fc5a404a73")),
                ("md5sum", json!("764efa883dda1e11db47671c4a3bbd9e")),
                ("dest", json!(at.join("new"))),
                ("size", json!(3)),
                ("mode", json!("0751")),
                ("state", json!("file")),
                ("diff", json!([])),
            ] {
                assert_eq!(first[name], value, "{name}");
            }
            let inode = fs::metadata(at.join("new")).unwrap().ino();
            let second = call.result(&MODULE);
            assert_eq!((&second["changed"], &second["path"]), (&json!(false), &json!(at.join("new"))));
            assert_eq!(fs::metadata(at.join("new")).unwrap().ino(), inode);
        });
    }

    #[test]
    fn a_replaced_file_keeps_its_mode() {
        each(|shell, at| {
            assert_eq!(call(shell, at, &json!({"src": "source", "dest": "@/old"})).result(&MODULE)["mode"], "0604");
            assert_eq!((read(&at.join("old")).as_str(), mode(&at.join("old"))), ("a\nb\n", 0o604));
            let symbolic = json!({"content": "x", "dest": "@/old", "mode": "u+x,o="});
            assert_eq!(call(shell, at, &symbolic).result(&MODULE)["mode"], "0700");
        });
    }

    #[test]
    fn only_the_mode_may_change() {
        each(|shell, at| {
            let mut call = call(shell, at, &json!({"src": "source", "dest": "@/files/source", "mode": "preserve"}));
            assert_eq!(call.result(&MODULE)["changed"], false);
            call.parameters["mode"] = json!("0600");
            call.diff = true;
            let result = call.result(&MODULE);
            let path = at.join("files/source");
            assert_eq!((&result["changed"], mode(&path)), (&json!(true), 0o600));
            let expected = json!({"before": {"path": path, "mode": "0640"}, "after": {"path": path, "mode": "0600"}});
            assert_eq!(result["diff"], expected);
        });
    }

    #[test]
    fn a_diff_shows_both_texts_and_check_mode_changes_nothing() {
        each(|shell, at| {
            let mut call = call(shell, at, &json!({"src": "source", "dest": "@/old"}));
            (call.check_mode, call.diff) = (true, true);
            let diff = json!([{
                "before_header": at.join("old"), "before": "a\nc\n",
                "after_header": at.join("files/source"), "after": "a\nb\n",
            }]);
            assert_eq!(call.result(&MODULE), json!({"changed": true, "diff": diff}));
            assert_eq!(read(&at.join("old")), "a\nc\n");
            call.check_mode = false;
            assert_eq!(call.result(&MODULE)["diff"], diff);
        });
    }

    #[test]
    fn binary_and_large_files_have_no_diff() {
        each(|shell, at| {
            fs::write(at.join("old"), b"\0binary").unwrap();
            fs::write(at.join("files/large"), vec![b'x'; 200_000]).unwrap();
            let mut call = call(shell, at, &json!({"src": "large", "dest": "@/old"}));
            call.diff = true;
            assert_eq!(call.result(&MODULE)["diff"], json!([{"dst_binary": 1, "src_larger": 104_448}]));
            assert_eq!(fs::metadata(at.join("old")).unwrap().len(), 200_000);
            call.parameters = json!({"content": "small", "dest": at.join("old")});
            let expected = json!([{"dst_larger": 104_448, "after_header": at.join("old"), "after": "small"}]);
            assert_eq!(call.result(&MODULE)["diff"], expected);
        });
    }

    #[test]
    fn any_bytes_arrive() {
        each(|shell, at| {
            let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
            fs::write(at.join("files/bytes"), &bytes).unwrap();
            call(shell, at, &json!({"src": "bytes", "dest": "@/a b $(x)'\".bin"})).result(&MODULE);
            assert_eq!(fs::read(at.join("a b $(x)'\".bin")).unwrap(), bytes);
        });
    }

    #[test]
    fn a_directory_as_destination_keeps_the_name() {
        each(|shell, at| {
            fs::create_dir(at.join("dir")).unwrap();
            let result = call(shell, at, &json!({"src": "source", "dest": "@/dir"})).result(&MODULE);
            assert_eq!(result["dest"], json!(at.join("dir/source")));
            let parameters = json!({"src": "source", "dest": "@/new/deep/", "directory_mode": "0710"});
            assert_eq!(call(shell, at, &parameters).result(&MODULE)["dest"], json!(at.join("new/deep/source")));
            assert_eq!((mode(&at.join("new")), mode(&at.join("new/deep"))), (0o710, 0o710));
        });
    }

    #[test]
    fn links_are_replaced_or_followed() {
        each(|shell, at| {
            call(shell, at, &json!({"content": "x", "dest": "@/link", "follow": true})).result(&MODULE);
            assert!(at.join("link").is_symlink());
            assert_eq!(read(&at.join("old")), "x");
            let replace = call(shell, at, &json!({"content": "x", "dest": "@/link"}));
            assert_eq!(replace.result(&MODULE)["changed"], true);
            assert!(!at.join("link").is_symlink());
            assert_eq!(replace.result(&MODULE)["changed"], false);
        });
    }

    #[test]
    fn a_validator_decides() {
        each(|shell, at| {
            let bad =
                json!({"content": "bad", "dest": "@/old", "validate": "sh -c 'echo looked; grep -q good \"$1\"' x %s"});
            let failure = call(shell, at, &bad).failure(&MODULE);
            assert_eq!(
                (&failure["msg"], &failure["exit_status"], &failure["stdout"]),
                (&json!("failed to validate"), &json!(1), &json!("looked\n"))
            );
            assert_eq!(read(&at.join("old")), "a\nc\n");
            let good = json!({"content": "good", "dest": "@/old", "validate": "grep -q good %s", "backup": true});
            let result = call(shell, at, &good).result(&MODULE);
            assert_eq!(read(&at.join("old")), "good");
            assert_eq!(read(Path::new(result["backup_file"].as_str().unwrap())), "a\nc\n");
        });
    }

    #[test]
    fn without_force_what_is_there_stays() {
        each(|shell, at| {
            let result = call(shell, at, &json!({"src": "source", "dest": "@/old", "force": false})).result(&MODULE);
            let expected = json!({"changed": false, "dest": at.join("old"), "src": at.join("files/source")});
            assert_eq!(result, expected);
        });
    }

    #[test]
    fn directories_are_copied_whole_or_by_content() {
        each(|shell, at| {
            fs::create_dir_all(at.join("files/tree/sub/empty")).unwrap();
            fs::write(at.join("files/tree/a"), "1").unwrap();
            fs::write(at.join("files/tree/sub/b"), "2").unwrap();
            symlink("a", at.join("files/tree/l")).unwrap();
            let mut call = call(shell, at, &json!({"src": "tree", "dest": "@/to", "mode": "0600"}));
            let expected = json!({"changed": true, "dest": format!("{}/", at.join("to").display()),
                "src": at.join("files/tree")});
            assert_eq!(call.result(&MODULE), expected);
            assert_eq!((read(&at.join("to/tree/sub/b")).as_str(), mode(&at.join("to/tree/a"))), ("2", 0o600));
            assert!(at.join("to/tree/sub/empty").is_dir() && !at.join("to/tree/l").is_symlink());
            assert_eq!(call.result(&MODULE)["changed"], false);
            call.parameters["src"] = json!("tree/");
            call.parameters["local_follow"] = json!(false);
            assert_eq!(call.result(&MODULE)["changed"], true);
            assert_eq!(read(&at.join("to/a")), "1");
            assert_eq!(fs::read_link(at.join("to/l")).unwrap(), Path::new("a"));
            assert_eq!(call.result(&MODULE)["changed"], false);
        });
    }

    #[test]
    fn files_of_the_machine_are_copied_there() {
        each(|shell, at| {
            let call =
                call(shell, at, &json!({"src": "@/old", "dest": "@/new", "remote_src": true, "mode": "preserve"}));
            let result = call.result(&MODULE);
            assert_eq!((&result["changed"], &result["src"]), (&json!(true), &json!(at.join("old"))));
            assert_eq!((read(&at.join("new")).as_str(), mode(&at.join("new"))), ("a\nc\n", 0o604));
            assert_eq!(call.result(&MODULE)["changed"], false);
        });
    }

    #[test]
    fn a_transfer_that_breaks_off_leaves_the_old_file() {
        each(|shell, at| {
            let place = Place { dest: at.join("old").to_str().unwrap().to_owned(), force: true, ..Place::default() };
            let mut arguments = placing::from_machine(&place, "", "0", Mode::default(), "token");
            arguments[3] = "1".to_owned();
            arguments[17] = "10".to_owned();
            let mut command = placing::command(arguments);
            command.input = b"only".to_vec();
            let fields = Fields::read(&Here { shell }.run_now(command)).ok().unwrap();
            assert_eq!(fields.get("refusal"), Some("The transfer broke off: 4 of 10 bytes came"));
            assert_eq!(read(&at.join("old")), "a\nc\n");
        });
    }

    #[rstest]
    #[case(json!({"dest": "@/x"}), "src (or content) is required")]
    #[case(json!({"src": "source", "content": "x", "dest": "@/x"}), "src and content are mutually exclusive")]
    #[case(json!({"content": "x", "dest": "@/"}), "can not use content with a dir as dest")]
    #[case(json!({"content": "x", "dest": "@/files"}), "can not use content with a dir as dest")]
    #[case(json!({"content": "x", "dest": "@/none/x"}), "Destination directory @/none does not exist")]
    #[case(json!({"src": "@/none", "dest": "@/x", "remote_src": true}), "Source @/none not found")]
    #[case(json!({"src": "source", "dest": "@/x", "checksum": "0"}),
        "Copied file does not match the expected checksum. Transfer failed.")]
    #[case(json!({"src": "source", "dest": "@/x", "validate": "true"}), "validate must contain %s: true")]
    #[case(json!({"src": "none", "dest": "@/x"}),
        "Could not find or access 'none'\nSearched in:\n\t@/files/none\n\t@/none on the Ansible Controller.\nIf you are \
         using a module and expect the file to exist on the remote, see the remote_src option")]
    fn refuses(#[case] parameters: Value, #[case] message: &str) {
        each(|shell, at| {
            let failure = call(shell, at, &parameters).failure(&MODULE);
            assert_eq!(failure["msg"], message.replace('@', at.to_str().unwrap()), "{shell:?}");
        });
    }

    #[test]
    fn mappings_become_json_as_python_writes_it() {
        assert_eq!(content_text(&json!({"a": 1, "b": ["x", null]})), "{\"a\": 1, \"b\": [\"x\", null]}");
        assert_eq!(content_text(&json!(["é"])), "[\"\\u00e9\"]");
    }
}
