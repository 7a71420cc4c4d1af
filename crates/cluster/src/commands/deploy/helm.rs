//! What Helm says when it refuses a release, brought back to the file that it is about.

use super::locate::Item;
use crate::config;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::Position;
use yaml::Node;

/// A place in a file of the user's, and what to do there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) position: Option<Position>,
    pub(super) label: Option<&'static str>,
    pub(super) hint: String,
}

/// Whether Helm found no API server; a repository of charts that is away is something else.
pub(super) fn is_unreachable(text: &str) -> bool {
    text.contains("Kubernetes cluster unreachable")
}

/// What Helm's text is about, if that is values or a template. `laid_over`: the files of `--values`.
pub(super) fn explain(text: &str, item: &Item, laid_over: &[Utf8PathBuf]) -> Option<Told> {
    let chart = config::shown(&item.service.chart_folder);
    if let Some((pointer, name)) = refused_value(text) {
        let files = laid_over.iter().rev().cloned().chain([config::shown(&item.service.values_file())]);
        let position = files.into_iter().find_map(|file| find(&file, pointer, name));
        let label = position.as_ref().map(|_| "the chart does not take this");
        let hint = match position {
            Some(_) => format!("correct it; `{chart}/values.yaml` shows every value that the chart takes"),
            None => format!("correct `--set`; `{chart}/values.yaml` shows every value that the chart takes"),
        };
        return Some(Told { position, label, hint });
    }
    let position = template(text, &chart)?;
    // `fail` and `required` in a template: the chart itself says what it wants.
    if text.contains("execution error at (") {
        let hint = format!("correct the values; `{chart}/values.yaml` shows every value that the chart takes");
        return Some(Told { position: Some(position), label: Some("the chart refuses the values here"), hint });
    }
    let hint =
        format!("correct the template; `cluster catalog lint {}` renders it without deploying", item.service.name);
    Some(Told { position: Some(position), label: Some("Helm stops here"), hint })
}

/// The first line of a failed schema, `- at '/image': additional properties 'tagg' not allowed`: the pointer, and the key in it that is not
/// allowed.
fn refused_value(text: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = text.split_once("- at '")?;
    let (pointer, rest) = rest.split_once("': ")?;
    let line = rest.lines().next().unwrap_or_default();
    let name = line.strip_prefix("additional properties '").and_then(|names| names.split('\'').next());
    Some((pointer, name))
}

/// Where a file of values says what the pointer names.
fn find(file: &Utf8Path, pointer: &str, name: Option<&str>) -> Option<Position> {
    let root = yaml::load_one(file.as_str(), &std::fs::read_to_string(file).ok()?).ok()?;
    let mut keys = pointer.split('/').skip(1).chain(name).peekable();
    keys.peek()?;
    let mut node = &root;
    let mut position = None;
    for key in keys {
        let (at, value) = entry(node, key)?;
        (node, position) = (value, Some(at));
    }
    position
}

/// The entry of a mapping or list: where it stands, and its value.
fn entry<'n>(node: &'n Node, key: &str) -> Option<(Position, &'n Node)> {
    match &node.value {
        yaml::Value::Mapping(mapping) => {
            let (key, value) = mapping.iter().find(|(name, _)| name.to_key() == key)?;
            Some((key.position.clone(), value))
        }
        yaml::Value::Sequence(items) => {
            let item = items.get(key.parse::<usize>().ok()?)?;
            Some((item.position.clone(), item))
        }
        _ => None,
    }
}

/// The innermost `<chart>/templates/<file>:<line>[:<column>]` of which the file exists. Helm begins with the chart's name and counts columns
/// from 0.
fn template(text: &str, chart: &Utf8Path) -> Option<Position> {
    let words = text.split(|character: char| character.is_whitespace() || "()<>\"".contains(character));
    words.rev().find_map(|word| template_place(word, chart))
}

fn template_place(word: &str, chart: &Utf8Path) -> Option<Position> {
    let mut parts = word.split(':');
    let (_, file) = parts.next()?.split_once('/')?;
    let path = chart.join(file);
    let mut number = || parts.next().and_then(|text| text.parse::<u32>().ok());
    let line = number()?;
    let column = number().unwrap_or(0);
    path.is_file().then(|| Position::new(path.as_str(), line, column.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// A service `web` in a folder of its own.
    fn item(root: &Utf8Path) -> Item {
        let described =
            json!({"name": "web", "summary": "x", "category": "x", "phase": "core", "architectures": ["amd64"]});
        let mut service: catalog::Service = serde_json::from_value(described).unwrap();
        (service.folder, service.chart_folder) = (root.join("web"), root.join("chart"));
        std::fs::create_dir_all(root.join("chart/templates")).unwrap();
        std::fs::create_dir_all(root.join("web")).unwrap();
        std::fs::write(root.join("chart/templates/a.yaml"), "x\n").unwrap();
        std::fs::write(root.join("web/values.yml"), "image:\n  tag: 1\n  tagg: 2\n").unwrap();
        std::fs::write(root.join("laid.yml"), "image: {tagg: 3}\nhosts: [1]\n").unwrap();
        Item { service, path: "build.yml".into() }
    }

    #[rstest]
    #[case("- at '/image': additional properties 'tagg' not allowed", &[], Some("web/values.yml:3:3"))]
    #[case("- at '/image': additional properties 'tagg' not allowed", &["laid.yml"], Some("laid.yml:1:9"))]
    #[case("- at '/hosts/0': got number, want string", &["laid.yml"], Some("laid.yml:2:9"))]
    #[case("- at '': additional properties 'foo' not allowed", &["laid.yml"], None)]
    #[case("parse error at (web/templates/a.yaml:1): missing value for if", &[], Some("chart/templates/a.yaml:1:1"))]
    #[case("template: web/templates/a.yaml:1:3: executing \"web/templates/a.yaml\" at <x>", &[], Some("chart/templates/a.yaml:1:4"))]
    fn helm_is_understood(#[case] text: &str, #[case] laid_over: &[&str], #[case] expected: Option<&str>) {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        let item = item(root);
        let laid_over: Vec<_> = laid_over.iter().map(|file| root.join(file)).collect();
        let told = explain(&format!("Error: UPGRADE FAILED: {text}"), &item, &laid_over).unwrap();
        let place = told.position.map(|at| at.to_string().replace(&format!("{root}/"), ""));
        assert_eq!(place.as_deref(), expected);
    }

    #[test]
    fn a_chart_that_refuses_values_is_not_to_be_corrected() {
        let directory = tempfile::tempdir().unwrap();
        let item = item(Utf8Path::from_path(directory.path()).unwrap());
        let told = explain("execution error at (web/templates/a.yaml:1:0): replicas: one at most", &item, &[]).unwrap();
        assert!(told.hint.starts_with("correct the values;"), "{}", told.hint);
    }

    #[test]
    fn a_repository_that_is_away_is_no_cluster_that_is_away() {
        let away = |what: &str| {
            format!("Error: {what}: Get \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused")
        };
        assert!(is_unreachable(&away("Kubernetes cluster unreachable")));
        assert!(!is_unreachable(&away(
            "looks like \"http://127.0.0.1:1\" is not a valid chart repository or cannot be reached"
        )));
    }

    #[test]
    fn other_texts_are_not_explained() {
        let directory = tempfile::tempdir().unwrap();
        let item = item(Utf8Path::from_path(directory.path()).unwrap());
        assert_eq!(explain("Error: timed out waiting for the condition", &item, &[]), None);
    }
}
