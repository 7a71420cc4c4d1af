//! Differences of files whose content comes from a vault.

use diagnostic::REDACTED;
use serde_json::Value as Json;

/// What stands in the place of content that is not shown at all.
pub(super) const NOT_SHOWN: &str = "(not shown: the content comes from a vault)";

/// Takes the content out of a difference, or of a list of them.
pub(super) fn blank(diff: &mut Json) {
    match diff {
        Json::Array(items) => items.iter_mut().for_each(blank),
        Json::Object(entries) => {
            for side in ["before", "after"] {
                if let Some(Json::String(text)) = entries.get_mut(side)
                    && !text.is_empty()
                {
                    NOT_SHOWN.clone_into(text);
                }
            }
        }
        _ => {}
    }
}

/// Where a secret was hidden in the new content, the old one most likely holds its predecessor, which nobody knows any more:
/// of the old content only those lines are shown that stay.
pub(super) fn cover(diff: &mut Json, real: &Json) {
    match (diff, real) {
        (Json::Array(items), Json::Array(real)) => {
            items.iter_mut().zip(real).for_each(|(item, real)| cover(item, real));
        }
        (Json::Object(entries), Json::Object(real)) => {
            let after = entries.get("after").and_then(Json::as_str).map(str::to_owned);
            let is_hidden = after.as_deref() != real.get("after").and_then(Json::as_str);
            if let (true, Some(after), Some(Json::String(before))) = (is_hidden, after, entries.get_mut("before")) {
                *before = stays(before, &after);
            }
        }
        _ => {}
    }
}

/// The new contents in the differences of a result, or of the results of a loop.
pub(super) fn contents(result: &Json) -> Box<dyn Iterator<Item = &str> + '_> {
    let under = |key: &str| result.get(key).and_then(Json::as_array).into_iter().flatten();
    let own = under("diff").chain(result.get("diff")).filter_map(|diff| diff.get("after")?.as_str());
    Box::new(own.chain(under("results").flat_map(contents)))
}

fn stays(before: &str, after: &str) -> String {
    let kept: Vec<&str> = after.lines().collect();
    let covered = |line: &str| {
        let text = line.trim_end_matches(['\n', '\r']);
        if kept.contains(&text) { line.to_owned() } else { line.replacen(text, REDACTED, 1) }
    };
    before.split_inclusive('\n').map(covered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_old_secret_is_covered_too() {
        let real = json!([{"before": "host=a\npw=old secret\n", "after": "host=a\npw=new secret\n"}]);
        let mut diff = json!([{"before": "host=a\npw=old secret\n", "after": "host=a\npw=********\n"}]);
        cover(&mut diff, &real);
        assert_eq!(diff, json!([{"before": "host=a\n********\n", "after": "host=a\npw=********\n"}]));
    }

    #[test]
    fn a_difference_without_secrets_stays() {
        let real = json!({"before": "a\n", "after": "b\n"});
        let mut diff = real.clone();
        cover(&mut diff, &real);
        assert_eq!(diff, real);
    }
}
