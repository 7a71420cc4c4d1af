//! Sources, precedence, selection and errors on real directories.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::Diagnose;
use inventory::{Decrypt, Error, Inventory};
use rstest::rstest;
use std::fs;
use std::sync::Arc;

/// A directory of files, gone at the end of the test.
struct Tree {
    directory: tempfile::TempDir,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self { directory: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            let path = tree.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        tree
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.directory.path()).unwrap().join(name)
    }

    fn load(&self, name: &str) -> Inventory {
        Inventory::load(&[self.path(name)]).unwrap()
    }
}

fn text<'a>(variables: &'a inventory::Variables, name: &str) -> &'a str {
    variables[name].as_str().unwrap()
}

#[test]
fn the_strongest_source_of_a_variable_wins() {
    let levels = [
        ("inventory/hosts.ini", "[g]\nh v=7 h7=1\n[all:vars]\nv=1\n[g:vars]\nv=2\n"),
        ("inventory/group_vars/all.yml", "v: 3\n"),
        ("play/group_vars/all.yml", "v: 4\n"),
        ("inventory/group_vars/g.yml", "v: 5\n"),
        ("play/group_vars/g.yml", "v: 6\n"),
        ("inventory/host_vars/h.yml", "v: 8\n"),
        ("play/host_vars/h.yml", "v: 9\n"),
    ];
    let value = |files: &[(&str, &str)]| {
        let tree = Tree::new(files);
        let variables = tree.load("inventory/hosts.ini").variables("h", Some(&tree.path("play"))).unwrap();
        variables["v"].to_data()
    };
    assert_eq!(value(&levels), 9);
    assert_eq!(value(&levels[..6]), 8);
    assert_eq!(value(&levels[..5]), 7, "a host's line beats every group's file");
    let without_host = ("inventory/hosts.ini", "[g]\nh\n[all:vars]\nv=1\n[g:vars]\nv=2\n");
    for (count, expected) in [(5, 6), (4, 5), (3, 4), (2, 3), (1, 2)] {
        let mut files = levels[..count].to_vec();
        files[0] = without_host;
        assert_eq!(value(&files), expected);
    }
}

#[test]
fn deeper_groups_win_then_priority_then_name() {
    let tree = Tree::new(&[(
        "hosts",
        "[b]\nh\n[a]\nh\n[c]\nh\n[top:children]\na\n[top:vars]\nv=top\nw=top\n[a:vars]\nv=a\n[b:vars]\nv=b\nw=b\nu=b\n\
         [c:vars]\nu=c\nansible_group_priority=-1\n",
    )]);
    let variables = tree.load("hosts").variables("h", None).unwrap();
    assert_eq!(text(&variables, "v"), "a", "`a` is one level deeper than `b`");
    assert_eq!(text(&variables, "w"), "top", "of one level, the later name");
    assert_eq!(text(&variables, "u"), "b", "priority beats the name");
}

#[test]
fn variable_files_are_found_as_ansible_finds_them() {
    let tree = Tree::new(&[
        ("hosts", "h1\nh2\nh3\n"),
        ("host_vars/h1/b.yml", "v: b\n"),
        ("host_vars/h1/a.json", "{\"v\": \"a\", \"w\": \"a\"}"),
        ("host_vars/h1/deep/x.yaml", "deep: yes\n"),
        ("host_vars/h1/.hidden.yml", "v: hidden\n"),
        ("host_vars/h1/old.yml~", "v: old\n"),
        ("host_vars/h1/note.md", "v: note\n"),
        ("host_vars/h1.yml", "v: beside\n"),
        ("host_vars/h2", "v: bare\n"),
        ("host_vars/h2.yml", "v: beside\n"),
        ("host_vars/h3.yaml", "v: yaml\n"),
    ]);
    let inventory = tree.load("hosts");
    let h1 = inventory.variables("h1", None).unwrap();
    assert_eq!((text(&h1, "v"), text(&h1, "w")), ("b", "a"));
    assert_eq!(h1["deep"].to_data(), true);
    assert_eq!(text(&inventory.variables("h2", None).unwrap(), "v"), "bare");
    let h3 = inventory.variables("h3", None).unwrap();
    assert_eq!(text(&h3, "v"), "yaml");
    assert!(h3["v"].position.to_string().ends_with("host_vars/h3.yaml:1:4"), "{}", h3["v"].position);
}

#[test]
fn variable_files_are_read_once() {
    let tree = Tree::new(&[("hosts", "h\n"), ("group_vars/all.yml", "v: 1\n")]);
    let inventory = tree.load("hosts");
    inventory.variables("h", None).unwrap();
    fs::write(tree.path("group_vars/all.yml"), "v: 2\n").unwrap();
    assert_eq!(inventory.variables("h", None).unwrap()["v"].to_data(), 1);
}

