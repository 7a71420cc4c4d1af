//! What files of cases can not say: closed pipes, escape codes, signals, and the other engine as a process.

#![expect(clippy::disallowed_methods, reason = "tests start the program that they test")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inputs/project");

/// `cluster` in the small project, without the settings of whoever runs the tests.
fn cluster(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.args(arguments).current_dir(PROJECT).stdin(Stdio::null());
    let ours =
        |name: &str| ["ANSIBLE_", "CLUSTER_", "CLICOLOR", "NO_COLOR", "KUBECONFIG"].iter().any(|p| name.starts_with(p));
    std::env::vars().map(|(name, _)| name).filter(|name| ours(name)).for_each(|name| {
        command.env_remove(name);
    });
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    for arguments in
        [&["catalog", "list"][..], &["--help"], &["completion", "bash"], &["catalog", "list", "--output", "json"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = cluster(arguments).stdout(writer).output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {} {}", ended.status, text(&ended.stderr));
        assert_eq!(text(&ended.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_told() {
    for arguments in [
        &["catalog", "list"][..],
        &["catalog", "show", "web", "--output", "json"],
        &["inventory", "list"],
        &["completion", "bash"],
        &["version"],
        &["--help"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = cluster(arguments).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        let said = text(&ended.stderr);
        assert!(said.contains("error: standard output could not be written\n  because No space left"), "{said}");
    }
}

/// Every kind of output: results, errors with a place, logs of the libraries.
const COLOURFUL: [&[&str]; 3] = [
    &["playbook", "run", "playbooks/states.yml", "-i", "localhost,", "-c", "local", "-vvv"],
    &["playbook", "check", "playbooks/mistakes.yml"],
    &["catalog", "show", "databse"],
];

#[test]
fn there_are_no_escape_codes_without_a_terminal() {
    for arguments in COLOURFUL {
        let Output { stdout, stderr, .. } = cluster(arguments).env("CLUSTER_LOG", "trace").output().unwrap();
        assert!(!stdout.contains(&0x1b) && !stderr.contains(&0x1b), "{arguments:?}: {}", text(&stderr));
        assert!(!stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn no_color_wins_over_a_wish_for_colour() {
    let forced = cluster(COLOURFUL[1]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(forced.stderr.contains(&0x1b), "colours can be asked for: {}", text(&forced.stderr));
    let refused = cluster(COLOURFUL[1]).env("NO_COLOR", "1").output().unwrap();
    assert!(!refused.stderr.contains(&0x1b));
}

#[test]
fn the_inventory_comes_from_the_flag_then_the_environment_then_the_file() {
    let graph = |flags: &[&str], environment: &str| {
        let ended =
            cluster(&["inventory", "graph"]).args(flags).env("ANSIBLE_INVENTORY", environment).output().unwrap();
        text(&ended.stdout)
    };
    assert!(graph(&["-i", "pi-9,"], "pi-7,pi-8").contains("--pi-9"));
    assert!(graph(&[], "pi-7,pi-8").contains("--pi-8"));
    let both = graph(&[], "inventory/hosts.yml,inventory/hosts.ini");
    assert!(both.contains("@edge") && both.contains("@workers"), "{both}");
    assert!(graph(&[], "").contains("@workers"));
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let ended = cluster(&["catalog", "list"]).env("CLUSTER_TARGET", "").env("CLUSTER_CONFIG", "").output().unwrap();
    assert!(ended.status.success(), "{}", text(&ended.stderr));
}

/// A playbook whose only task takes longer than anybody waits.
fn long_playbook(folder: &TempDir) -> String {
    let path = folder.path().join("long.yml");
    fs::write(&path, "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.command: sleep 600\n")
        .unwrap();
    path.to_str().unwrap().to_owned()
}

/// Reads standard error until a line has the text.
fn wait_for_line(child: &mut Child, wanted: &str) -> impl Read + use<> {
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the output ended before `{wanted}`");
    }
    lines
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn an_interrupted_playbook_ends_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let playbook = long_playbook(&folder);
    for kind in [Signal::INT, Signal::TERM] {
        let mut command = cluster(&["playbook", "run", &playbook, "-i", "localhost,", "-c", "local", "-vv"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut rest = wait_for_line(&mut child, "TASK");
        signal(&child, kind);
        let mut said = String::new();
        rest.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    }
}

/// A stand-in for `ansible-playbook`, and the `PATH` with which it is found.
fn stand_in(folder: &Path, script: &str) -> String {
    let path = folder.join("ansible-playbook");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display())
}

const OTHER_ENGINE: [&str; 7] = ["playbook", "run", "playbooks/roles.yml", "-i", "localhost,", "--check", "-v"];

#[test]
fn the_other_engine_has_its_own_output_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = stand_in(folder.path(), "echo \"told: $*\"\nexit 3");
    let ended = cluster(&OTHER_ENGINE).env("PATH", &path).output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    let told = "told: --inventory localhost, --forks 50 --timeout 10 --check -v playbooks/roles.yml\n";
    assert_eq!(text(&ended.stdout), told);
    assert_eq!(text(&ended.stderr), "1 thing in the playbook is left to `ansible-playbook`, which runs it whole\n");
}

#[test]
fn the_other_engine_does_not_write_between_lines_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = stand_in(folder.path(), "echo no json");
    let ended = cluster(&OTHER_ENGINE).args(["--output", "json"]).env("PATH", &path).output().unwrap();
    for line in text(&ended.stdout).lines() {
        assert!(line.starts_with("{\"event\":"), "{line}");
    }
    assert_eq!(text(&ended.stderr), "no json\n");
}

#[test]
fn a_signal_for_us_ends_the_other_engine_too() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let script = format!(
        "trap 'touch {}; exit 99' TERM\necho begun >&2\nexec 2>&-\nsleep 600 &\nid=$!\nwait $id",
        gone.display()
    );
    let path = stand_in(folder.path(), &script);
    let mut command = cluster(&OTHER_ENGINE);
    let mut child = command.env("PATH", &path).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let _rest = wait_for_line(&mut child, "begun");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(gone.exists(), "ansible-playbook was told to end");
}
