//! `ansible.builtin.stat`: what there is at a path.
//!
//! Differences from ansible-core 2.19: BusyBox has no `sha224sum` and `sha384sum`, so that these checksums need coreutils.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/stat_module.html>

use super::convert::Arguments;
use super::script::{self, Fields, flag};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use futures::future::BoxFuture;
use jiff::Timestamp;
use remote::{Command, Output};
use serde_json::{Map, Value};

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "stat",
    summary: "What there is at a path.",
    parameters: &[
        Parameter::new("path", Kind::Path, "What it is about.").required().aliases(&["dest", "name"]),
        Parameter::new("follow", Kind::Bool, "Looks at what a link leads to.").default("false"),
        Parameter::new("get_checksum", Kind::Bool, "Returns the checksum.").default("true"),
        Parameter::new("checksum_algorithm", Kind::String, "Which checksum.")
            .aliases(&["checksum", "checksum_algo"])
            .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
            .default("sha1"),
        Parameter::new("get_mime", Kind::Bool, "Returns the type of its content, if the machine has `file`.")
            .aliases(&["mime", "mime_type", "mime-type"])
            .default("true"),
        Parameter::new("get_attributes", Kind::Bool, "Returns what `lsattr` tells, if the machine has it.")
            .aliases(&["attr", "attributes"])
            .default("true"),
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Options {
    path: String,
    follow: bool,
    checksum: Option<String>,
    mime: bool,
    attributes: bool,
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let algorithm = arguments.required_string("checksum_algorithm")?;
        Ok(Self {
            path: arguments.required_string("path")?,
            follow: arguments.bool("follow")?,
            checksum: arguments.bool("get_checksum")?.then_some(algorithm),
            mime: arguments.bool("get_mime")?,
            attributes: arguments.bool("get_attributes")?,
        })
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
        let output = invocation.context.run(script(&options)).await?;
        result(&output, &options)
    })
}

fn script(options: &Options) -> Command {
    let sum = options.checksum.as_ref().map(|algorithm| format!("{algorithm}sum")).unwrap_or_default();
    let arguments = vec![options.path.clone(), flag(options.follow), sum, flag(options.mime), flag(options.attributes)];
    script::with_library(include_str!("stat/run.sh"), arguments)
}

fn result(output: &Output, options: &Options) -> Result<TaskResult, Failure> {
    let fields = Fields::read(output)?;
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    let stat = match fields.get("facts") {
        None => Map::from_iter([("exists".to_owned(), false.into())]),
        Some(facts) => match describe(facts, &fields, options) {
            Some(stat) => stat,
            None => return Err(Failure::message(format!("cannot read what stat told: {facts}"))),
        },
    };
    Ok(TaskResult::new(false).with("stat", stat))
}

fn describe(facts: &str, fields: &Fields, options: &Options) -> Option<Map<String, Value>> {
    let mut parts = facts.split('|');
    let numbers: Vec<&str> = parts.next()?.split(' ').collect();
    let [mode, uid, gid, size, inode, device, links, blocks, block_size, major, minor, owner, group] = numbers[..]
    else {
        return None;
    };
    let mode = u32::from_str_radix(mode, 16).ok()?;
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    let mut stat = Map::new();
    let mut put = |name: &str, value: Value| drop(stat.insert(name.to_owned(), value));
    put("exists", true.into());
    put("path", fields.get("path")?.into());
    put("mode", format!("{:04o}", mode & 0o7777).into());
    for (name, kind) in KINDS {
        put(name, (mode & 0o170_000 == kind).into());
    }
    for (name, bit) in BITS {
        put(name, (mode & bit != 0).into());
    }
    for (name, value) in [("uid", uid), ("gid", gid), ("size", size), ("inode", inode), ("dev", device)] {
        put(name, value.parse::<u64>().ok()?.into());
    }
    for (name, value) in [("nlink", links), ("blocks", blocks), ("block_size", block_size)] {
        put(name, value.parse::<u64>().ok()?.into());
    }
    put("device_type", device_number(hexadecimal(major)?, hexadecimal(minor)?).into());
    for name in ["atime", "mtime", "ctime"] {
        put(name, seconds(parts.next()?)?.into());
    }
    for name in ["readable", "writeable", "executable"] {
        put(name, fields.is_set(name).into());
    }
    for (name, value) in [("pw_name", owner), ("gr_name", group)] {
        if value != "UNKNOWN" {
            put(name, value.into());
        }
    }
    for name in ["lnk_source", "lnk_target", "checksum"] {
        if let Some(value) = fields.get(name) {
            put(name, value.into());
        }
    }
    if options.mime {
        let found = fields.get("mime").and_then(|found| found.split_once("; charset="));
        let (kind, charset) = found.unwrap_or(("unknown", "unknown"));
        put("mimetype", kind.trim().into());
        put("charset", charset.trim().into());
    }
    if options.attributes {
        let found: Vec<&str> = fields.get("attributes").unwrap_or_default().split_whitespace().collect();
        let (version, flags) =
            if let [version, flags, ..] = found[..] { (version.into(), flags) } else { (Value::Null, "") };
        let flags = flags.replace('-', "");
        put("attributes", flags.chars().filter_map(attribute).map(Value::from).collect());
        put("attr_flags", flags.into());
        put("version", version);
    }
    Some(stat)
}

