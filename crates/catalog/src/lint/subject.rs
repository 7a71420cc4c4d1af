//! A service with everything that the rules look at.

use crate::lint::object::Pod;
use crate::lint::{Configuration, Files, Images, Object};
use crate::tree::Node;
use crate::{Error, Service};
use diagnostic::Position;
use std::sync::Arc;

/// A service with everything that the rules look at.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What its `service.yml` says.
    pub service: Service,
    /// The files of its playbook's folder.
    pub playbook: Files,
    /// The files of its chart's folder.
    pub chart: Files,
    /// What Helm makes of the chart.
    pub rendered: Rendered,
    /// What is known of images.
    pub images: Arc<Images>,
}

/// What Helm makes of a chart.
#[derive(Debug, Clone)]
pub enum Rendered {
    /// Objects.
    Manifests(Manifests),
    /// Nothing, for a reason that is told elsewhere or lies outside of the repository.
    Missing(String),
}

/// A chart's objects.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// In each configuration.
    pub configurations: Vec<Configuration>,
    /// By default, as a release called `second`.
    pub second: Vec<Object>,
}

/// The name of the other release.
pub(crate) const SECOND: &str = "second";

impl Manifests {
    /// The name of [`Manifests::second`]'s release.
    pub const SECOND: &'static str = SECOND;
}

impl Subject {
    /// Reads a service's files; the chart is not rendered yet.
    ///
    /// # Errors
    /// A file or folder can't be read.
    pub fn read(service: &Service, images: Arc<Images>) -> Result<Self, Error> {
        Ok(Self {
            playbook: Files::read(&service.folder)?,
            chart: Files::read(&service.chart_folder)?,
            service: service.clone(),
            rendered: Rendered::Missing("the chart is not rendered".to_owned()),
            images,
        })
    }

    /// The files that set values for the chart's configurations besides the default, with `true` for what this repository deploys:
    /// paths in the chart's folder, and `values.yml` of the playbook's.
    pub fn configurations(&self) -> Vec<(String, bool)> {
        let deployed = self.playbook.has("values.yml").then(|| ("values.yml".to_owned(), true));
        let is_edge = |path: &&str| path.starts_with("ci/") && path.ends_with("-values.yaml");
        let edges = self.chart.paths().filter(is_edge).map(|path| (path.to_owned(), false));
        deployed.into_iter().chain(edges).collect()
    }

    /// Whether the chart brings charts of other people, which come from a repository.
    pub fn depends_on_upstream(&self) -> bool {
        let chart = self.chart.text("Chart.yaml").and_then(|text| Node::parse(text, "Chart.yaml").ok());
        chart.is_some_and(|chart| {
            let dependencies = chart.get("dependencies").map(Node::items).unwrap_or_default();
            dependencies.iter().any(|dependency| {
                let repository = dependency.get("repository").and_then(Node::as_str).unwrap_or_default();
                !repository.is_empty() && !repository.starts_with("file://")
            })
        })
    }

    /// Every configuration; none when the chart was not rendered.
    pub(crate) fn each(&self) -> &[Configuration] {
        match &self.rendered {
            Rendered::Manifests(manifests) => &manifests.configurations,
            Rendered::Missing(_) => &[],
        }
    }

    /// The configurations that people get.
    pub(crate) fn deployed(&self) -> impl Iterator<Item = &Configuration> {
        self.each().iter().filter(|configuration| configuration.is_deployed)
    }

    /// The objects of the other release.
    pub(crate) fn second(&self) -> &[Object] {
        match &self.rendered {
            Rendered::Manifests(manifests) => &manifests.second,
            Rendered::Missing(_) => &[],
        }
    }

    /// The chart's own objects in each configuration.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Configuration, &Object)> {
        self.each().iter().flat_map(|configuration| configuration.own().map(move |object| (configuration, object)))
    }

    /// The chart's own objects that make pods, in each configuration.
    pub(crate) fn pods(&self) -> impl Iterator<Item = (&Configuration, &Object, Pod<'_>)> {
        self.objects().filter_map(|(configuration, object)| Some((configuration, object, object.pod()?)))
    }

    /// An object as exceptions write it: `daemonset/agent`, as the default values name it.
    pub(crate) fn workload(&self, configuration: &Configuration, object: &Object) -> String {
        let name = configuration.usual_name(object.name(), &self.service.release_name());
        format!("{}/{name}", object.kind().to_lowercase())
    }

    /// The template that made an object, as a path in the repository.
    pub(crate) fn template(&self, object: &Object) -> Option<String> {
        let (_, path) = object.source.split_once('/')?;
        Some(self.chart.path(path))
    }

    /// `service.yml`, with places.
    pub(crate) fn service_file(&self) -> Option<(Node, String)> {
        let path = self.playbook.path("service.yml");
        let node = Node::parse(self.playbook.text("service.yml")?, &path).ok()?;
        Some((node, path))
    }

    /// The place of a top-level key of `service.yml`, or of the file's beginning.
    pub(crate) fn service_key(&self, key: &str) -> Position {
        let place = self.service_file().and_then(|(node, path)| Some(node.get(key)?.position(&path)));
        place.unwrap_or_else(|| Position::new(self.playbook.path("service.yml"), 1, 1))
    }
}

impl Configuration {
    /// The chart's own objects.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| !object.is_upstream())
    }
}
