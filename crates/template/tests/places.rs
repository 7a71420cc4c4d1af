//! Where errors point: into the file, at the expression, whatever style the scalar has.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use diagnostic::Diagnose;
use rstest::rstest;
use std::sync::Arc;
use template::{Engine, FileOptions, Scope, Variables};

/// Renders the value of `x` in a file; the marked place of the error as line, column and text.
fn marked(content: &str) -> (u32, u32, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("play.yml");
    std::fs::write(&path, content).unwrap();
    let root = yaml::load_one(path.to_str().unwrap(), content).unwrap();
    let scope: Arc<dyn Scope> = Arc::new(Variables::new());
    let node = root.as_mapping().unwrap().get("x").unwrap();
    let position = Engine::new().render(node, &scope).unwrap_err().position().unwrap();
    let line = content.lines().nth(position.line as usize - 1).unwrap();
    let text = line.chars().skip(position.column as usize - 1).take(position.length as usize).collect();
    (position.line, position.column, text)
}

#[rstest]
#[case::plain("x: a {{ foo }}\n", (1, 9))]
#[case::single("x: '{{ foo }}'\n", (1, 8))]
#[case::double("x: \"{{ foo }}\"\n", (1, 8))]
#[case::after_escape("x: \"a\\tb {{ foo }}\"\n", (1, 13))]
#[case::literal("x: |\n  one\n  two {{ foo }}\n", (3, 10))]
#[case::literal_indented("x: |-\n      {{ foo }}\n", (2, 10))]
#[case::folded("x: >\n  one\n  two {{ foo }}\n", (3, 10))]
#[case::nested("x:\n  y:\n    - ok\n    - '{{ foo }}'\n", (4, 11))]
#[case::second_of_two("x: '{{ 1 }} {{ foo }}'\n", (1, 16))]
#[case::same_twice("y: '{{ foo }}'\nx: '{{ foo }}'\n", (2, 8))]
#[case::wide("x: 'ä {{ foo }}'\n", (1, 10))]
fn an_undefined_variable_is_marked(#[case] content: &str, #[case] expected: (u32, u32)) {
    assert_eq!(marked(content), (expected.0, expected.1, "foo".to_owned()));
}

#[rstest]
#[case("x: '{{ [1] | nosuch }}'\n", "nosuch")]
#[case("x: '{{ a.b.c }}'\n", "a")]
#[case("x: '{{ {}.b.c }}'\n", "{}.b")]
#[case("x: \"{{ 'a' | int + 'b' }}\"\n", "'a' | int + 'b'")]
#[case("x: '{{ 1 + }}'\n", "}}")]
#[case("x: \"{{ '\\\\n' ~ foo }}\"\n", "foo")]
fn the_part_that_is_wrong_is_marked(#[case] content: &str, #[case] expected: &str) {
    assert_eq!(marked(content).2, expected);
}

#[test]
fn an_error_in_a_variable_points_to_its_definition() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vars.yml");
    std::fs::write(&path, "a: 1\nb: '{{ nothing }}'\n").unwrap();
    let root = yaml::load_one(path.to_str().unwrap(), &std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut variables = Variables::new();
    variables.set("b", root.as_mapping().unwrap().get("b").unwrap().clone());
    let scope: Arc<dyn Scope> = Arc::new(variables);
    let error = Engine::new().render_text("{{ b }}", &diagnostic::Position::new("<task>", 1, 1), &scope).unwrap_err();
    let position = error.position().unwrap();
    assert_eq!((&*position.file, position.line, position.column), (path.to_str().unwrap(), 2, 8));
}

#[test]
fn a_template_file_is_pointed_into() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.j2");
    let content = "#jinja2: trim_blocks: False\nfirst\n  {{ foo }}\n";
    std::fs::write(&path, content).unwrap();
    let scope: Arc<dyn Scope> = Arc::new(Variables::new());
    let name = path.to_str().unwrap();
    let error = Engine::new().render_file(content, name, &FileOptions::default(), &scope).unwrap_err();
    let position = error.position().unwrap();
    assert_eq!((position.line, position.column), (3, 6));
    let unsaved = Engine::new().render_file("a\nb {{ foo }}\n", "<text>", &FileOptions::default(), &scope).unwrap_err();
    let position = unsaved.position().unwrap();
    assert_eq!((position.line, position.column), (2, 6));
}
