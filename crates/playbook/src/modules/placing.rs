//! Puts content into a file on the machine: the common part of `copy` and `template`. One trip when the content is small or the
//! file has it already; else the machine is asked by checksum first and sent the content second.

use super::attributes::{self, Attributes, FileMode, with_path_info};
use super::convert::Arguments;
use super::script::{self, Fields, Mode, flag};
use super::{Failure, Invocation, Kind, Parameter, TaskResult, words};
use data_encoding::HEXLOWER;
use md5::Md5;
use remote::Command;
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

/// Content up to this size goes along with the question whether it is needed: it costs less than a second trip.
const SENT_AT_ONCE_BYTES: usize = 64 * 1024;

/// Larger files have no text in a diff (ansible-core's `MAX_FILE_SIZE_FOR_DIFF`).
const LARGEST_DIFF_BYTES: usize = 104_448;

/// ansible-core looks for NUL in that much of a file to tell whether it is text (`execute_diff_peek`).
const PEEKED_BYTES: usize = 8192;

/// `dest`
pub(crate) const DEST: Parameter = Parameter::new("dest", Kind::Path, "Where to, on the machine.").required();
/// `backup`
pub(crate) const BACKUP: Parameter =
    Parameter::new("backup", Kind::Bool, "Keeps the former file beside the new one.").default("false");
/// `force`
pub(crate) const FORCE: Parameter =
    Parameter::new("force", Kind::Bool, "Replaces a file with other content.").default("true");
/// `follow`
pub(crate) const FOLLOW: Parameter =
    Parameter::new("follow", Kind::Bool, "Replaces what a link leads to, not the link.").default("false");
/// `validate`
pub(crate) const VALIDATE: Parameter =
    Parameter::new("validate", Kind::String, "A command that must accept the file, `%s`, before it takes its place.");

/// Where content goes, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) dest: String,
    pub(crate) force: bool,
    pub(crate) follow: bool,
    pub(crate) backup: bool,
    pub(crate) attributes: Attributes,
    pub(crate) directory_mode: Option<FileMode>,
    /// The command's words, one with `%s`.
    pub(crate) validate: Vec<String>,
}

impl Place {
    /// The parameters that `copy` and `template` share.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let validate = arguments.string("validate")?.unwrap_or_default();
        if !validate.is_empty() && !validate.contains("%s") {
            return Err(Failure::message(format!("validate must contain %s: {validate}")));
        }
        Ok(Self {
            dest: arguments.required_string("dest")?,
            force: arguments.bool("force")?,
            follow: arguments.bool("follow")?,
            backup: arguments.bool("backup")?,
            attributes: Attributes::of(arguments)?,
            directory_mode: None,
            validate: words::split(&validate)?,
        })
    }
}

/// What goes there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'a> {
    /// The bytes.
    pub(crate) bytes: &'a [u8],
    /// Where they come from, as the result and the diff name it.
    pub(crate) source: &'a str,
    /// The file's name when `dest` is a directory; it may have directories of its own.
    pub(crate) basename: &'a str,
    /// Whether the task's own text is the source.
    pub(crate) text: bool,
}

/// Puts it there.
pub(crate) async fn place(
    place: &Place,
    content: Content<'_>,
    invocation: &Invocation<'_>,
) -> Result<TaskResult, Failure> {
    let mode = Mode::of(invocation);
    let checksum = sha1(content.bytes);
    let at_once = content.bytes.len() <= SENT_AT_ONCE_BYTES && !mode.check;
    let first = script(place, content, &checksum, mode, at_once, &script::unique());
    let mut fields = Fields::read(&invocation.context.run(first).await?)?;
    if fields.is_set("needed") {
        let second = script(place, content, &checksum, mode, true, &script::unique());
        fields = Fields::read(&invocation.context.run(second).await?)?;
    }
    result(&fields, content, &checksum, mode)
}

/// Hexadecimal SHA-1, Ansible's checksum of files.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha1::digest(bytes))
}