#[test]
fn mistakes_in_variable_files_are_told_with_their_place() {
    let tree =
        Tree::new(&[("hosts", "h\n"), ("group_vars/all.yml", "a: 1\n3: x\nyes: y\n"), ("host_vars/h.yml", "- a\n")]);
    let error = tree.load("hosts").variables("h", None).unwrap_err();
    let places: Vec<_> = error.parts().iter().map(|part| part.position().unwrap().line).collect();
    assert_eq!(places, [2, 3]);
    assert_eq!(error.exit().code(), 2);
}

#[test]
fn magic_variables_describe_the_host() {
    let tree = Tree::new(&[("hosts", "[web]\nw1.example.org\n192.0.2.7\n[top:children]\nweb\n")]);
    let inventory = tree.load("hosts");
    let variables = inventory.variables("w1.example.org", None).unwrap();
    assert_eq!(text(&variables, "inventory_hostname"), "w1.example.org");
    assert_eq!(text(&variables, "inventory_hostname_short"), "w1");
    assert_eq!(variables["group_names"].to_data(), serde_json::json!(["top", "web"]));
    assert_eq!(variables["groups"].to_data()["top"], serde_json::json!(["w1.example.org", "192.0.2.7"]));
    assert_eq!(text(&variables, "inventory_file"), tree.path("hosts"));
    assert_eq!(text(&variables, "inventory_dir"), tree.path("hosts").parent().unwrap());
    assert_eq!(text(&inventory.variables("192.0.2.7", None).unwrap(), "inventory_hostname_short"), "192.0.2.7");
}

#[test]
fn localhost_needs_no_inventory() {
    let tree = Tree::new(&[("hosts", "h\n[all:vars]\nv=1\n"), ("host_vars/localhost.yml", "w: 2\n")]);
    let inventory = tree.load("hosts");
    assert_eq!(inventory.select("localhost", None).unwrap().hosts, ["localhost"]);
    let variables = inventory.variables("localhost", None).unwrap();
    assert_eq!(text(&variables, "ansible_connection"), "local");
    assert_eq!((variables["v"].to_data(), variables["w"].to_data()), (1.into(), 2.into()));
    assert!(!inventory.hosts().any(|host| *host == "localhost"), "it is in no group, not even `all`");
}

#[test]
fn a_directory_is_several_sources_and_ignores_the_rest() {
    let tree = Tree::new(&[
        ("inv/10-a.ini", "[g]\na\n"),
        ("inv/20-b.yml", "g: {hosts: {b: }}\n"),
        ("inv/sub/c", "[g]\nc\n"),
        ("inv/README.md", "no inventory: [\n"),
        ("inv/old.ini.bak", "[x\n"),
        ("inv/.git", "[x\n"),
        ("inv/ansible.cfg", "[defaults]\nx=1\n"),
        ("inv/group_vars/g.yml", "v: 1\n"),
    ]);
    let inventory = tree.load("inv");
    assert_eq!(inventory.group("g").unwrap(), ["a", "b", "c"]);
    assert_eq!(inventory.groups().len(), 3);
    assert_eq!(inventory.variables("c", None).unwrap()["v"].to_data(), 1);
}

#[test]
fn later_sources_add_to_earlier_ones() {
    let tree = Tree::new(&[("one", "[g]\na v=1 w=1\n"), ("two", "[g]\na v=2\nb\n")]);
    let sources = [tree.path("one").into_string(), "c:2222, d".to_owned(), tree.path("two").into_string()];
    let inventory = Inventory::load(&sources).unwrap();
    assert_eq!(inventory.hosts().map(|host| host.as_str()).collect::<Vec<_>>(), ["a", "c", "d", "b"]);
    let variables = inventory.variables("a", None).unwrap();
    assert_eq!((variables["v"].to_data(), variables["w"].to_data()), (2.into(), 1.into()));
    assert_eq!(inventory.variables("c", None).unwrap()["ansible_port"].to_data(), 2222);
    assert_eq!(inventory.group("ungrouped").unwrap(), ["c", "d"]);
}

fn compute() -> (Tree, Inventory) {
    let tree = Tree::new(&[(
        "hosts",
        "[controller]\namd-build\n[workers]\npi-[1:4]\n[cluster:children]\ncontroller\nworkers\n",
    )]);
    let inventory = tree.load("hosts");
    (tree, inventory)
}

