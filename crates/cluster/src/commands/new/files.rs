//! The files of a service, as values: nothing is written here.

use super::check::Surroundings;
use super::facts;
use super::render::Renderer;
use super::wanted::{Server, Wanted, What};
use crate::exit::{Failure, Result};
use camino::Utf8Path;
use catalog::lint::Images;
use catalog::{DEFINITIONS, values_schema};
use serde_json::{Value, json};

/// What is to be written.
#[derive(Debug)]
pub(super) struct Plan {
    /// In the folder of the playbook.
    pub(super) playbook: Vec<File>,
    /// In the folder of the chart.
    pub(super) chart: Vec<File>,
    /// `build/images.yml` with one more entry.
    pub(super) images: Option<String>,
}

/// A file, by its path in its folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) content: Content,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    /// A symbolic link.
    Link(&'static str),
}

impl File {
    fn text(path: &'static str, text: String) -> Self {
        Self { path, content: Content::Text(text) }
    }
}

/// Everything for this service.
pub(super) fn plan(wanted: &Wanted, surroundings: &Surroundings) -> Result<Plan> {
    let renderer = Renderer::new(wanted);
    let images = wanted.new_facts.as_ref().map(|entry| facts::extended(&surroundings.root, entry)).transpose()?;
    Ok(Plan { playbook: playbook(wanted, &renderer), chart: chart(wanted, &renderer, &surroundings.root)?, images })
}

fn playbook(wanted: &Wanted, renderer: &Renderer) -> Vec<File> {
    let (values, readme) = match wanted.what {
        What::Image(_) => (include_str!("templates/playbook/values.yml"), include_str!("templates/playbook/README.md")),
        What::Chart(_) => {
            (include_str!("templates/upstream/values.yml"), include_str!("templates/upstream/playbook.README.md"))
        }
    };
    let mut files = vec![
        File::text("build.yml", renderer.render(include_str!("templates/playbook/build.yml"))),
        File::text("service.yml", renderer.render(include_str!("templates/playbook/service.yml"))),
        File::text("values.yml", renderer.render(values)),
        File::text("README.md", renderer.render(readme)),
    ];
    if wanted.has_secrets() {
        let example = renderer.render(include_str!("templates/playbook/cfg.example.yml"));
        files.push(File::text("cfg.example.yml", example));
    }
    files
}

fn chart(wanted: &Wanted, renderer: &Renderer, root: &Utf8Path) -> Result<Vec<File>> {
    let mut files = vec![
        File { path: "charts/common", content: Content::Link("../../common") },
        File::text("Chart.yaml", renderer.render(include_str!("templates/chart/Chart.yaml"))),
        File::text(".helmignore", renderer.render(include_str!("templates/chart/helmignore"))),
    ];
    match &wanted.what {
        What::Image(server) => {
            let values = renderer.render(include_str!("templates/chart/values.yaml"));
            files.push(File::text("values.schema.json", schema(wanted, &values, root)?));
            files.push(File::text("values.yaml", values));
            files.extend(of_server(server).map(|(path, template)| File::text(path, renderer.render(template))));
        }
        What::Chart(_) => {
            files.extend(of_upstream().map(|(path, template)| File::text(path, renderer.render(template))));
        }
    }
    Ok(files)
}

/// The rest of a chart for an image.
fn of_server(server: &Server) -> [(&'static str, &'static str); 7] {
    let test = match server.health {
        Some(_) => ("templates/tests/http.yaml", include_str!("templates/chart/templates/test-http.yaml")),
        None => ("templates/tests/tcp.yaml", include_str!("templates/chart/templates/test-tcp.yaml")),
    };
    [
        ("README.md", include_str!("templates/chart/README.md")),
        ("ci/everything-values.yaml", include_str!("templates/chart/ci/everything-values.yaml")),
        ("ci/nothing-values.yaml", include_str!("templates/chart/ci/nothing-values.yaml")),
        ("templates/server.yaml", include_str!("templates/chart/templates/server.yaml")),
        ("templates/objects.yaml", include_str!("templates/chart/templates/objects.yaml")),
        ("templates/NOTES.txt", include_str!("templates/chart/templates/NOTES.txt")),
        test,
    ]
}

/// The rest of a chart around one of somebody else's, which checks its values itself.
fn of_upstream() -> [(&'static str, &'static str); 8] {
    [
        ("README.md", include_str!("templates/upstream/README.md")),
        ("upstream.yml", include_str!("templates/upstream/upstream.yml")),
        ("values.yaml", include_str!("templates/upstream/values.yaml")),
        ("values.schema.json", include_str!("templates/upstream/values.schema.json")),
        ("ci/everything-values.yaml", include_str!("templates/upstream/ci/everything-values.yaml")),
        ("ci/nothing-values.yaml", include_str!("templates/upstream/ci/nothing-values.yaml")),
        ("templates/objects.yaml", include_str!("templates/upstream/objects.yaml")),
        ("templates/NOTES.txt", include_str!("templates/upstream/NOTES.txt")),
    ]
}

/// The schema of the values, from what the charts of this project share.
fn schema(wanted: &Wanted, values: &str, root: &Utf8Path) -> Result<String> {
    let unusable = |what: &str| {
        let failure = Failure::usage(format!("`{DEFINITIONS}` {what}"));
        failure.hinted("a chart stands on the library chart build/charts/common, which a clone of the project has")
    };
    let text =
        std::fs::read_to_string(root.join(DEFINITIONS)).map_err(|error| unusable("can not be read").because(error))?;
    let shared: Value = serde_json::from_str(&text).map_err(|error| unusable("is no JSON").because(error))?;
    let values: Value = serde_saphyr::from_str(values).expect("a test reads the values of every kind of service");
    let schema = values_schema(wanted.name.as_str(), &json!({}), &values, &shared);
    schema.map_err(|error| unusable("does not fit this program").because(error).into())
}

impl Plan {
    /// The paths of all files in the project, sorted.
    pub(super) fn paths(&self, name: &str) -> Vec<String> {
        let playbook = self.playbook.iter().map(|file| format!("build/playbooks/{name}/{}", file.path));
        let chart = self.chart.iter().map(|file| format!("build/charts/{name}/{}", file.path));
        let mut paths: Vec<_> = playbook.chain(chart).collect();
        paths.sort();
        paths.extend(self.images.iter().map(|_| Images::PATH.to_owned()));
        paths
    }
}
