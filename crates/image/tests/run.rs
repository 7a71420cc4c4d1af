//! An image started as a node would: unpacked by umoci, run by runc with a read-only root. `scripts/images-run.sh` does the same
//! with the real services.
#![expect(clippy::disallowed_methods, reason = "starts a compiler, umoci and runc")]

use image::{Architecture, Provenance, Service, build, read_metadata};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Tells what it sees of its surroundings.
const PROBE: &str = r#"
fn main() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    println!("user {}", line("Uid:"));
    println!("group {}", line("Gid:"));
    println!("capabilities {}", line("CapEff:"));
    println!("writes {}", ["/x", "/etc/x", "/tmp/x"].iter().any(|path| std::fs::write(path, "x").is_ok()));
    println!("authorities {}", std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap().matches("BEGIN CERT").count() > 100);
    println!("shell {}", std::path::Path::new("/bin/sh").exists());
    println!("arguments {:?}", std::env::args().collect::<Vec<_>>());
}
"#;

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn architecture() -> Option<Architecture> {
    match std::env::consts::ARCH {
        "x86_64" => Some(Architecture::Amd64),
        "aarch64" => Some(Architecture::Arm64),
        _ => None,
    }
}

#[test]
fn it_runs_as_nobody_with_a_read_only_root_and_without_a_shell() {
    let (Some(architecture), true) = (architecture(), cfg!(target_os = "linux")) else {
        println!("skipped: images run on Linux on amd64 and arm64");
        return;
    };
    for program in ["umoci", "runc"] {
        if run(Command::new(program).arg("--version")).is_err() {
            println!("skipped: {program} is not installed (scripts/test-setup.sh)");
            return;
        }
    }
    let place = tempfile::Builder::new().prefix("test-image-").tempdir().expect("a directory");
    let source = place.path().join("probe.rs");
    std::fs::write(&source, PROBE).expect("a file");
    let binary = place.path().join("probe");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    run(Command::new(rustc).args(["-C", "target-feature=+crt-static", "-o"]).arg(&binary).arg(&source)).expect("rustc");

    let metadata = r#"{"packages": [{"name": "probe", "version": "1.2.3", "metadata": {"image": {}}}]}"#;
    let packages = read_metadata(metadata).expect("metadata").services().expect("a service");
    let provenance = Provenance {
        repository: "registry.example/project".to_owned(),
        source: String::new(),
        revision: String::new(),
        created: "1970-01-01T00:00:00Z".to_owned(),
    };
    let service = Service { package: &packages[0], provenance: &provenance };
    let built = build(&service, &BTreeMap::from([(architecture, binary)]), place.path().join("out").as_path());
    let layout = format!("{}:1.2.3", built.expect("an image").directory.display());
    let bundle = place.path().join("bundle");
    run(Command::new("umoci").args(["unpack", "--image", &layout]).arg(&bundle)).expect("umoci");
    restrict(&bundle.join("config.json"));
    let state = place.path().join("state");
    let name = format!("probe-{}", std::process::id());
    let said = run(Command::new("runc").arg("--root").arg(&state).args(["run", "--bundle"]).arg(&bundle).arg(&name));
    let said = match said {
        Err(error) if error.contains("permission denied") || error.contains("operation not permitted") => {
            println!("skipped: containers cannot be started here: {error}");
            return;
        }
        said => said.expect("runc"),
    };
    let expected = "user 65532 65532 65532 65532\ngroup 65532 65532 65532 65532\ncapabilities 0000000000000000\nwrites false\n\
                    authorities true\nshell false\narguments [\"/usr/bin/probe\"]\n";
    assert_eq!(said, expected);
}

/// As our charts' pods: no capability, nothing to write to.
fn restrict(path: &Path) {
    let mut config: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    config["root"]["readonly"] = true.into();
    config["process"]["terminal"] = false.into();
    config["process"]["noNewPrivileges"] = true.into();
    config["process"]["capabilities"] = json!({"bounding": [], "effective": [], "permitted": []});
    // Where cgroups are not ours to limit, no limit is set.
    config["linux"].as_object_mut().expect("an object").remove("resources");
    let mounts = config["mounts"].as_array_mut().expect("mounts");
    mounts.retain(|mount| {
        mount["type"] != "cgroup" && !mount["destination"].as_str().is_some_and(|at| at.starts_with("/etc/"))
    });
    std::fs::write(path, config.to_string()).expect("a file");
}
