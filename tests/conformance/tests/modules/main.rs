//! Each module's tasks (`tests/conformance/modules/<module>/tasks.yml`) through the real ansible-playbook and through ours, each
//! on the same fresh tree: in check mode, for real and once more, always with diffs. Compared are each task's status and return
//! values, and what lies there at the end.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod place;
mod server;

use camino::{Utf8Path, Utf8PathBuf};
use playbook::event::{Event, Status};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// What is different on purpose: the task, the return value (or `*`), and why. An entry that is no longer true fails the test.
const KNOWN: &[(&str, &str, &str)] = &[
    ("command that is not there (apply)", "msg", "ours says which program and why"),
    ("command in a directory that is not there (apply)", "msg", "ours says which directory"),
    ("copy refused by its validator (apply)", "diff", NO_DIFF),
    ("copy into a directory that is not there (apply)", "diff", NO_DIFF),
    ("copy text onto a directory (apply)", "diff", NO_DIFF),
    ("file with a wrong mode (apply)", "*", "ours finds it before the machine is asked"),
    (
        "git brings up to date (apply)",
        "remote_url_changed",
        "theirs has set the URL in check mode already, for the diff",
    ),
    ("git without a source (apply)", "cmd", "ours clones without asking for branches first"),
];

const NO_DIFF: &str = "a failure of ours has no diff, since nothing changes";

/// Return values that differ from run to run: compared is only whether they are there.
const VOLATILE: &[&str] = &[
    "backup_file",
    "delta",
    "diff.before.mtime",
    "elapsed",
    "end",
    "start",
    "stat.atime",
    "stat.ctime",
    "stat.inode",
    "stat.mtime",
    "stat.version",
];

/// Return values that say how an engine went about it.
const OWN: &[&str] = &[
    "ansible_facts.discovered_interpreter_python",
    "deprecations",
    "exception",
    "failed",
    "invocation",
    "skipped",
    "warnings",
];

/// One task of one play: how it ended and what it returned.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    play: String,
    task: String,
    status: String,
    result: Map<String, Value>,
}

/// The task and its play, the return value, and how the two differ.
type Difference = (String, String, String);

#[test]
fn modules_do_and_tell_what_they_do_and_tell_in_ansible() {
    let (directory, server) = (tempfile::tempdir().unwrap(), server::start());
    let root = Utf8Path::from_path(directory.path()).unwrap();
    let source = place::repository(root);
    let playbook = playbook(root);
    let at = root.join("place");
    let port = server.rsplit_once(':').unwrap().1;
    let variables = json!({"place": at, "source": source, "server": server, "port": port});

    place::prepare(&at, &source);
    let theirs = ansible(root, &playbook, &variables);
    let their_tree = place::tree(&at);
    place::prepare(&at, &source);
    let ours = native(root, &playbook, &variables);
    let our_tree = place::tree(&at);

    let mut found = Vec::new();
    compare(&theirs, &ours, &mut found);
    compare_trees(&their_tree, &our_tree, &mut found);
    let failures = unexpected(&found);
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// The differences that are not known, and the known ones that are none any more.
fn unexpected(found: &[Difference]) -> Vec<String> {
    let is =
        |known: &(&str, &str, &str), found: &Difference| known.0 == found.0 && (known.1 == "*" || known.1 == found.1);
    let new = found.iter().filter(|found| !KNOWN.iter().any(|known| is(known, found)));
    let mut failures: Vec<_> = new.map(|(task, value, text)| format!("{task}: {value}: {text}")).collect();
    for known in KNOWN.iter().filter(|known| !found.iter().any(|found| is(known, found))) {
        failures.push(format!("{}: {}: no difference any more; remove it from KNOWN", known.0, known.1));
    }
    failures
}

/// Three plays over all tasks of all modules.
fn playbook(root: &Utf8Path) -> Utf8PathBuf {
    let entries = modules_directory().read_dir_utf8().unwrap();
    let mut tasks: Vec<_> = entries.map(|entry| entry.unwrap().path().join("tasks.yml")).collect();
    tasks.retain(|path| path.exists());
    tasks.sort();
    assert!(tasks.len() >= 14, "{tasks:?}");
    let mut text = String::new();
    for (name, check) in [("check", true), ("apply", false), ("again", false)] {
        text += &format!("- name: {name}\n  hosts: all\n  gather_facts: false\n  check_mode: {check}\n  diff: true\n");
        // Tasks that fail need to do so once only: each costs the reference a good part of a second.
        text += &format!("  ignore_errors: true\n  vars: {{once: {}}}\n  tasks:\n", name == "apply");
        text.extend(tasks.iter().map(|path| format!("    - import_tasks: {path}\n")));
    }
    let path = root.join("site.yml");
    std::fs::write(&path, text).unwrap();
    path
}

fn modules_directory() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("modules")
}

fn ansible(root: &Utf8Path, playbook: &Utf8Path, variables: &Value) -> Vec<Told> {
    let venv = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin");
    let program = venv.join("ansible-playbook");
    assert!(program.exists(), "`{program}` is missing, the reference to compare with; run scripts/venv.sh");
    let record = root.join("record.jsonl");
    let output = Command::new(program)
        .args(["-i", "localhost,", "-c", "local", "-e", &variables.to_string(), playbook.as_str()])
        .current_dir(root)
        .env("CONFORMANCE_RECORD", &record)
        .env("ANSIBLE_STDOUT_CALLBACK", "record")
        .env("ANSIBLE_CALLBACK_PLUGINS", modules_directory().join("callback"))
        .env("ANSIBLE_PYTHON_INTERPRETER", venv.join("python"))
        .env("ANSIBLE_LOCALHOST_WARNING", "false")
        .env("ANSIBLE_PIPELINING", "true")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "ansible-playbook failed:\n{said}");
    let lines = std::fs::read_to_string(&record).unwrap();
    lines.lines().map(|line| told(&serde_json::from_str(line).unwrap())).collect()
}

