//! The committed JSON schema and the annotated `service.yml` are those of this code.

use camino::Utf8PathBuf;
use std::fs;

fn root() -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// `UPDATE_DOCS=1 cargo test -p catalog` writes the file anew.
#[test]
fn the_committed_schema_is_current() {
    let path = root().join("docs/reference/service.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, catalog::schema_text()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, catalog::schema_text(), "{path} is stale: run UPDATE_DOCS=1 cargo test -p catalog");
}

/// Every key that exists is explained, with a value other than none.
#[test]
fn the_annotated_service_names_every_key() {
    let text = fs::read_to_string(root().join("docs/reference/service.yml")).unwrap();
    let keys = catalog::schema()["properties"].as_object().unwrap().keys();
    for key in keys {
        assert!(text.lines().any(|line| line.starts_with(&format!("{key}:"))), "`{key}` is missing in the reference");
    }
}

#[test]
fn the_annotated_service_is_a_service() {
    let folder = tempfile::tempdir().unwrap();
    let root_of_copy = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let notes = root_of_copy.join("build/playbooks/notes");
    let chart = root_of_copy.join("build/charts/notes");
    let database = root_of_copy.join("build/playbooks/postgres");
    for path in [&notes, &chart, &database] {
        fs::create_dir_all(path).unwrap();
    }
    fs::copy(root().join("docs/reference/service.yml"), notes.join("service.yml")).unwrap();
    fs::write(notes.join("build.yml"), "").unwrap();
    fs::write(chart.join("Chart.yaml"), "name: notes\nversion: 1.0.0\n").unwrap();
    fs::write(database.join("build.yml"), "").unwrap();
    fs::write(
        database.join("service.yml"),
        "name: postgres\nsummary: database\ncategory: database\nphase: core\narchitectures: [amd64]\nchart: notes\n",
    )
    .unwrap();
    let catalog = catalog::Catalog::load(&root_of_copy).unwrap();
    let service = catalog.find("notes").unwrap();
    assert_eq!(service.verify.len(), 3);
    assert!(service.backup.is_some() && service.restore.is_some() && service.notes.is_some());
}

/// Each service's first line names the schema, so that editors find it.
#[test]
fn every_service_names_its_schema() {
    let wanted = "# yaml-language-server: $schema=../../../docs/reference/service.schema.json\n";
    for service in catalog::Catalog::load(&root()).unwrap().iter() {
        let text = fs::read_to_string(service.folder.join("service.yml")).unwrap();
        assert!(text.starts_with(wanted), "{}: first line must be {wanted}", service.folder);
    }
}