/// The file types of `st_mode` (`sys/stat.h`).
const KINDS: [(&str, u32); 7] = [
    ("isdir", 0o040_000),
    ("ischr", 0o020_000),
    ("isblk", 0o060_000),
    ("isreg", 0o100_000),
    ("isfifo", 0o010_000),
    ("islnk", 0o120_000),
    ("issock", 0o140_000),
];

const BITS: [(&str, u32); 11] = [
    ("wusr", 0o200),
    ("rusr", 0o400),
    ("xusr", 0o100),
    ("wgrp", 0o020),
    ("rgrp", 0o040),
    ("xgrp", 0o010),
    ("woth", 0o002),
    ("roth", 0o004),
    ("xoth", 0o001),
    ("isuid", 0o4000),
    ("isgid", 0o2000),
];

/// glibc's `makedev`.
fn device_number(major: u64, minor: u64) -> u64 {
    (major & 0xfff) << 8 | (minor & 0xff) | (minor & !0xff) << 12 | (major & !0xfff) << 32
}

/// The seconds as Python's `os.stat` gives them, of a time as `stat` prints it: `2026-01-02 03:04:05.678901234 +0000`.
#[expect(clippy::cast_precision_loss, reason = "Python's floats are as precise")]
pub(super) fn seconds(time: &str) -> Option<f64> {
    let time = Timestamp::strptime("%Y-%m-%d %H:%M:%S%.f %z", time).ok()?;
    let nanoseconds = time.as_nanosecond();
    let (whole, rest) = (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
    Some(whole as f64 + 1e-9 * rest as f64)
}

/// What a letter of `lsattr` means (`FILE_ATTRIBUTES` in ansible-core's `module_utils/common/file.py`).
fn attribute(letter: char) -> Option<&'static str> {
    Some(match letter {
        'A' => "noatime",
        'a' => "append",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Call, Here, shells};
    use super::*;
    use serde_json::json;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn stat(shell: &'static [&'static str], parameters: Value) -> Value {
        Call { here: Here { shell }, ..Call::new(parameters) }.result(&MODULE)["stat"].clone()
    }

    #[test]
    fn a_file_is_described_as_the_system_has_it() {
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a b");
            fs::write(&path, "hi\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o2651)).unwrap();
            let (found, real) = (stat(shell, json!({"path": path})), fs::metadata(&path).unwrap());
            for (name, expected) in [
                ("exists", json!(true)),
                ("mode", json!("2651")),
                ("isreg", json!(true)),
                ("isdir", json!(false)),
                ("isgid", json!(true)),
                ("xoth", json!(true)),
                ("woth", json!(false)),
                ("size", json!(3)),
                ("uid", json!(real.uid())),
                ("inode", json!(real.ino())),
                ("dev", json!(real.dev())),
                ("blocks", json!(real.blocks())),
                ("block_size", json!(real.blksize())),
                ("mtime", json!(real.mtime() as f64 + 1e-9 * real.mtime_nsec() as f64)),
                ("readable", json!(true)),
                ("checksum", json!("55ca6286e3e4f4fba5d0448333fa99fc5a404a73")),
                ("path", json!(path)),
            ] {
                assert_eq!(found[name], expected, "{name}, {shell:?}");
            }
        }
    }

    #[test]
    fn links_are_described_or_followed() {
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let (target, link) = (directory.path().join("target"), directory.path().join("link"));
            fs::write(&target, "").unwrap();
            symlink("target", &link).unwrap();
            let found = stat(shell, json!({"path": link}));
            assert_eq!((&found["islnk"], &found["lnk_target"]), (&json!(true), &json!("target")));
            assert_eq!(found["lnk_source"], json!(target.canonicalize().unwrap()));
            assert_eq!(found.get("checksum"), None);
            let followed = stat(shell, json!({"path": link, "follow": true, "checksum_algorithm": "md5"}));
            let expected = (&json!(false), &json!("d41d8cd98f00b204e9800998ecf8427e"));
            assert_eq!((&followed["islnk"], &followed["checksum"]), expected);
        }
    }

    #[test]
    fn what_is_not_there_does_not_exist() {
        for shell in shells() {
            assert_eq!(stat(shell, json!({"path": "/not/there"})), json!({"exists": false}));
            let call = Call { here: Here { shell }, ..Call::new(json!({"path": "/etc/passwd/x"})) };
            assert_eq!(call.failure(&MODULE)["msg"], "Not a directory");
        }
    }

    #[test]
    fn devices_have_their_number() {
        for shell in shells() {
            let found = stat(shell, json!({"path": "/dev/null"}));
            assert_eq!((&found["ischr"], &found["device_type"]), (&json!(true), &json!(259)));
        }
    }

    #[test]
    fn times_before_1970_count_down() {
        assert_eq!(seconds("1969-12-31 23:59:59.500000000 +0000"), Some(-0.5));
        assert_eq!(seconds("2026-11-22 07:11:01.25 +0100"), Some(1_795_327_861.25));
    }
}
