//! What `cluster catalog lint` does not ask of charts: that they can be packaged, and that both Helms see the same.

use crate::helm::{charts, configurations, helm, helm4, name, release, root, said};
use std::fs;
use std::path::Path;

/// The library is one folder, reached by a link, and goes into the archive.
#[test]
fn the_library_is_shared_and_packaged() {
    let out = tempfile::tempdir().expect("a folder for archives");
    for chart in charts() {
        let link = chart.join("charts/common");
        if !fs::read_to_string(chart.join("Chart.yaml")).expect("a chart").contains("name: common") {
            continue;
        }
        assert_eq!(fs::read_link(&link).ok().as_deref(), Some(Path::new("../../common")), "{}", link.display());
        let output =
            helm(&["package", &chart.display().to_string(), "--destination", &out.path().display().to_string()]);
        assert!(output.status.success(), "{}", said(&output));
        let archive = fs::read_dir(out.path()).expect("archives").filter_map(Result::ok).map(|entry| entry.path());
        let archive =
            archive.into_iter().find(|path| path.to_string_lossy().contains(name(&chart))).expect("an archive");
        let output = helm(&["template", &release(&chart), &archive.display().to_string()]);
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// The playbooks compare a live release with what would be installed; whoever changes from Helm 3 to 4 must see no difference.
#[test]
fn both_helms_render_the_same() {
    for chart in charts() {
        for options in configurations(&chart) {
            let path = chart.display().to_string();
            let release = release(&chart);
            let mut arguments = vec!["template", &release, &path, "--no-hooks"];
            arguments.extend(options.iter().map(String::as_str));
            let documents = |output: std::process::Output| -> Vec<String> {
                assert!(output.status.success(), "{}", said(&output));
                let text = format!("\n{}", String::from_utf8_lossy(&output.stdout));
                let documents = text.split("\n---\n").map(|document| document.trim().to_owned());
                // Generated passwords differ each time.
                documents.filter(|document| !document.contains("\nkind: Secret\n")).collect()
            };
            let (third, fourth) = (documents(helm(&arguments)), documents(helm4(&arguments)));
            let differs = third.iter().zip(&fourth).find(|(third, fourth)| third != fourth);
            assert_eq!((differs, third.len()), (None, fourth.len()), "{} {options:?}", name(&chart));
        }
    }
}

#[test]
fn the_tasks_of_playbooks_are_explained() {
    assert!(root().join("build/tasks/README.md").is_file());
}