#[rstest]
#[case("all", None, "amd-build pi-1 pi-2 pi-3 pi-4")]
#[case("*", None, "amd-build pi-1 pi-2 pi-3 pi-4")]
#[case("cluster:!controller", None, "pi-1 pi-2 pi-3 pi-4")]
#[case("!controller", None, "pi-1 pi-2 pi-3 pi-4")]
#[case("!pi-*:all", None, "amd-build")]
#[case("cluster:&workers:!pi-2", None, "pi-1 pi-3 pi-4")]
#[case("pi-3,pi-1", None, "pi-3 pi-1")]
#[case("pi-[13]*", None, "pi-1 pi-3")]
#[case("~pi-[34]", None, "pi-3 pi-4")]
#[case("workers[0]", None, "pi-1")]
#[case("workers[-1]", None, "pi-4")]
#[case("workers[1:2]", None, "pi-2 pi-3")]
#[case("workers[2:]", None, "pi-3 pi-4")]
#[case("workers[0:0]", None, "pi-1")]
#[case("workers[3:9]", None, "pi-4")]
#[case("all", Some("pi-2,pi-1"), "pi-1 pi-2")]
#[case("all", Some("!workers"), "amd-build")]
#[case("workers", Some("controller"), "")]
#[case("controller", Some("localhost"), "")]
fn patterns_select(#[case] pattern: &str, #[case] limit: Option<&str>, #[case] expected: &str) {
    let (_tree, inventory) = compute();
    let selection = inventory.select(pattern, limit).unwrap();
    assert_eq!(selection.hosts, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(selection.warnings, []);
}

#[test]
fn a_limit_reads_its_file() {
    let (tree, inventory) = compute();
    fs::write(tree.path("site.retry"), "pi-2\n\n pi-4 \n").unwrap();
    let limit = format!("@{}", tree.path("site.retry"));
    assert_eq!(inventory.select("all", Some(&limit)).unwrap().hosts, ["pi-2", "pi-4"]);
    let missing = inventory.select("all", Some("@nowhere.retry")).unwrap_err();
    assert_eq!(missing.to_string(), "can't read `nowhere.retry`");
}

#[test]
fn what_matches_nothing_is_a_warning_or_with_require_an_error() {
    let (_tree, inventory) = compute();
    let selection = inventory.select("worker:pi-1", None).unwrap();
    assert_eq!(selection.hosts, ["pi-1"]);
    assert_eq!(selection.warnings[0].message, "could not match supplied host pattern, ignoring: `worker`");
    assert_eq!(selection.warnings[0].hint.as_deref(), Some("did you mean `workers`?"));

    let error = inventory.require("pi-1", Some("amd-biuld")).unwrap_err();
    assert_eq!(error.to_string(), "no host or group `amd-biuld` in the inventory");
    assert_eq!(error.hint().as_deref(), Some("did you mean `amd-build`?"));
    let error = inventory.require("workers", Some("controller")).unwrap_err();
    assert_eq!(error.to_string(), "no host is left by `workers` with --limit `controller`");
    assert_eq!(inventory.require("workers", Some("pi-1")).unwrap(), ["pi-1"]);
}

#[test]
fn a_range_of_hosts_is_no_pattern() {
    let (_tree, inventory) = compute();
    let error = inventory.require("pi-[1:2]", None).unwrap_err();
    let hint = "behind a name `[…]` numbers the hosts of a group; write `pi-*`, or name the hosts";
    assert_eq!(error.hint().as_deref(), Some(hint));
}

#[rstest]
#[case("workers[4]", "host pattern `workers[4]`: no host has this number")]
#[case("all:!", "host pattern ``: nothing follows the sign")]
fn malformed_patterns_are_errors(#[case] pattern: &str, #[case] message: &str) {
    let (_tree, inventory) = compute();
    assert_eq!(inventory.select(pattern, None).unwrap_err().to_string(), message);
}

#[test]
fn missing_sources_and_hosts_are_errors() {
    let error = Inventory::load(&["nowhere.ini"]).unwrap_err();
    assert_eq!(error.to_string(), "inventory `nowhere.ini` not found");
    let inventory = Inventory::load(&["a,"]).unwrap();
    assert!(matches!(inventory.variables("b", None), Err(Error::Unknown { .. })));
    assert!(inventory.to_graph(Some("grp")).is_err());
}

#[test]
fn positions_lead_to_what_was_written() {
    let tree = Tree::new(&[("hosts.ini", "[g]\n  h  a=1 b='x y'\n[g:vars]\nv =  {{ w }}  \n")]);
    let inventory = tree.load("hosts.ini");
    let variables = inventory.variables("h", None).unwrap();
    let place = |name: &str| {
        let position = &variables[name].position;
        (position.line, position.column, position.length)
    };
    assert_eq!((place("a"), place("b"), place("v")), ((2, 8, 1), (2, 12, 5), (4, 6, 7)));
    assert_eq!(inventory.host_position("h").map(|position| (position.line, position.column)), Some((2, 3)));
}

#[test]
fn a_thousand_hosts_are_no_matter() {
    let tree = Tree::new(&[("hosts", "[all:vars]\nv=1\n[g]\nh[0001:1000] x=1\n[top:children]\ng\n")]);
    let inventory = tree.load("hosts");
    let list = inventory.to_list(None).unwrap();
    assert_eq!(list["_meta"]["hostvars"].as_object().unwrap().len(), 1000);
    assert_eq!(inventory.select("top:!h0[5-9]*", None).unwrap().hosts.len(), 500);
}

const VAULT: &str = "$ANSIBLE_VAULT;1.1;AES256\n00\n";

/// Stands for an encrypted file that decrypts to `text`.
fn decrypting_to(text: &'static str) -> Option<Arc<Decrypt>> {
    Some(Arc::new(move |ciphertext| {
        assert_eq!(ciphertext, VAULT);
        Ok(text.to_owned())
    }))
}

#[test]
fn encrypted_variable_files_are_read_and_all_in_them_is_secret() {
    let tree = Tree::new(&[
        ("hosts.ini", "h"),
        ("group_vars/all/plain.yml", "user: pi\n"),
        ("group_vars/all/vault", VAULT),
        ("host_vars/h.yml", "port: 1\n"),
    ]);
    let decrypt = decrypting_to("password: hunter2\nlist: [{key: 5}]\n");
    let inventory = Inventory::load_with(&[tree.path("hosts.ini")], decrypt).unwrap();
    let variables = inventory.variables("h", None).unwrap();
    assert_eq!((text(&variables, "user"), text(&variables, "password")), ("pi", "hunter2"));
    assert!(variables["password"].is_secret && !variables["user"].is_secret && !variables["port"].is_secret);
    assert!(!variables["password"].position.in_file());
    // A list of the inventory goes to the screen.
    let shown = inventory.to_host("h", None).unwrap();
    let expected =
        serde_json::json!({ "list": [{ "key": "********" }], "password": "********", "port": 1, "user": "pi" });
    assert_eq!(shown, expected);
    assert!(!format!("{inventory:?}").contains("hunter2"));
}

#[test]
fn an_encrypted_variable_file_without_a_password_is_named() {
    let tree = Tree::new(&[("hosts.ini", "h"), ("group_vars/all.yml", VAULT)]);
    let path = tree.path("group_vars/all.yml");
    let error = tree.load("hosts.ini").variables("h", None).unwrap_err();
    assert_eq!(error.to_string(), format!("variable file `{path}` is encrypted, and there is no vault password"));
    assert_eq!(error.hint().unwrap(), "pass `--vault-password-file FILE` or `--ask-vault-pass`");
    let refuse: Arc<Decrypt> = Arc::new(|_| Err("the password is wrong".to_owned()));
    let inventory = Inventory::load_with(&[tree.path("hosts.ini")], Some(refuse)).unwrap();
    let error = inventory.variables("h", None).unwrap_err();
    assert_eq!(error.to_string(), format!("variable file `{path}` can't be decrypted: the password is wrong"));
}

#[rstest]
#[case("- hunter2\n", " at line 1, column 1")]
#[case("a: 1\nb: {hunter2\n", " at line")]
#[case("? [hunter2]\n: 1\n", " at line 1")]
fn mistakes_in_an_encrypted_file_are_told_without_its_words(#[case] clear: &'static str, #[case] place: &str) {
    let tree = Tree::new(&[("hosts.ini", "h"), ("group_vars/all.yml", VAULT)]);
    let inventory = Inventory::load_with(&[tree.path("hosts.ini")], decrypting_to(clear)).unwrap();
    let error = inventory.variables("h", None).unwrap_err();
    let told = format!("the decrypted text of `{}` holds no variables{place}", tree.path("group_vars/all.yml"));
    assert!(error.to_string().starts_with(&told), "{error}");
    assert!(error.hint().unwrap().starts_with("look at it with `cluster vault edit /"));
    assert!(!format!("{error:?} {:?} {:?}", error.label(), error.hint()).contains("hunter2"));
}

#[test]
fn an_inventory_that_is_nowhere_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let folder = camino::Utf8Path::from_path(folder.path()).unwrap();
    std::fs::create_dir(folder.join("group_vars")).unwrap();
    let empty = Inventory::load(&[folder]).unwrap_err();
    assert!(matches!(empty, Error::NoFiles { .. }) && empty.hint().unwrap().contains("hosts.ini"), "{empty}");
    assert!(matches!(Inventory::load(&[""]), Err(Error::Unnamed)));
}
