//! What is known of the image, from `build/images.yml`, and the entry for that file when it does not know the image yet:
//! `cluster catalog lint` compares charts with it.

use super::wanted::ImageName;
use crate::exit::{Failure, Result};
use camino::Utf8Path;
use catalog::Architecture;
use catalog::lint::{Image, Images};
use diagnostic::{Mistake, Mistakes};

const ALL: [Architecture; 2] = [Architecture::Amd64, Architecture::Arm64];

/// What is known, or taken for granted, of an image.
pub(super) struct Known {
    pub(super) architectures: Vec<Architecture>,
    pub(super) digest: Option<String>,
    /// Where that comes from, when the file does not have it yet.
    source: Option<&'static str>,
}

impl Known {
    /// The entry for the file.
    pub(super) fn entry(&self, image: &ImageName) -> Option<String> {
        let source = self.source?;
        let list: Vec<_> = self.architectures.iter().map(ToString::to_string).collect();
        let digest = self.digest.as_ref().map_or_else(String::new, |digest| format!("    digest: {digest}\n"));
        let ImageName { repository, tag, .. } = image;
        let list = list.join(", ");
        Some(format!("  - image: {repository}:{tag}\n    architectures: [{list}]\n{digest}    source: {source}\n"))
    }
}

/// The processors that were named, in the usual order.
fn said(names: &[String]) -> Vec<Architecture> {
    ALL.into_iter().filter(|one| names.contains(&one.to_string())).collect()
}

/// The processors that were named, else all.
pub(super) fn said_or_all(names: &[String]) -> Vec<Architecture> {
    Some(said(names)).filter(|said| !said.is_empty()).unwrap_or(ALL.into())
}

/// What the file knows, and what was said on the command line, which may not contradict each other.
pub(super) fn of(image: &ImageName, names: &[String], images: &Images) -> std::result::Result<Known, Mistakes> {
    let said = said(names);
    let digest = Some(image.digest.clone()).filter(|digest| !digest.is_empty());
    let name = format!("{}:{}", image.repository, image.tag);
    let Some(facts) = images.get(&Image::parse(&name)) else {
        return Ok(match said.is_empty() {
            true => Known {
                architectures: ALL.into(),
                digest,
                source: Some("unproven; `cluster new` was not told and took both for granted"),
            },
            false => Known { architectures: said, digest, source: Some("unproven; what `cluster new` was told") },
        });
    };
    let mut mistakes = Mistakes::new();
    let mut architectures = facts.architectures.clone();
    architectures.sort();
    if !said.is_empty() && said != architectures {
        let known: Vec<_> = architectures.iter().map(ToString::to_string).collect();
        let message = format!("image `{name}` exists for {}, as `{}` knows", known.join(", "), Images::PATH);
        mistakes.push(Mistake::new(message).hinted("leave `--arch` out, or correct that file"));
    }
    if let (Some(known), Some(given)) = (&facts.digest, &digest)
        && known != given
    {
        let message = format!("image `{name}` has the digest `{known}`, as `{}` knows", Images::PATH);
        mistakes.push(Mistake::new(message).hinted("leave the digest out, or correct that file"));
    }
    mistakes.into_result()?;
    Ok(Known { architectures, digest: facts.digest.clone().or(digest), source: None })
}

/// The file with one more entry.
pub(super) fn extended(root: &Utf8Path, entry: &str) -> Result<String> {
    let path = root.join(Images::PATH);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "images:".to_owned(),
        Err(error) => return Err(Failure::usage(format!("`{}` can not be read", Images::PATH)).because(error).into()),
    };
    let text = format!("{}\n{entry}", text.trim_end());
    match Images::parse(&text, Images::PATH) {
        Ok(_) => Ok(text),
        Err(_) => {
            let failure =
                Failure::usage(format!("`{}` can not be extended: its list does not end the file", Images::PATH));
            Err(failure.hinted(format!("add to its list by hand:\n{entry}")).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(digest: &str) -> ImageName {
        ImageName { repository: "redis".into(), tag: "7.4".into(), digest: digest.into() }
    }

    fn images(text: &str) -> Images {
        Images::parse(text, "images.yml").unwrap()
    }

    #[test]
    fn what_is_known_holds_and_is_not_contradicted() {
        let images = images(
            "images: [{image: docker.io/library/redis:7.4, architectures: [arm64], digest: 'sha256:1', source: x}]",
        );
        let known = of(&image(""), &[], &images).ok().unwrap();
        assert_eq!(
            (known.architectures.as_slice(), known.digest.as_deref()),
            (&[Architecture::Arm64][..], Some("sha256:1"))
        );
        assert_eq!(known.entry(&image("")), None);
        let mistakes = of(&image("sha256:2"), &["amd64".into()], &images).err().unwrap();
        assert_eq!(mistakes.iter().count(), 2);
    }

    #[test]
    fn what_is_not_known_becomes_an_entry_that_says_so() {
        let known = of(&image("sha256:1"), &["arm64".into()], &Images::default()).ok().unwrap();
        let entry = known.entry(&image("sha256:1")).unwrap();
        let images = images(&format!("images:\n{entry}"));
        let facts = images.get(&Image::parse("redis:7.4")).unwrap();
        assert_eq!(facts.architectures, [Architecture::Arm64]);
        assert_eq!(facts.digest.as_deref(), Some("sha256:1"));
        assert!(facts.source.starts_with("unproven"), "{facts:?}");
    }

    #[test]
    fn a_file_that_does_not_end_with_its_list_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        assert!(
            extended(root, "  - {image: a:1, architectures: [amd64], source: x}\n").unwrap().starts_with("images:\n")
        );
        std::fs::create_dir(root.join("build")).unwrap();
        std::fs::write(root.join(Images::PATH), "images: []\n").unwrap();
        let error = extended(root, "  - {image: a:1, architectures: [amd64], source: x}\n").unwrap_err();
        assert!(error.hint().unwrap().contains("image: a:1"));
    }
}
