//! Catalogues on disk: what loads, in which order, and how every mistake is told.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use camino::Utf8PathBuf;
use catalog::{Catalog, Error, Phase, Probe};
use diagnostic::Diagnose;
use std::fmt::Write as _;
use std::fs;

struct Fixture {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Fixture {
    fn new(services: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs::create_dir_all(root.join("build/playbooks")).unwrap();
        for (name, text) in services {
            let playbook = root.join("build/playbooks").join(name);
            let chart = root.join("build/charts").join(name);
            fs::create_dir_all(&playbook).unwrap();
            fs::create_dir_all(&chart).unwrap();
            fs::write(playbook.join("service.yml"), text).unwrap();
            fs::write(playbook.join("build.yml"), "---\n").unwrap();
            fs::write(chart.join("Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n")).unwrap();
        }
        Self { _folder: folder, root }
    }

    /// Everything wrong, as lines `file:line:column: message [hint]`, with the root left out.
    fn mistakes(&self) -> String {
        let error = Catalog::load(&self.root).expect_err("the catalogue has mistakes");
        assert_eq!(error.exit(), diagnostic::Exit::Usage);
        let prefix = format!("{}/", self.root);
        let mut text = String::new();
        for part in error.parts() {
            if let Some(position) = part.position() {
                write!(text, "{position}: ").unwrap();
            }
            write!(text, "{part}").unwrap();
            if let Some(hint) = part.hint() {
                write!(text, " [{hint}]").unwrap();
            }
            text.push('\n');
        }
        text.replace(&prefix, "")
    }
}

fn service(name: &str, phase: &str, requires: &str) -> String {
    format!("name: {name}\nsummary: x\ncategory: web\nphase: {phase}\narchitectures: [amd64]\nrequires: [{requires}]\n")
}

#[test]
fn defaults_are_the_guides() {
    let fixture = Fixture::new(&[("rocket.chat", &service("rocket.chat", "application", ""))]);
    let catalog = Catalog::load(&fixture.root).unwrap();
    let service = catalog.find("rocket.chat").unwrap();
    assert_eq!((service.release_name().as_str(), service.namespace.as_str()), ("rocket-chat", "default"));
    assert_eq!(service.playbook(), fixture.root.join("build/playbooks/rocket.chat/build.yml"));
    assert_eq!(service.chart_folder, fixture.root.join("build/charts/rocket.chat"));
    assert_eq!(service.values_file(), fixture.root.join("build/playbooks/rocket.chat/values.yml"));
    assert_eq!(service.encrypted_config(), fixture.root.join("build/playbooks/rocket.chat/cfg.enc"));
    assert!(!service.vault && service.verify.is_empty());
    assert_eq!(catalog.chart(service).map(|chart| chart.version.to_string()), Some("0.1.0".to_owned()));
}

#[test]
fn probes_have_defaults_too() {
    let text = service("a", "core", "") + "verify:\n  - http: {service: a, port: 80}\n";
    let fixture = Fixture::new(&[("a", &text)]);
    let catalog = Catalog::load(&fixture.root).unwrap();
    let expected = Probe::Http { service: "a".to_owned(), port: 80, path: "/".to_owned(), status: 200 };
    assert_eq!(catalog.find("a").unwrap().verify, [expected]);
}

#[test]
fn every_mistake_of_every_file_is_told_at_its_place() {
    let broken = "nmae: broken\nsummary: 7\ncategory: web\nphase: cor\narchitectures: []\nverify:\n  - htp: {}\n  - http: {service: a, port: 99999, pth: /}\n  - exec: {workload: pod/x, command: ls}\n  - tcp: {service: a, port: 1}\n    http: {service: a, port: 1}\n";
    let fixture = Fixture::new(&[("broken", broken), ("syntax", "name: [\n"), ("other", &service("else", "core", ""))]);
    insta::assert_snapshot!(fixture.mistakes(), @"
    build/playbooks/broken/service.yml:1:1: `name` is missing [docs/reference/service.yml shows every key]
    build/playbooks/broken/service.yml:1:1: unknown key `nmae` [did you mean `name`?]
    build/playbooks/broken/service.yml:2:10: `summary` must be a string, not an integer [docs/reference/service.yml shows every key]
    build/playbooks/broken/service.yml:4:8: `phase` can't be `cor` [did you mean `core`?]
    build/playbooks/broken/service.yml:5:16: `architectures` must not be empty [docs/reference/service.yml shows every key]
    build/playbooks/broken/service.yml:7:5: unknown key `htp` [did you mean `http`?]
    build/playbooks/broken/service.yml:8:30: `port` can't be 99999: from 1 to 65535 [docs/reference/service.yml shows every key]
    build/playbooks/broken/service.yml:8:37: unknown key `pth` [did you mean `path`?]
    build/playbooks/broken/service.yml:9:22: `workload` can't be `pod/x`: write `deployment/<name>`, `statefulset/<name>` or `daemonset/<name>` [docs/reference/service.yml shows every key]
    build/playbooks/broken/service.yml:9:38: `command` must be a list, not a string [docs/reference/service.yml shows every key]
    build/playbooks/broken/service.yml:10:5: an item of `verify` must be a mapping with exactly one of `http`, `tcp`, `exec` [docs/reference/service.yml shows every key]
    build/playbooks/other/service.yml:1:7: service `else` has no chart: `build/charts/else/Chart.yaml` is missing [`cluster new` writes all files of a service; build/charts/README.md goes through them]
    build/playbooks/other/service.yml:1:7: service `else` lies in folder `other` [write `name: other`, or rename the folder]
    build/playbooks/syntax/service.yml:1:7: `[` is never closed [add the `]`]
    ");
}

#[test]
fn requirements_are_checked_together() {
    let fixture = Fixture::new(&[
        ("a", &service("a", "core", "b")),
        ("b", &service("b", "core", "c")),
        ("c", &service("c", "core", "a")),
        ("database", &service("database", "core", "")),
        ("early", &service("early", "infrastructure", "database")),
        ("typo", &service("typo", "core", "databse")),
        ("self", &service("self", "core", "self")),
        ("far", &service("far", "core", "zzz")),
    ]);
    insta::assert_snapshot!(fixture.mistakes(), @"
    build/playbooks/a/service.yml:6:11: the requirements go round in a circle: `a` requires `b` requires `c` requires `a`
    build/playbooks/early/service.yml:6:12: `early` of phase infrastructure can't require `database` of the later phase core
    build/playbooks/far/service.yml:6:12: required service `zzz` does not exist [the services are `a`, `b`, `c`, `database`, `early`, `far`, `self`, `typo`]
    build/playbooks/self/service.yml:6:11: the requirements go round in a circle: `self` requires `self`
    build/playbooks/typo/service.yml:6:12: required service `databse` does not exist [did you mean `database`?]
    ");
}

#[test]
fn a_description_that_is_no_text_is_a_mistake() {
    let fixture = Fixture::new(&[("a", ""), ("b", ""), ("c", "")]);
    let file = |name: &str| fixture.root.join(format!("build/playbooks/{name}/service.yml"));
    fs::write(file("a"), "").unwrap();
    fs::write(file("b"), b"name: \xff\n").unwrap();
    fs::remove_file(file("c")).ok();
    fs::create_dir(file("c")).unwrap();
    insta::assert_snapshot!(fixture.mistakes(), @"
    file `build/playbooks/c/service.yml` is a folder [name a file in this folder]
    build/playbooks/a/service.yml:1:1: the document must be a mapping, not nothing [docs/reference/service.yml shows every key]
    build/playbooks/b/service.yml:1:7: file `build/playbooks/b/service.yml` is not UTF-8 [save the file as UTF-8 in your editor, or convert it with `iconv`]
    ");
}

#[test]
fn a_release_has_one_owner() {
    let fixture = Fixture::new(&[
        ("a", &service("a", "core", "")),
        ("b", &(service("b", "core", "") + "release: a\n")),
        ("c", &(service("c", "core", "") + "release: a\nnamespace: other\n")),
    ]);
    insta::assert_snapshot!(fixture.mistakes(), @"
    build/playbooks/b/service.yml:7:10: release `a` in namespace `default` belongs to service `a` already [give one of them another `release`]
    ");
}

#[test]
fn playbook_chart_and_description_belong_together() {
    let fixture = Fixture::new(&[("a", &service("a", "core", "")), ("b", &service("b", "core", "")), ("c", "")]);
    fs::remove_file(fixture.root.join("build/playbooks/a/build.yml")).unwrap();
    fs::remove_file(fixture.root.join("build/charts/b/Chart.yaml")).unwrap();
    fs::remove_file(fixture.root.join("build/playbooks/c/service.yml")).unwrap();
    insta::assert_snapshot!(fixture.mistakes(), @"
    `build/playbooks/c` has a playbook but no `service.yml` [docs/reference/service.yml shows every key]
    build/playbooks/a/service.yml:1:7: service `a` has no playbook: `build/playbooks/a/build.yml` is missing [`cluster new` writes all files of a service; build/charts/README.md goes through them]
    build/playbooks/b/service.yml:1:7: service `b` has no chart: `build/charts/b/Chart.yaml` is missing [`cluster new` writes all files of a service; build/charts/README.md goes through them]
    ");
}

#[test]
fn a_broken_chart_is_a_mistake_with_its_place() {
    let fixture = Fixture::new(&[("a", &service("a", "core", ""))]);
    fs::write(fixture.root.join("build/charts/a/Chart.yaml"), "name: a\nversion: one\n").unwrap();
    insta::assert_snapshot!(fixture.mistakes(), @"
    build/charts/a/Chart.yaml:2:10: unexpected character 'o' while parsing major version number
    ");
}

#[test]
fn without_services_it_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let error = Catalog::load(&root).unwrap_err();
    assert!(matches!(&error, Error::NoCatalog { folder } if *folder == root.join("build/playbooks")));
    assert!(error.hint().is_some());
}

#[test]
fn folders_that_hold_no_service_are_passed_over() {
    let fixture = Fixture::new(&[("a", &service("a", "core", ""))]);
    fs::create_dir(fixture.root.join("build/playbooks/empty")).unwrap();
    fs::create_dir(fixture.root.join("build/playbooks/.hidden")).unwrap();
    fs::write(fixture.root.join("build/playbooks/README.md"), "").unwrap();
    assert_eq!(Catalog::load(&fixture.root).unwrap().len(), 1);
}

#[test]
fn an_unknown_name_finds_the_nearest() {
    let fixture =
        Fixture::new(&[("postgres", &service("postgres", "core", "")), ("ollama", &service("ollama", "core", ""))]);
    let catalog = Catalog::load(&fixture.root).unwrap();
    let error = catalog.find("postgers").unwrap_err();
    assert_eq!(error.to_string(), "unknown service `postgers`");
    assert_eq!(error.hint().as_deref(), Some("did you mean `postgres`?"));
    assert!(catalog.find("zzz").unwrap_err().hint().unwrap().contains("catalog list"));
    let error = catalog.order(&["postgers", "ollama", "olama"]).unwrap_err();
    let texts: Vec<_> = error.parts().iter().map(|part| (part.to_string(), part.hint().unwrap())).collect();
    let expected = [("olama", "ollama"), ("postgers", "postgres")];
    assert_eq!(
        texts,
        expected.map(|(name, near)| (format!("unknown service `{name}`"), format!("did you mean `{near}`?")))
    );
}

#[test]
fn order_is_by_phase_then_by_requirements() {
    let fixture = Fixture::new(&[
        ("app", &service("app", "application", "middle")),
        ("web", &service("web", "application", "")),
        ("middle", &service("middle", "core", "database")),
        ("database", &service("database", "core", "storage")),
        ("queue", &service("queue", "core", "")),
        ("storage", &service("storage", "infrastructure", "")),
    ]);
    let catalog = Catalog::load(&fixture.root).unwrap();
    let names = |names: &[&str]| -> Vec<Vec<String>> {
        let groups = catalog.order(names).unwrap();
        groups.iter().map(|group| group.iter().map(|service| service.name.to_string()).collect()).collect()
    };
    let all = ["app", "web", "middle", "database", "queue", "storage"];
    assert_eq!(
        names(&all),
        vec![vec!["storage"], vec!["queue"], vec!["database"], vec!["middle"], vec!["web"], vec!["app"]]
    );
    // `middle` is not deployed now, and still `app` comes after `database`.
    assert_eq!(names(&["app", "database"]), vec![vec!["database"], vec!["app"]]);
    let with = catalog.with_requirements(&["app"]).unwrap();
    assert_eq!(
        with.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(),
        ["app", "database", "middle", "storage"]
    );
    assert_eq!(catalog.find("storage").unwrap().phase, Phase::Infrastructure);
}

/// The repository's own services.
#[test]
fn the_repositorys_catalogue_loads() {
    let root = Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let catalog = Catalog::load(&root).unwrap();
    assert!(!catalog.is_empty());
    for service in catalog.iter() {
        let chart = catalog.chart(service).unwrap();
        assert_eq!(chart.name, service.chart_name(), "{}", service.chart_folder);
        assert!(service.folder.join("README.md").is_file(), "{} has no README.md", service.folder);
        assert!(service.values_file().is_file(), "{} has no values.yml", service.folder);
    }
}
