//! Images are pinned by digest where that is known.

use crate::lint::findings::Findings;
use crate::lint::{Image, ImageFacts};
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule =
    Rule::policy("image-digest", "an image whose digest build/images.yml knows is pinned by that digest", check)
        .hinted("set `image.digest` in the chart's values.yaml");

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for configuration in subject.deployed() {
        for object in configuration.own() {
            let Some(pod) = object.pod() else { continue };
            for container in pod.containers() {
                let name = container["image"].as_str().unwrap_or_default();
                let image = Image::parse(name);
                let known = subject.images.get(&image).and_then(|facts: &ImageFacts| facts.digest.as_deref());
                match known {
                    Some(digest) if image.digest.is_empty() => {
                        findings.object(configuration, object, format!("image `{name}` is known to be `{digest}`"));
                    }
                    Some(digest) if image.digest != digest => {
                        let message = format!("image `{name}` has another digest than the known `{digest}`");
                        findings.object(configuration, object, message);
                    }
                    _ => {}
                }
            }
        }
    }
}
