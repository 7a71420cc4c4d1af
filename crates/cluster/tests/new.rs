//! `cluster new` as a process: which files come of which flags, and that what is refused leaves nothing behind.

#![expect(clippy::disallowed_methods, reason = "tests start the program that they test")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rstest::rstest;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A project with one service, `database`, and the library chart's shared definitions.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build/charts/common/definitions.json");
        let service = "name: database\nsummary: a database\ncategory: database\nphase: core\narchitectures: [amd64]\nrelease: base\n\
                       verify:\n  - tcp: {service: database, port: 5432}\n  - http: {service: database, port: 80}\n";
        for (path, text) in [
            ("cluster.toml", ""),
            ("build/playbooks/database/service.yml", service),
            ("build/playbooks/database/build.yml", "- hosts: all\n"),
            ("build/charts/database/Chart.yaml", "apiVersion: v2\nname: database\nversion: 0.1.0\n"),
            ("build/charts/common/definitions.json", &fs::read_to_string(shared).unwrap()),
            (
                "build/images.yml",
                "# Facts.\nimages:\n  - image: known:1.0\n    architectures: [arm64]\n    source: its page\n",
            ),
        ] {
            project.write(path, text);
        }
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    /// `cluster new …` without a terminal: standard error is no terminal, and asking is never tried.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
        command.arg("new").args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        let ours = |name: &str| ["ANSIBLE_", "CLUSTER_"].iter().any(|prefix| name.starts_with(prefix));
        std::env::vars().map(|(name, _)| name).filter(|name| ours(name)).for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    fn new_service(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What was written, path by path.
    fn done(&self, arguments: &[&str]) -> Vec<String> {
        let ended = self.new_service(arguments);
        assert!(ended.status.success(), "{}", said(&ended));
        String::from_utf8(ended.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// What was said of a refusal, which left everything as it was.
    fn refused(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let ended = self.new_service(arguments);
        assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
        assert_eq!(before, self.files(), "something was written");
        said(&ended)
    }

    /// Every file and link with its content, and every folder.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.0.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = entry.strip_prefix(self.0.path()).unwrap().display().to_string();
                let metadata = entry.symlink_metadata().unwrap();
                let content = match metadata.is_symlink() {
                    true => fs::read_link(&entry).unwrap().display().to_string().into_bytes(),
                    false if metadata.is_dir() => Vec::new(),
                    false => fs::read(&entry).unwrap(),
                };
                if metadata.is_dir() {
                    open.push(entry);
                }
                found.insert(name, content);
            }
        }
        found
    }
}

