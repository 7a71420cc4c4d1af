//! Which tasks `--tags` and `--skip-tags` select (`Taggable.evaluate_tags`, 2.19).

use crate::load::Level;
use std::collections::HashSet;
use template::Value;

/// What was asked for.
pub(crate) struct Selection<'a> {
    /// `--tags`
    pub(crate) only: &'a [String],
    /// `--skip-tags`
    pub(crate) skip: &'a [String],
}

impl Selection<'_> {
    /// Whether a task with these tags is run.
    pub(crate) fn takes(&self, tags: &HashSet<String>) -> bool {
        let untagged = HashSet::from(["untagged".to_owned()]);
        let tags = if tags.is_empty() { &untagged } else { tags };
        let is_tagged = *tags != untagged;
        let has = |list: &[String], word: &str| list.iter().any(|known| known == word);
        let meets = |list: &[String]| list.iter().any(|tag| tags.contains(tag));
        let only = if self.only.is_empty() { &["all".to_owned()][..] } else { self.only };
        let is_chosen = tags.contains("always")
            || (has(only, "all") && !tags.contains("never"))
            || meets(only)
            || (has(only, "tagged") && is_tagged && !tags.contains("never"));
        let is_skipped = if has(self.skip, "all") {
            !tags.contains("always") || has(self.skip, "always")
        } else {
            meets(self.skip) || (has(self.skip, "tagged") && is_tagged)
        };
        is_chosen && !is_skipped
    }
}

/// The tags of a task: its own and those of everything that it is part of. `render` makes values of those that are
/// templates.
pub(crate) fn tags_of(level: &Level, mut render: impl FnMut(&yaml::Node) -> Value) -> HashSet<String> {
    let mut tags = HashSet::new();
    for node in level.chain().flat_map(|level| &level.keywords.tags) {
        add(&render(node), &mut tags);
    }
    tags
}

fn add(value: &Value, tags: &mut HashSet<String>) {
    match value {
        Value::Str(text) => tags.extend(text.split(',').map(|tag| tag.trim().to_owned())),
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| add(item, tags)),
        Value::Int(number) => {
            tags.insert(number.to_string());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], &[], &[], true)]
    #[case(&["never"], &[], &[], false)]
    #[case(&["never", "x"], &["x"], &[], true)]
    #[case(&["never", "x"], &["tagged"], &[], false)]
    #[case(&["always"], &["x"], &[], true)]
    #[case(&["always"], &["x"], &["always"], false)]
    #[case(&["x"], &["y"], &[], false)]
    #[case(&["x", "y"], &["y"], &["x"], false)]
    #[case(&[], &["tagged"], &[], false)]
    #[case(&[], &["untagged"], &[], true)]
    #[case(&["x"], &["untagged"], &[], false)]
    #[case(&["x"], &[], &["tagged"], false)]
    #[case(&["always"], &[], &["all"], true)]
    #[case(&["x"], &["all"], &["all"], false)]
    #[case(&["always"], &["all"], &["tagged"], false)]
    fn tags_select_as_in_ansible(
        #[case] tags: &[&str],
        #[case] only: &[&str],
        #[case] skip: &[&str],
        #[case] taken: bool,
    ) {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let (only, skip) = (words(only), words(skip));
        let selection = Selection { only: &only, skip: &skip };
        assert_eq!(selection.takes(&tags.iter().map(|tag| (*tag).to_owned()).collect()), taken);
    }
}
