//! What is known of container images: `build/images.yml`, since no registry can be asked while a chart is checked.

use crate::tree::{self, Node};
use crate::{Architecture, Error};
use camino::Utf8Path;
use diagnostic::{Mistake, Mistakes};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Facts on images, by `repository:tag` with the registry's name written out.
#[derive(Debug, Clone, Default)]
pub struct Images(BTreeMap<String, ImageFacts>);

/// What is known of one image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFacts {
    /// `repository:tag`
    pub image: String,
    /// The processors that it exists for.
    pub architectures: Vec<Architecture>,
    /// `sha256:…` of the image or its index, where that is known.
    #[serde(default)]
    pub digest: Option<String>,
    /// Where this is known from.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    images: Vec<ImageFacts>,
}

/// An image's name in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `docker.io/library/busybox`
    pub repository: String,
    /// Empty when there is none.
    pub tag: String,
    /// `sha256:…`, empty when there is none.
    pub digest: String,
}

impl Image {
    /// Reads a name as container runtimes do: without a registry it is Docker Hub's, without a user there an official image.
    /// <https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed>
    pub fn parse(text: &str) -> Self {
        let (name, digest) = text.split_once('@').unwrap_or((text, ""));
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (name, ""),
        };
        let has_registry =
            name.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost");
        let repository = match name {
            name if has_registry => name.to_owned(),
            name if name.contains('/') => format!("docker.io/{name}"),
            name => format!("docker.io/library/{name}"),
        };
        Self { repository, tag: tag.to_owned(), digest: digest.to_owned() }
    }

    fn key(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

impl Images {
    /// Where the facts lie in a repository.
    pub const PATH: &'static str = "build/images.yml";

    /// Reads the file; a repository without one knows nothing.
    ///
    /// # Errors
    /// Everything wrong in it.
    pub fn load(root: &Utf8Path) -> Result<Self, Error> {
        let path = if root == "." || root == "" { Self::PATH.into() } else { root.join(Self::PATH) };
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
        Ok(Self::parse(&text, path.as_str())?)
    }

    /// Reads facts. `file` is what positions call it.
    ///
    /// # Errors
    /// Everything wrong in the text.
    pub fn parse(text: &str, file: &str) -> Result<Self, Mistakes> {
        let read: File = serde_saphyr::from_str(text).map_err(|error| tree::mistake(&error, file))?;
        let node = Node::parse(text, file).map_err(|mistake| *mistake)?;
        let places = node.get("images").map(Node::items).unwrap_or_default();
        let (mut facts, mut mistakes) = (BTreeMap::new(), Mistakes::new());
        for (entry, place) in read.images.into_iter().zip(places) {
            let position = place.position(file);
            let image = Image::parse(&entry.image);
            if image.tag.is_empty() || !image.digest.is_empty() {
                let message = format!("`{}` is not `repository:tag`; the digest has a key of its own", entry.image);
                mistakes.push(Mistake::at(position.clone(), message));
            }
            if entry.architectures.is_empty() || entry.source.trim().is_empty() {
                let message =
                    format!("`{}` needs its architectures, and the source that they are known from", entry.image);
                mistakes.push(Mistake::at(position.clone(), message));
            }
            if let Some(earlier) = facts.insert(image.key(), entry) {
                mistakes.push(Mistake::at(position, format!("`{}` stands here twice", earlier.image)));
            }
        }
        mistakes.into_result()?;
        Ok(Self(facts))
    }

    /// What is known of an image.
    pub fn get(&self, image: &Image) -> Option<&ImageFacts> {
        self.0.get(&image.key())
    }

    /// All facts, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ImageFacts> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("busybox:1.38", "docker.io/library/busybox", "1.38", "")]
    #[case("dunglas/mercure:v0.24.2", "docker.io/dunglas/mercure", "v0.24.2", "")]
    #[case("docker.io/dunglas/mercure", "docker.io/dunglas/mercure", "", "")]
    #[case("ghcr.io/a/b:1@sha256:0a", "ghcr.io/a/b", "1", "sha256:0a")]
    #[case("localhost:5000/a", "localhost:5000/a", "", "")]
    fn names_are_read_as_runtimes_do(
        #[case] text: &str,
        #[case] repository: &str,
        #[case] tag: &str,
        #[case] digest: &str,
    ) {
        let image = Image::parse(text);
        assert_eq!((image.repository.as_str(), image.tag.as_str(), image.digest.as_str()), (repository, tag, digest));
    }

    #[test]
    fn everything_wrong_in_the_facts_is_told() {
        let text = "images:\n  - {image: a, architectures: [amd64], source: x}\n  - {image: b:1, architectures: [], source: x}\n  \
                    - {image: docker.io/library/b:1, architectures: [amd64], source: x}\n";
        let mistakes = Images::parse(text, "images.yml").unwrap_err();
        let told: Vec<_> = mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[2].contains("twice"), "{told:?}");
        assert!(Images::parse("images: [{image: a:1, arch: x}]", "images.yml").is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[a-z0-9:/@.]{0,40}") {
            let _ = Image::parse(&text);
        }
    }
}
