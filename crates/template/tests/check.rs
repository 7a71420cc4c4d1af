//! What is found before anything runs.

use rstest::rstest;
use template::{FileOptions, check, check_condition, check_file, condition_variables, variables};
use yaml::Node;

fn node(text: &str) -> Node {
    Node::string(text, diagnostic::Position::new("<play>", 1, 1))
}

fn shown(mistakes: Vec<diagnostic::Mistake>) -> Vec<String> {
    let show = |mistake: &diagnostic::Mistake| {
        let hint = mistake.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {mistake}{hint}", mistake.position.as_ref().map_or(0, |position| position.column))
    };
    mistakes.iter().map(show).collect()
}

#[rstest]
#[case("{{ a | uper }}", &["8: unknown filter `uper` (did you mean `upper`?)"])]
#[case("{{ a | ansible.builtin.uper }}", &["8: unknown filter `ansible.builtin.uper` (did you mean `upper`?)"])]
#[case("{{ a is defind }}", &["9: unknown test `defind` (did you mean `defined`?)"])]
#[case("{{ lookup('fil', 'x') }}", &["11: unknown lookup `fil` (did you mean `file`?)"])]
#[case("{{ l | map('uper') | select('ood') }}", &[
    "12: unknown filter `uper` (did you mean `upper`?)",
    "29: unknown test `ood` (did you mean `odd`?)",
])]
#[case("{{ l | selectattr('a', 'equalt', 1) }}", &["24: unknown test `equalt` (did you mean `equalto`?)"])]
#[case("{% if a %}{{ b | zzz }}{% endif %}", &["18: unknown filter `zzz`"])]
#[case("{{ a | upper | ansible.builtin.to_json }}", &[])]
#[case("{{ l | map(name) }} {{ lookup(kind, 'x') }}", &[])]
#[case("plain text | nosuch", &[])]
fn unknown_names_are_told_with_the_nearest(#[case] template: &str, #[case] expected: &[&str]) {
    assert_eq!(shown(check(&node(template))), expected);
}

#[test]
fn syntax_is_checked_everywhere() {
    let root = yaml::load_one("<play>", "a: '{{ x'\nb: [ok, '{% if %}']\nc: !unsafe '{{ x'\n").unwrap();
    let mistakes = check(&root);
    let lines: Vec<_> = mistakes.iter().map(|mistake| mistake.position.as_ref().unwrap().line).collect();
    assert_eq!(lines, [1, 2]);
}

#[rstest]
#[case("a == 1", 0)]
#[case("a = 1", 1)]
#[case("a is nosuchtest", 1)]
#[case("{{ a }}", 0)]
fn conditions_are_expressions(#[case] condition: &str, #[case] mistakes: usize) {
    assert_eq!(check_condition(&node(condition)).len(), mistakes);
}

#[test]
fn files_are_checked_with_their_header() {
    let text = "#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n{{ not | a template\n[[ a | uper ]]\n";
    let mistakes = check_file(text, "<t.j2>", &FileOptions::default());
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].position.as_ref().unwrap().line, 3);
}

#[rstest]
#[case("{{ a }} {{ b.c }} {{ d['e'] }}", &["a", "b", "d"])]
#[case("{{ a | default(1) }} {{ b is defined }} {{ c | default(d) }}", &["d"])]
#[case("{% set a = b %}{{ a }}", &["b"])]
#[case("{% for a in b %}{{ a }}{{ loop.index }}{% endfor %}", &["b"])]
#[case("{{ x if a is defined else y }}", &[])]
#[case("{% if a %}{{ b }}{% endif %}", &["a"])]
#[case("{{ lookup('env', 'HOME') }} {{ now() }} {{ omit }} {{ range(n) }}", &["n"])]
#[case("{{ a is defined and b }}", &[])]
#[case("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(y) }}", &["y"])]
fn certainly_needed_variables_are_listed(#[case] template: &str, #[case] expected: &[&str]) {
    let names: Vec<_> = variables(&node(template)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_condition_lists_its_variables() {
    let names: Vec<_> = condition_variables(&node("a.rc == 0 and b")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a"]);
}