fn told(line: &Value) -> Told {
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    let result = line["result"].as_object().unwrap().clone();
    Told { play: text("play"), task: text("task"), status: text("status"), result }
}

fn native(root: &Utf8Path, path: &Utf8Path, variables: &Value) -> Vec<Told> {
    let hosts = root.join("hosts.ini");
    std::fs::write(&hosts, "localhost ansible_connection=local\n").unwrap();
    let inventory = Arc::new(inventory::Inventory::load(&[hosts]).unwrap());
    let loaded = playbook::Playbook::load(path, &playbook::Sources::default()).unwrap();
    let extra_vars = playbook::extra_vars([variables.to_string().as_str()]).unwrap();
    let options = playbook::Options { extra_vars, ..playbook::Options::default() };
    let heard = Mutex::new((String::new(), Vec::new()));
    let hear = |event: Event| {
        let mut heard = heard.lock().unwrap();
        match event {
            Event::PlayStarted { play, .. } => heard.0 = play,
            Event::TaskFinished { task, status, result, .. } => {
                let play = heard.0.clone();
                heard.1.push(Told { play, task, status: word(status).to_owned(), result });
            }
            _ => {}
        }
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cancel = tokio_util::sync::CancellationToken::new();
    runtime.block_on(playbook::run(&loaded, &inventory, &options, &hear, cancel)).unwrap();
    heard.into_inner().unwrap().1
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Changed => "changed",
        Status::Skipping => "skipped",
        Status::Failed | Status::Ignored | Status::Rescued => "failed",
        Status::Unreachable => "unreachable",
    }
}

fn compare(theirs: &[Told], ours: &[Told], found: &mut Vec<Difference>) {
    let names = |told: &[Told]| told.iter().map(|told| format!("{} {}", told.play, told.task)).collect::<Vec<_>>();
    assert_eq!(names(theirs), names(ours), "not the same tasks ran");
    for (theirs, ours) in theirs.iter().zip(ours) {
        if theirs.result.contains_key("skip_reason") && ours.status == "skipped" {
            continue;
        }
        let task = format!("{} ({})", theirs.task, theirs.play);
        let mut differ = |value: &str, text: String| found.push((task.clone(), value.to_owned(), text));
        if theirs.status != ours.status {
            let why = ours.result.get("msg").or(theirs.result.get("msg")).cloned().unwrap_or_default();
            differ("status", format!("ansible {}, ours {}: {why}", theirs.status, ours.status));
        }
        let (theirs, ours) = (values(&theirs.result), values(&ours.result));
        for name in theirs.keys().chain(ours.keys().filter(|name| !theirs.contains_key(*name))) {
            let shown = |side: &BTreeMap<String, Value>| side.get(name).map_or("nothing".to_owned(), Value::to_string);
            if theirs.get(name) != ours.get(name) {
                differ(name, format!("ansible {}, ours {}", shown(&theirs), shown(&ours)));
            }
        }
    }
}

/// The return values by their paths.
fn values(result: &Map<String, Value>) -> BTreeMap<String, Value> {
    let mut flat = BTreeMap::new();
    flatten("", &Value::Object(result.clone()), &mut flat);
    for name in OWN {
        flat.retain(|path, _| path != name && !path.starts_with(&format!("{name}.")));
    }
    for name in VOLATILE {
        if let Some(value) = flat.get_mut(*name) {
            // A time that was not taken is told apart from one that was.
            *value = Value::from(if value.is_null() { "null" } else { "any" });
        }
    }
    // Where content came to the machine is each engine's own affair.
    let is_temporary = |value: &Value| {
        value.as_str().is_some_and(|src| ["/.ansible/tmp/", "/.cluster-"].iter().any(|part| src.contains(part)))
    };
    if flat.get("src").is_some_and(is_temporary) {
        flat.insert("src".to_owned(), "temporary".into());
    }
    let header = flat.get_mut("diff").and_then(|diff| diff.get_mut(0)?.get_mut("after_header"));
    if let Some(header) = header {
        // Theirs names the temporary file that the template was rendered into, ours the template.
        if let Some((folder, name)) = header.as_str().and_then(|path| path.rsplit_once('/'))
            && (folder.contains("/.ansible/tmp/") || folder.ends_with("/template/templates"))
        {
            *header = Value::from(name);
        }
    }
    flat
}

/// Mappings are taken apart, so that a difference names its place; lists are not.
fn flatten(at: &str, value: &Value, flat: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                flatten(&path, value, flat);
            }
        }
        other => drop(flat.insert(at.to_owned(), other.clone())),
    }
}

fn compare_trees(theirs: &BTreeMap<String, String>, ours: &BTreeMap<String, String>, found: &mut Vec<Difference>) {
    for path in theirs.keys().chain(ours.keys().filter(|path| !theirs.contains_key(*path))) {
        if theirs.get(path) != ours.get(path) {
            let text = format!("ansible {:?}, ours {:?}", theirs.get(path), ours.get(path));
            found.push(("the tree".to_owned(), path.clone(), text));
        }
    }
}