fn said(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

const CACHE: [&str; 11] = [
    "cache",
    "--image",
    "redis:7.4.11-bookworm",
    "--port",
    "6379",
    "--kind",
    "statefulset",
    "--storage",
    "2Gi",
    "--mount",
    "/data",
];

const HUB: [&str; 13] = [
    "hub",
    "--image",
    "known:1.0",
    "--port",
    "8080",
    "--health",
    "/healthz",
    "--secret-env",
    "HUB_TOKEN,HUB_KEY",
    "--requires",
    "database",
    "--summary",
    "a hub: \"fast\"",
];

/// The guide's example.
#[test]
fn a_store_with_a_volume() {
    let project = Project::new();
    insta::assert_snapshot!(project.done(&CACHE).join("\n"), @"
    build/charts/cache/.helmignore
    build/charts/cache/Chart.yaml
    build/charts/cache/README.md
    build/charts/cache/charts/common
    build/charts/cache/ci/everything-values.yaml
    build/charts/cache/ci/nothing-values.yaml
    build/charts/cache/templates/NOTES.txt
    build/charts/cache/templates/objects.yaml
    build/charts/cache/templates/server.yaml
    build/charts/cache/templates/tests/tcp.yaml
    build/charts/cache/values.schema.json
    build/charts/cache/values.yaml
    build/playbooks/cache/README.md
    build/playbooks/cache/build.yml
    build/playbooks/cache/service.yml
    build/playbooks/cache/values.yml
    build/images.yml
    ");
    let link = project.0.path().join("build/charts/cache/charts/common");
    assert_eq!(fs::read_link(link).unwrap(), Path::new("../../common"));
    for file in
        ["playbooks/cache/service.yml", "charts/cache/templates/server.yaml", "charts/cache/templates/objects.yaml"]
    {
        insta::assert_snapshot!(file.replace('/', "-"), project.read(&format!("build/{file}")));
    }
    let images = project.read("build/images.yml");
    assert!(images.starts_with("# Facts.\nimages:\n  - image: known:1.0\n"), "{images}");
    assert!(
        images.contains("  - image: redis:7.4.11-bookworm\n    architectures: [amd64, arm64]\n    source: unproven"),
        "{images}"
    );
}

#[test]
fn an_application_with_secrets_that_requires_another() {
    let project = Project::new();
    let images = project.read("build/images.yml");
    let written = project.done(&HUB);
    assert!(written.contains(&"build/playbooks/hub/cfg.example.yml".to_owned()), "{written:?}");
    assert_eq!(images, project.read("build/images.yml"), "what is known needs no second entry");
    for file in [
        "playbooks/hub/service.yml",
        "playbooks/hub/build.yml",
        "playbooks/hub/cfg.example.yml",
        "playbooks/hub/README.md",
        "charts/hub/templates/server.yaml",
        "charts/hub/templates/objects.yaml",
        "charts/hub/values.yaml",
    ] {
        insta::assert_snapshot!(file.replace('/', "-"), project.read(&format!("build/{file}")));
    }
}

#[test]
fn the_chart_of_somebody_else() {
    let project = Project::new();
    let arguments = [
        "gate",
        "--from-chart",
        "oci://ghcr.io/example/charts/gatekeeper@1.2.3",
        "--crds",
        "--namespace",
        "gate-system",
    ];
    let written = project.done(&arguments);
    assert!(written.contains(&"build/charts/gate/upstream.yml".to_owned()), "{written:?}");
    for file in
        ["playbooks/gate/service.yml", "playbooks/gate/build.yml", "charts/gate/Chart.yaml", "charts/gate/values.yaml"]
    {
        insta::assert_snapshot!(file.replace('/', "-"), project.read(&format!("build/{file}")));
    }
}

/// YAML 1.1 has words for booleans and nothing, and some readers also take `1e3` for a number.
#[rstest]
#[case("y", "on")]
#[case("null", "1e3")]
#[case("no", "123")]
fn words_of_yaml_are_text(#[case] name: &str, #[case] namespace: &str) {
    let project = Project::new();
    let rest = ["--image", "known:1.0", "--port", "80", "--secret-env", "ON,NO,Y,N", "--health", "/"];
    project.done(&[&[name, "--namespace", namespace], &rest[..]].concat());
    project.done(&["next", "--image", "known:1.0", "--port", "80", "--requires", name]);
    let quoted = |key: &str, value: &str| format!("{key}: \"{value}\"");
    for (file, texts) in [
        ("playbooks/NAME/service.yml", vec![quoted("name", name), quoted("namespace", namespace)]),
        ("playbooks/NAME/build.yml", vec![quoted("release", name), quoted("release_namespace", namespace)]),
        ("playbooks/NAME/cfg.example.yml", ["on", "no", "y", "n"].map(|key| format!("\n{key:?}: \"\"\n")).to_vec()),
        ("charts/NAME/Chart.yaml", vec![quoted("name", name)]),
        ("charts/NAME/templates/server.yaml", vec!["  \"ON\": \"on\"\n  \"NO\": \"no\"\n".to_owned()]),
        ("playbooks/next/service.yml", vec![format!("requires: [\"{name}\"]")]),
    ] {
        let written = project.read(&format!("build/{}", file.replace("NAME", name)));
        texts.iter().for_each(|text| assert!(written.contains(text), "`{text}` is not in {file}: {written}"));
    }
    let list = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .args(["catalog", "list"])
        .current_dir(project.0.path())
        .output()
        .unwrap();
    assert!(list.status.success(), "{}", said(&list));
    assert!(String::from_utf8_lossy(&list.stdout).lines().any(|line| line.starts_with(&format!("{name} "))));
}

#[test]
fn in_check_mode_the_same_is_listed_and_nothing_written() {
    let project = Project::new();
    let before = project.files();
    let listed = project.done(&[&CACHE[..], &["--check"]].concat());
    assert_eq!(before, project.files());
    assert_eq!(listed, project.done(&CACHE));
}

#[test]
fn what_comes_next_is_said() {
    let project = Project::new();
    let ended = said(&project.new_service(&HUB));
    for text in ["cluster vault create hub", "cluster catalog lint hub", "cluster deploy hub --target sandbox"] {
        assert!(ended.contains(text), "`{text}` is not in {ended}");
    }
    let json = project.new_service(&[&CACHE[..], &["--output=json"]].concat());
    let object: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&object["service"], &object["written"]), (&"cache".into(), &true.into()));
    assert_eq!(object["files"].as_array().map(Vec::len), Some(17));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let project = Project::new();
    let refusal = project.refused(&[
        "My_App",
        "--image",
        "redis:latest",
        "--port",
        "70000",
        "--storage",
        "10GB",
        "--mount",
        "data",
        "--health",
        "health",
        "--user",
        "0",
        "--requires",
        "databse",
        "--phase",
        "infrastructure",
        "--category",
        "Web",
        "--secret-env",
        "A=hunter2",
        "--namespace",
        "No_Space",
    ]);
    for text in [
        "`My_App` is no service name",
        "`my-app` would be one",
        "tag `latest` of image `redis` is no version",
        "`70000` is no port",
        "write `10Gi`",
        "`data` is no absolute path",
        "`health` is no path",
        "does not run as root",
        "required service `databse` does not exist",
        "did you mean `database`?",
        "category `Web`",
        "takes the name alone",
        "`No_Space` is no namespace",
    ] {
        assert!(refusal.contains(text), "`{text}` is not in {refusal}");
    }
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn what_is_missing_is_told_with_the_whole_command() {
    let project = Project::new();
    let refusal = project.refused(&["cache", "--port", "1"]);
    assert!(refusal.contains("`--image` is missing"), "{refusal}");
    assert!(refusal.contains("cluster new cache --image REPOSITORY:TAG --port 1"), "{refusal}");
    assert!(project.refused(&[]).contains("`NAME`, `--image`, `--port` are missing"));
    let alone = project.refused(&["cache", "--image", "a:1", "--port", "1", "--mount", "/data"]);
    assert!(alone.contains("`--storage 1Gi`"), "{alone}");
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let project = Project::new();
    let with_name = |name: &'static str| [&[name], &CACHE[1..]].concat();
    assert!(project.refused(&with_name("database")).contains("service `database` exists already"));
    assert!(project.refused(&with_name("base")).contains("release `base` of service `database`"));
    assert!(project.refused(&with_name("common")).contains("`build/charts/common` exists already"));
    fs::create_dir_all(project.0.path().join("build/playbooks/left")).unwrap();
    assert!(project.refused(&with_name("left")).contains("`build/playbooks/left` exists already"));
    std::os::unix::fs::symlink("nowhere", project.0.path().join("build/charts/linked")).unwrap();
    assert!(project.refused(&with_name("linked")).contains("`build/charts/linked` exists already"));
    project.done(&CACHE);
    project.refused(&CACHE);
}

#[test]
fn what_is_known_of_an_image_is_not_contradicted() {
    let project = Project::new();
    let refusal = project.refused(&["x", "--image", "known:1.0", "--port", "1", "--arch", "amd64"]);
    assert!(refusal.contains("image `known:1.0` exists for arm64"), "{refusal}");
    let phase = project.refused(&[
        "x",
        "--image",
        "known:1.0",
        "--port",
        "1",
        "--requires",
        "database",
        "--phase",
        "infrastructure",
    ]);
    assert!(phase.contains("can't require `database` of the later phase core"), "{phase}");
}

#[test]
fn facts_that_can_not_be_extended_stop_everything() {
    let project = Project::new();
    project.write("build/images.yml", "images: []\n");
    assert!(project.refused(&CACHE).contains("add to its list by hand"));
}

#[test]
fn without_the_library_chart_nothing_is_written() {
    let project = Project::new();
    fs::remove_file(project.0.path().join("build/charts/common/definitions.json")).unwrap();
    let refusal = project.refused(&CACHE);
    assert!(refusal.contains("definitions.json` can not be read") && refusal.contains("library chart"), "{refusal}");
}

/// Charts can't be written to: then there is no playbook either.
#[test]
fn a_folder_that_can_not_be_written_leaves_nothing_half_done() {
    let project = Project::new();
    let root = project.0.path();
    let set = |path: &str, mode: u32| fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
    ["", "build", "build/playbooks"].iter().for_each(|path| set(path, 0o777));
    set("build/charts", 0o555);
    let before = project.files();
    let mut command = project.command(&CACHE);
    // Nothing is closed to root: as somebody else it is.
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let ended = command.output().unwrap();
    set("build/charts", 0o755);
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(said(&ended).contains("`build/charts/cache` can not be written, so nothing was"), "{}", said(&ended));
    assert_eq!(before, project.files());
}
