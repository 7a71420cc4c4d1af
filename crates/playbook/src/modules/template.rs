//! `ansible.builtin.template`: a file made from a template of the controller. Shares its second half with `copy`.
//!
//! Differences from ansible-core 2.19: those of `copy`; only UTF-8 is written.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/template_module.html>

use super::attributes::{FileMode, GROUP, MODE, OWNER, UNSAFE_WRITES};
use super::convert::Arguments;
use super::placing::{self, BACKUP, Content, DEST, FOLLOW, FORCE, Place, VALIDATE};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult, sources};
use ::template::FileOptions;
use camino::Utf8Path;
use futures::future::BoxFuture;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "template",
    summary: "A file made from a template of the controller.",
    parameters: &[
        Parameter::new("src", Kind::Path, "The template, looked for in `templates/`.").required(),
        DEST,
        MODE,
        OWNER,
        GROUP,
        BACKUP,
        FORCE,
        FOLLOW,
        VALIDATE,
        Parameter::new("newline_sequence", Kind::String, "How lines end.")
            .choices(&["\\n", "\\r", "\\r\\n", "\n", "\r", "\r\n"])
            .default("\n"),
        Parameter::new("trim_blocks", Kind::Bool, "Drops the newline after a block.").default("true"),
        Parameter::new("lstrip_blocks", Kind::Bool, "Drops the white space before a block.").default("false"),
        Parameter::new("variable_start_string", Kind::String, "What begins a variable.").default("{{"),
        Parameter::new("variable_end_string", Kind::String, "What ends a variable.").default("}}"),
        Parameter::new("block_start_string", Kind::String, "What begins a block.").default("{%"),
        Parameter::new("block_end_string", Kind::String, "What ends a block.").default("%}"),
        Parameter::new("output_encoding", Kind::String, "Only `utf-8`.")
            .choices(&["utf-8", "utf8", "UTF-8"])
            .default("utf-8"),
        UNSAFE_WRITES,
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

/// Which template becomes which file.
struct Options {
    src: String,
    place: Place,
    file: FileOptions,
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let newline = arguments.required_string("newline_sequence")?;
        let file = FileOptions {
            trim_blocks: arguments.bool("trim_blocks")?,
            lstrip_blocks: arguments.bool("lstrip_blocks")?,
            newline_sequence: newline.replace("\\r", "\r").replace("\\n", "\n"),
            variable_start_string: arguments.required_string("variable_start_string")?,
            variable_end_string: arguments.required_string("variable_end_string")?,
            block_start_string: arguments.required_string("block_start_string")?,
            block_end_string: arguments.required_string("block_end_string")?,
            ..FileOptions::default()
        };
        Ok(Self { src: arguments.required_string("src")?, place: Place::of(arguments)?, file })
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let mut options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
        let found = sources::find(invocation, "templates", &options.src)?;
        if options.place.attributes.mode == Some(FileMode::Preserve) {
            options.place.attributes.mode = Some(FileMode::Octal(sources::mode_of(&found)?));
        }
        let text = with_newlines(&read(invocation, &found)?, &options.file.newline_sequence);
        let rendered = invocation.context.render_file(&text, found.as_str(), &options.file)?;
        let basename = found.file_name().unwrap_or_default();
        let content = Content { bytes: rendered.as_bytes(), source: found.as_str(), basename, text: false };
        placing::place(&options.place, content, invocation).await
    })
}

/// Jinja's lexer turns the newlines of a template, though not those of values, into the wanted ones (`_normalize_newlines`).
fn with_newlines(text: &str, newline: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', newline)
}

fn read(invocation: &Invocation<'_>, path: &Utf8Path) -> Result<String, Failure> {
    String::from_utf8(sources::read(invocation, path, true)?)
        .map_err(|_| Failure::message(format!("the template {path} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Call;
    use super::*;
    use serde_json::json;
    use std::fs;

    fn call(at: &std::path::Path, parameters: serde_json::Value) -> Call {
        Call { search_path: vec![at.to_str().unwrap().into()], ..Call::new(parameters) }
    }

    #[test]
    fn a_template_becomes_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::create_dir(at.join("templates")).unwrap();
        fs::write(at.join("templates/t.j2"), "hello {{ who }}\n").unwrap();
        let mut call = call(at, json!({"src": "t.j2", "dest": at.join("out"), "mode": "0600"}));
        call.diff = true;
        let result = call.result(&MODULE);
        assert_eq!(fs::read_to_string(at.join("out")).unwrap(), "hello world\n");
        let diff = json!([{"before": "", "after_header": at.join("templates/t.j2"), "after": "hello world\n"}]);
        assert_eq!((&result["diff"], &result["mode"]), (&diff, &json!("0600")));
        assert_eq!(call.result(&MODULE)["changed"], false);
    }

    #[test]
    fn settings_reach_the_renderer() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::write(at.join("t"), "{{ who }}\n[[ who ]]\n").unwrap();
        let parameters = json!({"src": "t", "dest": at.join("out"), "variable_start_string": "[[",
            "variable_end_string": "]]", "newline_sequence": "\\r\\n"});
        call(at, parameters).result(&MODULE);
        assert_eq!(fs::read_to_string(at.join("out")).unwrap(), "{{ who }}\r\nworld\r\n");
    }

    #[test]
    fn a_template_that_is_not_there_names_where_it_was_sought() {
        let directory = tempfile::tempdir().unwrap();
        let failure = call(directory.path(), json!({"src": "t.j2", "dest": "/x"})).failure(&MODULE);
        let message = failure["msg"].as_str().unwrap();
        assert!(message.contains(&format!("{}/templates/t.j2", directory.path().display())), "{message}");
    }
}
