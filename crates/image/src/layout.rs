//! The image layout (image-spec 1.1, "Image Layout"): a directory of blobs named by their digest, and the same as one archive.

use crate::archive::{Archive, gzip};
use crate::elf::{self, Architecture};
use crate::error::Error;
use crate::root;
use crate::service::Service;
use data_encoding::HEXLOWER;
use oci_spec::image::{
    Descriptor, DescriptorBuilder, ImageIndexBuilder, ImageManifestBuilder, MediaType, OciLayoutBuilder,
    PlatformBuilder, SCHEMA_VERSION, Sha256Digest,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its full name.
    pub reference: String,
    /// Digest of what the name stands for: an image, or an index of one per architecture.
    pub digest: String,
    /// Bytes of all its layers.
    pub layer_bytes: u64,
    /// The layout's directory.
    pub directory: PathBuf,
    /// The same as an archive.
    pub archive: PathBuf,
}

/// Builds the image of a service, from a binary per architecture, into `<out>/<name>/` and `<out>/<name>-<version>.tar`.
///
/// # Errors
/// See [`Error`].
pub fn build(service: &Service<'_>, binaries: &BTreeMap<Architecture, PathBuf>, out: &Path) -> Result<Built, Error> {
    let mut blobs = Blobs::default();
    let mut manifests = Vec::new();
    for (architecture, path) in binaries {
        let bytes = std::fs::read(path).map_err(Error::file(path))?;
        elf::check(path, &bytes, *architecture)?;
        manifests.push(manifest(service, *architecture, bytes, &mut blobs)?);
    }
    let layer_bytes = blobs.layer_bytes;
    let mut named = match manifests.as_slice() {
        [one] => one.clone(),
        _ => {
            let index = ImageIndexBuilder::default()
                .schema_version(SCHEMA_VERSION)
                .media_type(MediaType::ImageIndex)
                .manifests(manifests)
                .annotations(service.labels().into_iter().collect::<HashMap<_, _>>());
            blobs.json(MediaType::ImageIndex, &index.build()?)?
        }
    };
    let digest = named.digest().to_string();
    let reference = service.reference();
    // containerd takes the whole name from its own annotation; the other is a name within the layout.
    named.set_annotations(Some(HashMap::from([
        ("org.opencontainers.image.ref.name".to_owned(), service.package.version.clone()),
        ("io.containerd.image.name".to_owned(), reference.clone()),
    ])));
    let index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(vec![named])
        .build()?;
    let layout = OciLayoutBuilder::default().image_layout_version("1.0.0").build()?;
    let mut files = blobs.files;
    files.insert("index.json".to_owned(), json(&index)?);
    files.insert("oci-layout".to_owned(), json(&layout)?);
    let (directory, archive) = write(service, &files, out)?;
    Ok(Built { reference, digest, layer_bytes, directory, archive })
}

/// The image for one architecture.
fn manifest(
    service: &Service<'_>,
    architecture: Architecture,
    binary: Vec<u8>,
    blobs: &mut Blobs,
) -> Result<Descriptor, Error> {
    let mut program = Archive::default();
    program.file(&service.binary(), 0o755, binary);
    let (mut layers, mut unpacked) = (Vec::new(), Vec::new());
    for archive in [root::archive(), program] {
        let tar = archive.tar().map_err(Error::file(service.binary()))?;
        unpacked.push(format!("sha256:{}", hash(&tar)));
        let packed = gzip(&tar).map_err(Error::file(service.binary()))?;
        layers.push(blobs.add(MediaType::ImageLayerGzip, packed)?);
    }
    blobs.layer_bytes += layers.iter().map(Descriptor::size).sum::<u64>();
    let configuration = service.configuration(architecture, &unpacked)?;
    let (arch, os) = (configuration.architecture().clone(), configuration.os().clone());
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(blobs.json(MediaType::ImageConfig, &configuration)?)
        .layers(layers)
        .annotations(service.labels().into_iter().collect::<HashMap<_, _>>())
        .build()?;
    let mut descriptor = blobs.json(MediaType::ImageManifest, &manifest)?;
    descriptor.set_platform(Some(PlatformBuilder::default().architecture(arch).os(os).build()?));
    Ok(descriptor)
}

/// Files of the layout by their paths.
#[derive(Default)]
struct Blobs {
    files: BTreeMap<String, Vec<u8>>,
    layer_bytes: u64,
}

impl Blobs {
    fn add(&mut self, kind: MediaType, bytes: Vec<u8>) -> Result<Descriptor, Error> {
        let digest = hash(&bytes);
        let descriptor = DescriptorBuilder::default()
            .media_type(kind)
            .size(bytes.len() as u64)
            .digest(Sha256Digest::from_str(&digest)?)
            .build()?;
        self.files.insert(format!("blobs/sha256/{digest}"), bytes);
        Ok(descriptor)
    }

    fn json(&mut self, kind: MediaType, value: &impl Serialize) -> Result<Descriptor, Error> {
        self.add(kind, json(value)?)
    }
}

/// Keys sorted: the library keeps labels in hash maps, whose order is another one each time.
fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut value = serde_json::to_value(value)?;
    value.sort_all_objects();
    Ok(serde_json::to_vec(&value)?)
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn write(service: &Service<'_>, files: &BTreeMap<String, Vec<u8>>, out: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let directory = out.join(&service.package.name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).map_err(Error::file(&directory))?;
    }
    let mut archive = Archive::default();
    for (name, bytes) in files {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(&directory);
        std::fs::create_dir_all(parent).map_err(Error::file(parent))?;
        std::fs::write(&path, bytes).map_err(Error::file(&path))?;
        archive.file(name, 0o644, bytes.as_slice());
    }
    let path = out.join(format!("{}-{}.tar", service.package.name, service.package.version));
    let bytes = archive.tar().map_err(Error::file(&path))?;
    std::fs::write(&path, bytes).map_err(Error::file(&path))?;
    Ok((directory, path))
}