fn script(place: &Place, content: Content<'_>, checksum: &str, mode: Mode, send: bool, token: &str) -> Command {
    let [owner, group, steps] = place.attributes.words();
    let directory_steps = place.directory_mode.as_ref().map(FileMode::steps).unwrap_or_default();
    let text = |text: &str| text.to_owned();
    let mut arguments = vec![text(&place.dest), text(content.basename), text(checksum), flag(send), String::new()];
    arguments.extend([flag(content.text), flag(place.force), flag(place.follow), flag(place.backup)]);
    arguments.extend([owner, group, steps, directory_steps, flag(mode.check), flag(mode.diff)]);
    arguments.extend([LARGEST_DIFF_BYTES.to_string(), text(token), content.bytes.len().to_string()]);
    arguments.extend(place.validate.iter().cloned());
    let input = if send { content.bytes.to_vec() } else { Vec::new() };
    Command { input, ..command(arguments) }
}

/// The script with its arguments; `copy` calls it with `remote_src` too.
pub(crate) fn command(arguments: Vec<String>) -> Command {
    script::with_library(include_str!("placing/run.sh"), arguments)
}

/// The arguments for content that is on the machine already.
pub(crate) fn from_machine(place: &Place, src: &str, checksum: &str, mode: Mode, token: &str) -> Vec<String> {
    let [owner, group, mut steps] = place.attributes.words();
    if place.attributes.mode == Some(FileMode::Preserve) {
        "preserve".clone_into(&mut steps);
    }
    let directory_steps = place.directory_mode.as_ref().map(FileMode::steps).unwrap_or_default();
    let text = |text: &str| text.to_owned();
    let mut arguments = vec![text(&place.dest), String::new(), text(checksum), String::new(), text(src), String::new()];
    arguments.extend([flag(place.force), flag(place.follow), flag(place.backup), owner, group, steps, directory_steps]);
    arguments.extend([flag(mode.check), String::new(), LARGEST_DIFF_BYTES.to_string(), text(token), String::new()]);
    arguments.extend(place.validate.iter().cloned());
    arguments
}

fn result(fields: &Fields, content: Content<'_>, checksum: &str, mode: Mode) -> Result<TaskResult, Failure> {
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    let dest = fields.get("dest").unwrap_or_default();
    let result = TaskResult::new(fields.is_set("changed"));
    let no_diff = Value::Array(Vec::new());
    match fields.get("outcome") {
        Some("kept") => Ok(result.with("dest", dest).with("src", content.source)),
        Some("same") => {
            let diff = if mode.diff { attributes::diff(dest, fields) } else { no_diff };
            let result = result.with("checksum", checksum).with("dest", dest).with("path", dest).with("diff", diff);
            Ok(with_path_info(result, fields))
        }
        _ => {
            let diff = if mode.diff {
                Value::Array(vec![text_diff(fields, content, fields.get("named").unwrap_or(dest))])
            } else {
                no_diff
            };
            let result = result.with("diff", diff);
            if mode.check {
                return Ok(result);
            }
            let mut result = result.with("checksum", checksum).with("dest", dest);
            result = result.with("md5sum", HEXLOWER.encode(&Md5::digest(content.bytes)));
            result = result.with("src", fields.get("temporary").unwrap_or_default());
            if let Some(backup) = fields.get("backup_file") {
                result = result.with("backup_file", backup);
            }
            Ok(with_path_info(result, fields))
        }
    }
}

/// The texts before and after, or why there is none (`_get_diff_data` in ansible-core's `plugins/action`).
fn text_diff(fields: &Fields, content: Content<'_>, dest: &str) -> Value {
    let mut diff = Map::new();
    let mut put = |name: &str, value: Value| diff.insert(name.to_owned(), value);
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
    match fields.payload() {
        Some(before) if before[..before.len().min(PEEKED_BYTES)].contains(&0) => drop(put("dst_binary", 1.into())),
        Some(before) => {
            put("before_header", dest.into());
            put("before", text(before));
        }
        None if fields.is_set("before_larger") => drop(put("dst_larger", LARGEST_DIFF_BYTES.into())),
        None if fields.is_set("before_absent") => drop(put("before", "".into())),
        None => {}
    }
    if content.bytes.len() > LARGEST_DIFF_BYTES {
        put("src_larger", LARGEST_DIFF_BYTES.into());
    } else if content.bytes.contains(&0) {
        put("src_binary", 1.into());
    } else {
        put("after_header", if content.text { dest } else { content.source }.into());
        put("after", text(content.bytes));
    }
    Value::Object(diff)
}
