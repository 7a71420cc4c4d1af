//! Which images there are: every package with `[package.metadata.image]`, as `cargo metadata` tells.

use crate::error::Error;
use serde::Deserialize;

/// What `cargo metadata --no-deps --format-version 1` prints, as far as it matters here.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    packages: Vec<Package>,
}

/// A package that becomes an image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Package {
    /// Its name, and its binary's.
    pub name: String,
    /// Its version, which becomes the tag.
    pub version: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// SPDX expression.
    #[serde(default)]
    pub license: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Metadata {
    image: Option<Image>,
}

/// `[package.metadata.image]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Where the service listens; absent when it does not.
    #[serde(default)]
    pub port: Option<u16>,
}

impl Package {
    /// What it says of its image.
    pub fn image(&self) -> Option<&Image> {
        self.metadata.as_ref()?.image.as_ref()
    }
}

impl Workspace {
    /// The packages that become images, by name.
    ///
    /// # Errors
    /// [`Error::NoService`].
    pub fn services(&self) -> Result<Vec<Package>, Error> {
        let mut services: Vec<Package> =
            self.packages.iter().filter(|package| package.image().is_some()).cloned().collect();
        services.sort_by(|a, b| a.name.cmp(&b.name));
        if services.is_empty() { Err(Error::NoService) } else { Ok(services) }
    }
}

/// Reads the JSON.
///
/// # Errors
/// [`Error::Metadata`].
pub fn read(text: &str) -> Result<Workspace, Error> {
    serde_json::from_str(text).map_err(Error::Metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_that_ask_for_it_become_images() {
        let text = r#"{"packages": [
            {"name": "b", "version": "1.0.0", "metadata": {"image": {"port": 8081}}},
            {"name": "a", "version": "1.0.0", "description": "does a", "license": "MIT", "metadata": {"image": {}}},
            {"name": "c", "version": "1.0.0", "metadata": null},
            {"name": "d", "version": "1.0.0", "metadata": {"docs": {}}}], "version": 1}"#;
        let services = read(text).unwrap().services().unwrap();
        let names: Vec<(&str, Option<u16>)> =
            services.iter().map(|service| (service.name.as_str(), service.image().unwrap().port)).collect();
        assert_eq!(names, [("a", None), ("b", Some(8081))]);
    }

    #[test]
    fn a_slip_is_an_error() {
        let text = r#"{"packages": [{"name": "b", "version": "1", "metadata": {"image": {"prot": 1}}}]}"#;
        assert!(matches!(read(text), Err(Error::Metadata(_))));
        assert!(matches!(read("{}"), Err(Error::Metadata(_))));
        assert!(matches!(read(r#"{"packages": []}"#).unwrap().services(), Err(Error::NoService)));
    }
}
