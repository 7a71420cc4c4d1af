//! One file a case: what is read from it, with places, or the mistakes that it holds (`err_*`).

use diagnostic::Mistake;
use yaml::{Node, Value};

#[test]
fn inputs() {
    insta::glob!("inputs/*", |path| {
        let bytes = std::fs::read(path).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let shown = match yaml::parse(name, &text) {
            Ok(parsed) => {
                assert!(!name.starts_with("err_"), "{name} was read without a mistake");
                let documents: String = parsed.documents.iter().map(|node| format!("---\n{}", tree(node, 0))).collect();
                documents + &parsed.warnings.iter().map(|warning| marked("warning", warning, &text)).collect::<String>()
            }
            Err(error) => {
                assert!(name.starts_with("err_"), "{name}: {:?}", error.into_mistakes());
                error.into_mistakes().iter().map(|mistake| marked("error", mistake, &text)).collect()
            }
        };
        insta::with_settings!({ omit_expression => true, snapshot_path => "snapshots" }, { insta::assert_snapshot!(shown) });
    });
}

fn ended(text: &str) -> String {
    format!("{text}\n")
}

/// A node a line: place, length, value.
fn tree(node: &Node, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let place = format!("{}:{}+{}", node.position.line, node.position.column, node.position.length);
    let is_unsafe = if node.is_unsafe { " !unsafe" } else { "" };
    let mut shown = String::new();
    match &node.value {
        Value::Sequence(items) => {
            shown += &ended(&format!("{indent}list @{place}{is_unsafe}"));
            shown.extend(items.iter().map(|item| tree(item, depth + 1)));
        }
        Value::Mapping(mapping) => {
            shown += &ended(&format!("{indent}mapping @{place}{is_unsafe}"));
            for (key, value) in mapping.iter() {
                shown += &tree(key, depth + 1);
                shown += &tree(value, depth + 2);
            }
        }
        scalar => shown += &ended(&format!("{indent}{scalar:?} @{place}{is_unsafe}")),
    }
    shown
}

/// The mistake below its line, much as the program shows it.
fn marked(level: &str, mistake: &Mistake, text: &str) -> String {
    let mut shown = format!("{level}: {}\n", mistake.message);
    if let Some(position) = &mistake.position {
        let line = text.lines().nth(position.line as usize - 1).unwrap_or_default().trim_start_matches('\u{feff}');
        let space = " ".repeat(position.column as usize - 1);
        let label = mistake.label.as_deref().unwrap_or_default();
        let marks = format!("{}{space}{} {label}", " ".repeat(3), "^".repeat(position.length as usize));
        let line = line.replace('\t', "→");
        shown += &ended(&format!("{:>2} {line}\n{}", position.line, marks.trim_end()));
    }
    if let Some(hint) = &mistake.hint {
        shown += &ended(&format!("   = hint: {hint}"));
    }
    shown + "\n"
}
