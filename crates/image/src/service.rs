//! The description of one image: who it is, how it starts.

use crate::elf::Architecture;
use crate::error::Error;
use crate::metadata::Package;
use crate::root::USER;
use oci_spec::image::{
    Arch, ConfigBuilder, History, HistoryBuilder, ImageConfiguration, ImageConfigurationBuilder, Os, RootFsBuilder,
};
use std::collections::{BTreeMap, HashMap};

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// What image names begin with: `ghcr.io/blong14/compute-cluster`.
    pub repository: String,
    /// Where the sources are.
    pub source: String,
    /// Their commit.
    pub revision: String,
    /// The commit's time, RFC 3339: the same for every build of it.
    pub created: String,
}

/// One image.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// What goes into it.
    pub package: &'a Package,
    /// Where it comes from.
    pub provenance: &'a Provenance,
}

impl Service<'_> {
    /// `ghcr.io/blong14/compute-cluster/data-ingestion:0.1.0`, as the charts name it.
    pub fn reference(&self) -> String {
        format!("{}/{}:{}", self.provenance.repository, self.package.name, self.package.version)
    }

    /// Where the binary stands in the image.
    pub fn binary(&self) -> String {
        format!("usr/bin/{}", self.package.name)
    }

    /// OCI's predefined annotations (image-spec 1.1, "Annotations"), as labels and on the manifest.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let about = self.package.description.clone().unwrap_or_default();
        let license = self.package.license.clone().unwrap_or_default();
        let Provenance { source, revision, created, .. } = self.provenance;
        let pairs = [
            ("title", &self.package.name),
            ("description", &about),
            ("version", &self.package.version),
            ("licenses", &license),
            ("source", source),
            ("revision", revision),
            ("created", created),
        ];
        let named = |(name, value): (&str, &String)| (format!("org.opencontainers.image.{name}"), value.clone());
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(named).collect()
    }

    /// The configuration of an image with these layers, given by the digests of their unpacked archives.
    ///
    /// # Errors
    /// The library finds a value missing.
    pub fn configuration(&self, architecture: Architecture, layers: &[String]) -> Result<ImageConfiguration, Error> {
        let mut config = ConfigBuilder::default()
            .user(format!("{USER}:{USER}"))
            .env(["PATH=/usr/bin".to_owned()])
            .entrypoint([format!("/{}", self.binary())])
            .working_dir("/")
            .stop_signal("SIGTERM")
            .labels(self.labels().into_iter().collect::<HashMap<_, _>>());
        if let Some(port) = self.package.image().and_then(|image| image.port) {
            config = config.exposed_ports([format!("{port}/tcp")]);
        }
        let arch = match architecture {
            Architecture::Amd64 => Arch::Amd64,
            Architecture::Arm64 => Arch::ARM64,
        };
        let history = layers.iter().map(|_| self.history()).collect::<Result<Vec<_>, _>>()?;
        Ok(ImageConfigurationBuilder::default()
            .created(self.provenance.created.clone())
            .architecture(arch)
            .os(Os::Linux)
            .config(config.build()?)
            .rootfs(RootFsBuilder::default().typ("layers").diff_ids(layers.to_vec()).build()?)
            .history(history)
            .build()?)
    }

    fn history(&self) -> Result<History, Error> {
        Ok(HistoryBuilder::default().created(self.provenance.created.clone()).created_by("make images").build()?)
    }
}
