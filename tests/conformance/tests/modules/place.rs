//! What the tasks work on: the same fresh tree for each engine.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

/// A repository with two commits on `main`, a tag `v1` on the first, and a branch `side`.
pub fn repository(root: &Utf8Path) -> Utf8PathBuf {
    let at = root.join("source");
    fs::create_dir(&at).unwrap();
    git(&at, "init -q -b main");
    for text in ["one", "two"] {
        fs::write(at.join("file"), format!("{text}\n")).unwrap();
        git(&at, "add file");
        git(&at, &format!("commit -q -m {text}"));
        if text == "one" {
            git(&at, "tag -a v1 -m v1");
            git(&at, "branch side");
        }
    }
    at
}

fn git(at: &Utf8Path, line: &str) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let status = Command::new("git").current_dir(at).args(identity).args(line.split(' ')).status().unwrap();
    assert!(status.success(), "git {line}");
}

/// Makes the tree anew.
pub fn prepare(at: &Utf8Path, source: &Utf8Path) {
    if at.exists() {
        fs::remove_dir_all(at).unwrap();
    }
    fs::create_dir(at).unwrap();
    for (name, content, mode) in [
        ("keep", "keep this\n", 0o644),
        ("keep-mode", "hello\nworld\n", 0o644),
        ("old", "one\nthree\n", 0o600),
        ("old-binary", "a\0b", 0o644),
        ("text2", "before\n", 0o644),
        ("mode", "", 0o666),
        ("timed", "", 0o644),
        ("target", "", 0o644),
        ("target2", "", 0o644),
        ("shared", "", 0o644),
    ] {
        fs::write(at.join(name), content).unwrap();
        fs::set_permissions(at.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    for name in ["dir", "static", "tree/sub", "gone/sub"] {
        fs::create_dir_all(at.join(name)).unwrap();
    }
    fs::write(at.join("tree/sub/file"), "").unwrap();
    fs::set_permissions(at.join("tree/sub/file"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(at.join("gone/sub/file"), "").unwrap();
    for (name, target) in [("link", "target"), ("link2", "target2"), ("static-link", "keep"), ("f-turned", "target")] {
        symlink(target, at.join(name)).unwrap();
    }
    for name in ["behind", "dirty", "dirty2", "kept-clone", "elsewhere"] {
        git(at, &format!("clone -q {source} {name}"));
    }
    git(&at.join("behind"), "reset -q --hard v1");
    git(&at.join("elsewhere"), "remote set-url origin /not/there");
    for name in ["dirty", "dirty2"] {
        fs::write(at.join(name).join("file"), "mine\n").unwrap();
    }
}

/// Every path below with its kind, mode, owner and content. What git keeps for itself is left out.
pub fn tree(at: &Utf8Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(at, at, &mut found);
    found
}

fn walk(at: &Utf8Path, folder: &Utf8Path, found: &mut BTreeMap<String, String>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let metadata = fs::symlink_metadata(path).unwrap();
        let name = path.strip_prefix(at).unwrap().to_string();
        // A backup's name holds a process id and a time.
        let name = name.split_once("text2.").map_or(name.clone(), |_| "text2.backup".to_owned());
        let content = if metadata.is_symlink() {
            format!("link to {}", path.read_link_utf8().unwrap())
        } else if metadata.is_dir() {
            "directory".to_owned()
        } else {
            format!("{:?}", String::from_utf8_lossy(&fs::read(path).unwrap()))
        };
        let facts = format!("{:04o} {}:{}", metadata.mode() & 0o7777, metadata.uid(), metadata.gid());
        found.insert(name, format!("{facts} {content}"));
        if metadata.is_dir() && entry.file_name() != ".git" {
            walk(at, path, found);
        }
    }
}
