//! Images are pinned by version.

use crate::lint::Image;
use crate::lint::findings::Findings;
use crate::lint::{Rule, Subject};

pub(crate) const RULE: Rule = Rule::policy("image-version", "the tag of every image holds a version", check)
    .hinted("pin the image by the tag of a release");

fn check(subject: &Subject, findings: &mut Findings<'_>) {
    for (configuration, object, pod) in subject.pods() {
        for container in pod.containers() {
            let name = container["image"].as_str().unwrap_or_default();
            let tag = Image::parse(name).tag;
            if tag == "latest" || !tag.contains(|c: char| c.is_ascii_digit()) {
                findings.object(configuration, object, format!("image `{name}` has no version"));
            }
        }
    }
}
