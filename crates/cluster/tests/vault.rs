//! `cluster vault` as a process: files, standard streams, the editor, signals.

#![expect(clippy::disallowed_methods, reason = "tests start the program that they test")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A project with one vaulted service, and a password file.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("cluster.toml", "vault_password_file = \"password\"\n");
        project.write("password", "correct horse\n");
        let service =
            "name: hub\nsummary: a hub\ncategory: web\nphase: application\narchitectures: [amd64]\nvault: true\n";
        project.write("build/playbooks/hub/service.yml", service);
        project.write("build/playbooks/hub/build.yml", "- hosts: all\n");
        project.write("build/playbooks/hub/cfg.example.yml", "# From the administrator\npub_key:\nsub_key:\n");
        project.write("build/charts/hub/Chart.yaml", "apiVersion: v2\nname: hub\nversion: 0.1.0\n");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// An editor: a script that is given the file as `$1`.
    fn editor(&self, script: &str) -> String {
        let path = self.write("editor.sh", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// `cluster vault …`
    fn vault(&self, arguments: &[&str]) -> Command {
        self.cluster(&[&["vault"], arguments].concat())
    }

    /// `cluster …` without the settings of whoever runs the tests, and without a terminal.
    fn cluster(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        let ours = |name: &str| ["ANSIBLE_", "CLUSTER_"].iter().any(|p| name.starts_with(p)) || name == "EDITOR";
        std::env::vars().map(|(name, _)| name).filter(|name| ours(name)).for_each(|name| {
            command.env_remove(name);
        });
        // Nothing but this test's own files is looked for in there afterwards.
        command.env("XDG_RUNTIME_DIR", self.0.path()).env("TMPDIR", self.0.path());
        command
    }

    fn done(&self, arguments: &[&str]) -> String {
        succeeded(&self.vault(arguments).output().unwrap())
    }
}

fn succeeded(ended: &Output) -> String {
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

fn failed(ended: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{said}");
    said
}

fn with_input(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// Private directories that an editor's file was in.
fn left_behind(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("cluster-vault-")).collect()
}

#[test]
fn a_file_is_encrypted_shown_and_decrypted_where_it_stands() {
    let project = Project::new();
    let path = project.write("secrets.yml", "token: hunter2\n");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(project.done(&["encrypt", "secrets.yml"]), "");
    assert!(project.read("secrets.yml").starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(project.done(&["view", "secrets.yml"]), "token: hunter2\n");
    let again = failed(&project.vault(&["encrypt", "secrets.yml"]).output().unwrap(), 2);
    assert!(again.contains("`secrets.yml` is encrypted already"), "{again}");
    project.done(&["decrypt", "secrets.yml"]);
    assert_eq!(project.read("secrets.yml"), "token: hunter2\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "plaintext is for its owner alone");
}

#[test]
fn bytes_go_through_streams_as_they_are() {
    let project = Project::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let encrypted = with_input(project.vault(&["encrypt"]), &bytes);
    succeeded(&encrypted);
    let decrypted = with_input(project.vault(&["decrypt"]), &encrypted.stdout);
    succeeded(&decrypted);
    assert_eq!(decrypted.stdout, bytes);
}

#[test]
fn a_string_becomes_a_value_for_yaml_and_never_comes_from_the_command_line() {
    let project = Project::new();
    let ended = with_input(project.vault(&["encrypt-string", "--name", "db"]), b"hunter2");
    assert!(succeeded(&ended).starts_with("db: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n"));
    let refused = failed(&project.vault(&["encrypt-string", "hunter2"]).output().unwrap(), 2);
    assert!(refused.contains("a value on the command line") && !refused.contains("hunter2"), "{refused}");
    let empty = failed(&project.vault(&["encrypt-string"]).output().unwrap(), 2);
    assert!(empty.contains("the value is empty"), "{empty}");
}

#[test]
fn labels_choose_the_format_and_the_password() {
    let project = Project::new();
    project.write("prod", "battery staple\n");
    project.write("a", "one\n");
    let ids = ["--vault-id", "dev@password", "--vault-id", "prod@prod"];
    let ambiguous = failed(&project.vault(&[&["encrypt", "a"][..], &ids].concat()).output().unwrap(), 2);
    assert!(ambiguous.contains("dev") && ambiguous.contains("prod"), "{ambiguous}");
    project.done(&[&["encrypt", "a", "--encrypt-vault-id", "prod"][..], &ids].concat());
    assert!(project.read("a").starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    let wrong = failed(&project.vault(&["view", "a"]).output().unwrap(), 2);
    assert!(wrong.contains("`a`"), "{wrong}");
    let list = project.vault(&["view", "a"]).env("ANSIBLE_VAULT_IDENTITY_LIST", "dev@password,prod@prod").output();
    assert_eq!(succeeded(&list.unwrap()), "one\n");
}

#[test]
fn rekey_writes_nothing_unless_everything_can_be_read() {
    let project = Project::new();
    project.write("new", "battery staple\n");
    project.write("a", "one\n");
    project.done(&["encrypt", "a"]);
    project.write("b", "plain\n");
    let before = project.read("a");
    let refused = failed(&project.vault(&["rekey", "a", "b", "--new-vault-password-file", "new"]).output().unwrap(), 2);
    assert!(refused.contains("`b` is not encrypted"), "{refused}");
    assert_eq!(project.read("a"), before);
    project.done(&["rekey", "a", "--new-vault-password-file", "new"]);
    failed(&project.vault(&["view", "a"]).output().unwrap(), 2);
    assert_eq!(project.done(&["view", "a", "--vault-password-file", "new"]), "one\n");
}

#[test]
fn the_editor_changes_a_file_and_leaves_nothing_behind() {
    let project = Project::new();
    project.write("secrets.yml", "token: hunter2\n");
    project.done(&["encrypt", "secrets.yml"]);
    let before = project.read("secrets.yml");
    let unchanged = project.vault(&["edit", "secrets.yml"]).env("EDITOR", "true").output().unwrap();
    succeeded(&unchanged);
    assert_eq!(project.read("secrets.yml"), before, "an unchanged file keeps its bytes");
    let editor = project.editor("stat -c %a \"$1\" >mode; echo 'more: 1' >>\"$1\"; cp \"$1\" \"$1~\"");
    succeeded(&project.vault(&["edit", "secrets.yml"]).env("EDITOR", editor).output().unwrap());
    assert_eq!(project.read("mode"), "600\n");
    assert_eq!(project.done(&["view", "secrets.yml"]), "token: hunter2\nmore: 1\n");
    assert_eq!(left_behind(project.0.path()), [] as [PathBuf; 0]);
}

#[test]
fn an_editor_that_crashes_changes_nothing() {
    let project = Project::new();
    project.write("secrets.yml", "token: hunter2\n");
    project.done(&["encrypt", "secrets.yml"]);
    let before = project.read("secrets.yml");
    for (script, ended) in [("echo lost >\"$1\"; kill -9 $$", "signal 9"), ("echo lost >\"$1\"; exit 3", "code 3")] {
        let editor = project.editor(&format!("dirname \"$1\" >place; {script}"));
        let said = failed(&project.vault(&["edit", "secrets.yml"]).env("EDITOR", editor).output().unwrap(), 1);
        assert!(said.contains(ended), "{said}");
        assert!(!Path::new(project.read("place").trim()).exists());
    }
    assert_eq!(project.read("secrets.yml"), before);
}

#[test]
fn what_was_typed_is_not_lost_when_it_can_not_be_written() {
    let project = Project::new();
    let created =
        project.vault(&["create", "new/folder/a.yml"]).env("EDITOR", project.editor("echo a: 1 >\"$1\"")).output();
    succeeded(&created.unwrap());
    assert_eq!(project.done(&["view", "new/folder/a.yml"]), "a: 1\n");
    let editor = project.editor("echo typed: 1 >\"$1\"; rm a.yml; mkdir a.yml");
    project.write("a.yml", "a: 1\n");
    project.done(&["encrypt", "a.yml"]);
    let said = failed(&project.vault(&["edit", "a.yml"]).env("EDITOR", editor).output().unwrap(), 1);
    let place = said
        .split("what you typed is in ")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .unwrap_or_else(|| panic!("{said}"));
    assert_eq!(fs::read_to_string(place).unwrap(), "typed: 1\n");
    fs::remove_dir_all(Path::new(place).parent().unwrap()).unwrap();
    let gone = failed(&project.vault(&["create", "b.yml"]).env("EDITOR", "rm").output().unwrap(), 1);
    assert!(gone.contains("the editor removed its file"), "{gone}");
}

#[test]
fn being_told_to_end_ends_the_editor_and_removes_its_file() {
    [Signal::TERM, Signal::HUP, Signal::QUIT].into_iter().for_each(told_to_end_by);
}

fn told_to_end_by(signal: Signal) {
    let project = Project::new();
    project.write("secrets.yml", "token: hunter2\n");
    project.done(&["encrypt", "secrets.yml"]);
    let editor = project.editor("echo \"$1\"; exec sleep 600");
    let mut child = project
        .vault(&["edit", "secrets.yml"])
        .env("EDITOR", editor)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut file = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut file).unwrap();
    assert!(Path::new(file.trim()).exists());
    kill_process(Pid::from_child(&child), signal).unwrap();
    failed(&child.wait_with_output().unwrap(), 130);
    assert!(!Path::new(file.trim()).parent().unwrap().exists());
}

#[test]
fn a_service_gets_its_configuration_from_the_example() {
    let project = Project::new();
    let create = |editor: &str| project.vault(&["create", "hub"]).env("EDITOR", editor).output().unwrap();
    let unfilled = failed(&create("true"), 2);
    assert!(unfilled.contains("the example was left as it is"), "{unfilled}");
    let editor = project.editor("sed -i 's/^pub_key:.*/pub_key: hunter2/; /^sub_key/d' \"$1\"");
    let created = create(&editor);
    succeeded(&created);
    let said = String::from_utf8_lossy(&created.stderr);
    assert!(said.contains("lacks the key `sub_key`") && !said.contains("hunter2"), "{said}");
    assert!(project.done(&["view", "hub"]).ends_with("pub_key: hunter2\n"));
    let exists = failed(&create("true"), 2);
    assert!(exists.contains("`build/playbooks/hub/cfg.enc` exists already"), "{exists}");
}

#[test]
fn playbooks_and_inventories_read_what_is_encrypted_and_do_not_show_it() {
    let project = Project::new();
    project.write("hosts.ini", "[all]\nlocalhost ansible_connection=local\n");
    project.write("group_vars/all.yml", "long: correct horse battery\nshort: zq9x\n");
    project.write("extra.yml", "extra: staple staple\n");
    project.done(&["encrypt", "group_vars/all.yml", "extra.yml"]);
    let task = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.shell: test '{{ long }}|{{ short }}|{{ extra }}' = 'correct horse battery|zq9x|staple staple'\n";
    project.write("site.yml", task);
    let run = |arguments: &[&str]| project.cluster(arguments).args(["-i", "hosts.ini"]).output().unwrap();
    let shown = run(&["playbook", "run", "site.yml", "-e", "@extra.yml", "-vvv", "--diff"]);
    let said = succeeded(&shown) + &String::from_utf8_lossy(&shown.stderr);
    assert!(said.contains("changed=1"), "{said}");
    for secret in ["correct horse", "zq9x", "staple"] {
        // The task's own source is shown with its place, and holds the words: they are no secret there.
        let leaks: Vec<_> = said.lines().filter(|line| line.contains(secret) && !line.contains("{{ long }}")).collect();
        assert_eq!(leaks, [] as [&str; 0], "{said}");
    }
    let host = succeeded(&run(&["inventory", "host", "localhost"]));
    assert!(!host.contains("correct horse") && !host.contains("zq9x"), "{host}");
    project.write("cluster.toml", "");
    let refused = failed(&run(&["inventory", "host", "localhost"]), 2);
    assert!(refused.contains("group_vars/all.yml") && refused.contains("--vault-password-file"), "{refused}");
}

#[test]
fn without_a_terminal_and_a_source_the_answer_comes_at_once() {
    let project = Project::new();
    project.write("cluster.toml", "");
    project.write("a", "one\n");
    let said = failed(&project.vault(&["encrypt", "a"]).output().unwrap(), 2);
    assert!(said.contains("there is no terminal") && said.contains("--vault-password-file"), "{said}");
    let said = failed(&project.vault(&["create", "x", "-J"]).output().unwrap(), 2);
    assert!(said.contains("there is no terminal"), "{said}");
    let editor = failed(&project.vault(&["create", "x", "--vault-password-file", "password"]).output().unwrap(), 2);
    assert!(editor.contains("there is no terminal for the editor"), "{editor}");
}

/// A repository with all that `status` tells apart.
fn mixed() -> Project {
    let project = Project::new();
    project.write(".git/HEAD", "ref: refs/heads/main\n");
    project.write(".gitignore", "/prod\n/local/\n");
    project.write("prod", "battery staple\n");
    project.write("notes.enc", "a: 1\n");
    project.write("group_vars/all.yml", "plain: 1\n");
    project.done(&["encrypt", "notes.enc", "--vault-id", "prod@prod", "--encrypt-vault-id", "prod"]);
    let value = with_input(project.vault(&["encrypt-string", "--name", "db_password"]), b"hunter2");
    project.write("group_vars/all.yml", &format!("plain: 1\n{}", succeeded(&value)));
    project.write("local/secrets.yml", "password: hunter2\n");
    project
}

#[test]
fn status_lists_what_is_encrypted_and_what_is_missing() {
    let project = mixed();
    project.write("build/playbooks/hub/values.yml.enc", "$ANSIBLE_VAULT;1.1;AES256\n6z\n");
    fs::set_permissions(project.path("password"), Permissions::from_mode(0o700)).unwrap();
    project.write("password", "#!/bin/sh\necho correct horse\n");
    let table = "\
ENCRYPTED                            VALUE         FORMAT    ID     SERVICES    OPENS
build/playbooks/hub/values.yml.enc   -             damaged   -      hub         no
group_vars/all.yml:2                 db_password   1.1       -      inventory   yes
notes.enc                            -             1.2       prod   -           no

MISSING                       SERVICE   HINT
build/playbooks/hub/cfg.enc   hub       run `cluster vault create hub`
";
    let ended = project.vault(&["status"]).output().unwrap();
    assert_eq!(succeeded(&ended), table);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.starts_with("warning: `build/playbooks/hub/values.yml.enc` is damaged: "), "{said}");
    assert_eq!(said.lines().count(), 1, "and all is not well: {said}");
    fs::remove_file(project.path("build/playbooks/hub/values.yml.enc")).unwrap();
    let well = project.vault(&["status"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&well.stderr), "no secrets in plain text\n");
    let opened = project.done(&["status", "notes.enc", "--vault-id", "x@prod"]);
    assert!(opened.ends_with("notes.enc   -       1.2      prod   -          yes\n"), "{opened}");
    project.write("cluster.toml", "");
    let unasked = project.done(&["status", "notes.enc", "-J"]);
    assert!(unasked.ends_with("notes.enc   -       1.2      prod   -          -\n"), "{unasked}");
}

#[test]
fn status_finds_a_binary_file_that_should_be_encrypted() {
    let project = mixed();
    fs::write(project.path("build/playbooks/hub/cfg.enc"), [0xff, 0, 1]).unwrap();
    let ended = project.vault(&["status", "hub"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(said.contains("build/playbooks/hub/cfg.enc:1:1   a file that should be encrypted and is not"), "{said}");
}

#[test]
fn paths_in_mistakes_of_the_catalogue_are_as_one_writes_them() {
    let project = mixed();
    project.write("cluster.toml", "");
    project.write("build/playbooks/hub/service.yml", "name: hub\n");
    let mut list = Command::new(env!("CARGO_BIN_EXE_cluster"));
    let said = failed(&list.args(["catalog", "list"]).current_dir(project.0.path()).output().unwrap(), 2);
    assert!(said.contains("build/playbooks/hub/service.yml:1"), "{said}");
    assert!(!said.contains(project.0.path().to_str().unwrap()) && !said.contains("./build"), "{said}");
}

#[test]
fn status_finds_secrets_in_plain_text_without_showing_them() {
    let project = mixed();
    project.write("build/playbooks/hub/cfg.enc", "pub_key: zq9x\n");
    project.write("app/values.yml", "auth:\n  user: app\n  password: hunter2\n");
    let ended = project.vault(&["status", "app", "hub", "password"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stdout);
    let cells = |line| str::split(line, "   ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
    let lines: Vec<_> = said.lines().map(cells).collect();
    let hint = "run `cluster vault encrypt-string --name password --prompt` for this value, or `cluster vault encrypt app/values.yml`";
    let expected = [
        ["PLAIN TEXT", "WHAT", "HINT"],
        ["app/values.yml:3:13", "a value under `password`", hint],
        [
            "build/playbooks/hub/cfg.enc:1:1",
            "a file that should be encrypted and is not",
            "run `cluster vault encrypt build/playbooks/hub/cfg.enc`",
        ],
        [
            "password:1:1",
            "a file with a vault password",
            "keep it outside of the repository, or name it in .gitignore: password",
        ],
    ];
    assert_eq!(lines, expected, "{said}");
    let objects = project.vault(&["status", "--output", "json"]).output().unwrap();
    let told = String::from_utf8_lossy(&objects.stdout);
    assert!(!told.contains("hunter2") && !told.contains("zq9x") && !told.contains("local/"), "{told}");
    let states: Vec<&str> = told.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
    assert_eq!(states, ["encrypted", "encrypted", "plaintext", "plaintext", "plaintext"], "{told}");
    assert!(told.starts_with(
        r#"{"state":"encrypted","file":"group_vars/all.yml","line":2,"name":"db_password","format":"1.1","id":null,"services":["inventory"],"opens":true,"problem":null}"#
    ), "{told}");
    let missing = failed(&project.vault(&["status", "nowhere"]).output().unwrap(), 2);
    assert!(missing.contains("there is no file, folder or service `nowhere`"), "{missing}");
}
