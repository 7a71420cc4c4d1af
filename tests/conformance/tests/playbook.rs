//! Every playbook of `tests/conformance/playbook/cases` through ansible-core and through ours: which task ended how on which
//! host, in which order and with which result, the recap and the exit code. `# options:` in the first line gives arguments.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use camino::{Utf8Path, Utf8PathBuf};
use inventory::Inventory;
use libtest_mimic::{Arguments, Failed, Trial};
use playbook::event::{Event, Status};
use playbook::{Options, Playbook, Sources};
use serde_json::{Map, Value, json};
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// What is different on purpose, by case and task, and why. An entry that is no longer true fails the test.
const KNOWN: [(&str, &str, &str); 0] = [];

/// Keys of results that differ from run to run, or that only one of the two has.
const VOLATILE: [&str; 9] = [
    "start",
    "end",
    "delta",
    "invocation",
    "exception",
    "warnings",
    "deprecations",
    "cmd",
    "failed_when_suppressed_exception",
];

fn main() {
    let arguments = Arguments::from_args();
    let mut cases: Vec<Utf8PathBuf> = std::fs::read_dir(folder().join("cases"))
        .unwrap()
        .map(|entry| Utf8PathBuf::from_path_buf(entry.unwrap().path()).unwrap())
        .collect();
    cases.sort();
    let trial = |path: Utf8PathBuf| Trial::test(path.file_stem().unwrap().to_owned(), move || compare(&path));
    libtest_mimic::run(&arguments, cases.into_iter().map(trial).collect()).exit();
}

fn folder() -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("playbook")
}

