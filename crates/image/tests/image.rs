//! Images as others see them: the same bytes twice, and started by other programs than ours.

use image::{Architecture, Built, Provenance, Service, build, read_metadata};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const METADATA: &str = r#"{"packages": [{"name": "probe", "version": "1.2.3", "description": "a probe", "license": "MIT",
    "metadata": {"image": {"port": 8081}}}]}"#;

fn provenance() -> Provenance {
    Provenance {
        repository: "registry.example/project".to_owned(),
        source: "https://example.com/project".to_owned(),
        revision: "0123abc".to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
    }
}

/// A head of a static program for this machine; nothing runs it.
fn program(machine: u16, place: &Path) -> PathBuf {
    let mut bytes = vec![0; 120];
    bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    let path = place.join(format!("program-{machine}"));
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn image(binaries: &BTreeMap<Architecture, PathBuf>, out: &Path) -> Built {
    let packages = read_metadata(METADATA).expect("metadata").services().expect("a service");
    build(&Service { package: &packages[0], provenance: &provenance() }, binaries, out).expect("an image")
}

fn place() -> TempDir {
    tempfile::Builder::new().prefix("test-image-").tempdir().expect("a directory")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn blob(built: &Built, descriptor: &Value) -> Value {
    let digest = descriptor["digest"].as_str().expect("a digest").replace("sha256:", "");
    json(&built.directory.join("blobs/sha256").join(digest))
}

#[test]
fn twice_the_same_bytes() {
    let (one, other) = (place(), place());
    // Another directory, another time, other modes: nothing of it may show.
    let binaries = BTreeMap::from([
        (Architecture::Amd64, program(62, one.path())),
        (Architecture::Arm64, program(183, one.path())),
    ]);
    let copies = BTreeMap::from([
        (Architecture::Amd64, program(62, other.path())),
        (Architecture::Arm64, program(183, other.path())),
    ]);
    let (one, other) = (image(&binaries, &one.path().join("out")), image(&copies, &other.path().join("elsewhere")));
    assert_eq!(one.digest, other.digest);
    assert_eq!(std::fs::read(one.archive).expect("an archive"), std::fs::read(other.archive).expect("an archive"));
}

#[test]
fn an_image_says_who_it_is_and_how_it_starts() {
    let place = place();
    let built = image(&BTreeMap::from([(Architecture::Amd64, program(62, place.path()))]), place.path());
    assert_eq!(built.reference, "registry.example/project/probe:1.2.3");
    let index = json(&built.directory.join("index.json"));
    let named = &index["manifests"][0];
    assert_eq!(named["digest"], built.digest);
    assert_eq!(named["platform"], serde_json::json!({"architecture": "amd64", "os": "linux"}));
    assert_eq!(named["annotations"]["io.containerd.image.name"], built.reference);
    let configuration = blob(&built, &blob(&built, named)["config"]);
    let config = &configuration["config"];
    assert_eq!((&config["User"], &config["Entrypoint"][0]), (&"65532:65532".into(), &"/usr/bin/probe".into()));
    assert_eq!(config["ExposedPorts"], serde_json::json!({"8081/tcp": {}}));
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].as_str().map(str::to_owned);
    let expected = [
        ("title", "probe"),
        ("description", "a probe"),
        ("version", "1.2.3"),
        ("licenses", "MIT"),
        ("source", "https://example.com/project"),
        ("revision", "0123abc"),
        ("created", "2026-01-02T03:04:05Z"),
    ];
    for (name, value) in expected {
        assert_eq!(label(name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn several_architectures_share_a_name() {
    let place = place();
    let binaries = BTreeMap::from([
        (Architecture::Amd64, program(62, place.path())),
        (Architecture::Arm64, program(183, place.path())),
    ]);
    let built = image(&binaries, place.path());
    let index = json(&built.directory.join("index.json"));
    let named = blob(&built, &index["manifests"][0]);
    let architectures: Vec<&str> = named["manifests"]
        .as_array()
        .expect("manifests")
        .iter()
        .filter_map(|manifest| manifest["platform"]["architecture"].as_str())
        .collect();
    assert_eq!(architectures, ["amd64", "arm64"]);
    // The first layer is the same for both, and kept once.
    let layer = |number: usize| blob(&built, &named["manifests"][number])["layers"][0]["digest"].clone();
    assert_eq!(layer(0), layer(1));
}
