//! Differences, unified.

use owo_colors::OwoColorize;
use serde_json::Value;

/// `diff` as Ansible's modules return it: one object or several, with `before`/`after` or a `prepared` text.
pub(super) fn render(diff: &Value) -> String {
    let several = diff.as_array().map_or_else(|| std::slice::from_ref(diff), Vec::as_slice);
    several.iter().map(one_diff).collect()
}

fn one_diff(diff: &Value) -> String {
    if let Some(prepared) = diff["prepared"].as_str() {
        return prepared.lines().fold(String::new(), |text, line| text + "\n" + &coloured(line));
    }
    let side = |key: &str| match &diff[key] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => format!("{other:#}\n"),
    };
    let header = |key: &str, default: &str| diff[key].as_str().unwrap_or(default).to_owned();
    unified(&side("before"), &side("after"), &header("before_header", "before"), &header("after_header", "after"))
}

/// Two texts as a unified difference, a new line before each line; nothing when they are equal.
pub(super) fn unified(before: &str, after: &str, before_header: &str, after_header: &str) -> String {
    if before == after {
        return String::new();
    }
    let changes = similar::TextDiff::from_lines(before, after);
    let unified = changes.unified_diff().context_radius(3).header(before_header, after_header).to_string();
    unified.lines().fold(String::new(), |text, line| text + "\n" + &coloured(line))
}

fn coloured(line: &str) -> String {
    match line.chars().next() {
        Some('+') => line.green().to_string(),
        Some('-') => line.red().to_string(),
        Some('@') => line.cyan().to_string(),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_diff_is_unified() {
        let text = render(
            &json!({"before": "a\nb\n", "after": "a\nc\n", "before_header": "/etc/x", "after_header": "/etc/x"}),
        );
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "\n--- /etc/x\n+++ /etc/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c");
    }
}