fn compare(case: &Utf8Path) -> Result<(), Failed> {
    let options = options(case);
    let (theirs, their_code) = reference(case, &options);
    let (ours, our_code) = ours(case, &options);
    let name = case.file_stem().unwrap();
    let mut differences = Vec::new();
    if our_code != their_code {
        differences.push(format!("exit code\n  ours:    {our_code}\n  ansible: {their_code}"));
    }
    let known: Vec<&str> = KNOWN.iter().filter(|(of, ..)| *of == name).map(|(_, task, _)| *task).collect();
    let mut unused = known.clone();
    for index in 0..ours.len().max(theirs.len()) {
        let (our, their) = (ours.get(index), theirs.get(index));
        if our == their {
            continue;
        }
        let task = our.or(their).and_then(|record| record["task"].as_str()).unwrap_or_default();
        if known.contains(&task) {
            unused.retain(|known| *known != task);
            continue;
        }
        let show = |record: Option<&Value>| record.map_or_else(|| "nothing".to_owned(), Value::to_string);
        differences.push(format!("record {index}\n  ours:    {}\n  ansible: {}", show(our), show(their)));
        if our.map(|our| [&our["host"], &our["task"]]) != their.map(|their| [&their["host"], &their["task"]]) {
            differences.push("… and what follows, since the order differs".to_owned());
            break;
        }
    }
    differences.extend(unused.iter().map(|task| format!("`{task}` is listed as known, and no longer differs")));
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

/// The arguments in the first line.
fn options(case: &Utf8Path) -> Vec<String> {
    let text = std::fs::read_to_string(case).unwrap();
    let line = text.lines().next().unwrap().strip_prefix("# options: ").unwrap_or_default();
    line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn reference(case: &Utf8Path, options: &[String]) -> (Vec<Value>, u8) {
    let program = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.tools/venv/bin/ansible-playbook");
    assert!(program.exists(), "{program} is missing: run `make tools`");
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join("ansible.cfg");
    std::fs::write(&settings, "").unwrap();
    let output = Command::new(program)
        .args(["-i", folder().join("hosts.ini").as_str(), case.as_str()])
        .args(options)
        .current_dir(folder())
        .env("ANSIBLE_CALLBACK_PLUGINS", folder().join("callbacks"))
        .env("ANSIBLE_STDOUT_CALLBACK", "record")
        .env("ANSIBLE_LOCALHOST_WARNING", "false")
        .env("ANSIBLE_HOST_KEY_CHECKING", "true")
        .env("ANSIBLE_LOCAL_TEMP", home.path())
        .env("ANSIBLE_CONFIG", settings)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let records: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("RECORD "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!records.is_empty(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    (normalized(without_gathering(records)), u8::try_from(output.status.code().unwrap()).unwrap())
}

/// Ours asks for facts when a template needs one; ansible-core always, by a task of its own.
fn without_gathering(records: Vec<Value>) -> Vec<Value> {
    let (gathered, mut rest): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record["task"] == "Gathering Facts");
    let recap = rest.last_mut().unwrap().get_mut("recap").unwrap();
    for record in gathered {
        let ok = &mut recap[record["host"].as_str().unwrap()]["ok"];
        *ok = json!(ok.as_u64().unwrap() - 1);
    }
    rest
}

fn ours(case: &Utf8Path, arguments: &[String]) -> (Vec<Value>, u8) {
    let playbook = Playbook::load(case, &Sources::default()).unwrap();
    let report = playbook::check(&playbook);
    assert!(report.is_runnable(), "{report:#?}");
    let inventory = Arc::new(Inventory::load(&[folder().join("hosts.ini")]).unwrap());
    let records = Mutex::new(Vec::new());
    let tell = |event: Event| records.lock().unwrap().extend(record(event));
    let options = read(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome =
        runtime.block_on(playbook::run(&playbook, &inventory, &options, &tell, CancellationToken::new())).unwrap();
    let records = records.into_inner().unwrap();
    (normalized(records), outcome.exit_code())
}

fn read(arguments: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut list = || words.next().unwrap().split(',').map(str::to_owned).collect::<Vec<_>>();
        match word.as_str() {
            "--tags" => options.tags = list(),
            "--skip-tags" => options.skip_tags = list(),
            "--check" => options.check = true,
            "--start-at-task" => options.start_at_task = words.next().cloned(),
            "-e" => options.extra_vars = playbook::extra_vars([words.next().unwrap().as_str()]).unwrap(),
            other => panic!("{other}"),
        }
    }
    options
}

/// An event as the reference's callback records it.
fn record(event: Event) -> Option<Value> {
    Some(match event {
        Event::TaskFinished { host, task, status, mut result, .. } => {
            // ansible-core tells a host that was not reached as such, also when that is ignored.
            let unreachable = result.get("unreachable") == Some(&json!(true));
            // The callback's results lack these, since the status says it.
            result.shift_remove("failed");
            result.shift_remove("skipped");
            let status = match status {
                Status::Ok => "ok",
                Status::Changed => "changed",
                Status::Skipping => "skipping",
                Status::Failed | Status::Rescued => "failed",
                Status::Unreachable => "unreachable",
                Status::Ignored if unreachable => "unreachable",
                Status::Ignored => "ignored",
            };
            json!({"host": host, "task": task, "status": status, "result": result})
        }
        Event::Included { file, mut hosts, .. } => {
            hosts.sort();
            json!({"task": format!("include {}", Utf8Path::new(&file).file_name().unwrap()), "hosts": hosts})
        }
        Event::Recap { hosts, .. } => json!({"recap": hosts}),
        _ => return None,
    })
}

/// Records without what differs by chance: hosts come in the order of their results.
fn normalized(mut records: Vec<Value>) -> Vec<Value> {
    let mut begin = 0;
    for index in 1..=records.len() {
        let same = index < records.len()
            && records[index]["task"] == records[begin]["task"]
            && !records[index]["host"].is_null();
        if !same {
            records[begin..index].sort_by_key(|record| record["host"].to_string());
            begin = index;
        }
    }
    for record in &mut records {
        if let Some(recap) = record.get_mut("recap").and_then(Value::as_object_mut) {
            recap.values_mut().for_each(rename);
            continue;
        }
        let failed = ["failed", "ignored", "unreachable"].iter().any(|status| record["status"] == *status);
        if let Some(result) = record.get_mut("result").and_then(Value::as_object_mut) {
            clean(result, failed);
        }
    }
    records
}

/// ansible-core's names for the counts of a host.
fn rename(counts: &mut Value) {
    let counts = counts.as_object_mut().unwrap();
    for (theirs, ours) in [("failures", "failed"), ("ok", "ok")] {
        if let Some(count) = counts.remove(theirs) {
            counts.insert(ours.to_owned(), count);
        }
    }
}

/// Drops what differs from run to run. The words of failures are each engine's own.
fn clean(result: &mut Map<String, Value>, failed: bool) {
    result.retain(|key, _| !VOLATILE.contains(&key.as_str()) && !key.starts_with("_ansible"));
    if failed && result.get("rc").is_none() {
        for key in ["msg", "reason", "changed", "changed_when_result", "failed_when_result", "include", "include_args"]
        {
            result.remove(key);
        }
    }
    for item in result.get_mut("results").and_then(Value::as_array_mut).into_iter().flatten() {
        let failed = item["failed"] == json!(true);
        if let Some(item) = item.as_object_mut() {
            clean(item, failed);
        }
    }
}
