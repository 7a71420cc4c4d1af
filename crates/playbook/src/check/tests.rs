//! What the check says about playbooks.

use crate::testing::Folder;
use diagnostic::Mistakes;
use rstest::rstest;

fn told(mistakes: &Mistakes) -> Vec<String> {
    let tell = |mistake: &diagnostic::Mistake| {
        let position = mistake.position.as_ref().map(|at| format!("{}:{} ", at.line, at.column)).unwrap_or_default();
        let hint = mistake.hint.as_ref().filter(|_| mistake.label.is_none()).map(|hint| format!(" ({hint})"));
        format!("{position}{}{}", mistake.message, hint.unwrap_or_default())
    };
    mistakes.iter().map(tell).collect()
}

/// Checks one task, which begins in line 3 and column 5.
fn task(task: &str) -> (Vec<String>, Vec<String>) {
    let report = crate::check(&Folder::new().load(&format!("- hosts: all\n  tasks:\n  - {task}\n")));
    (told(&report.mistakes), told(&report.unsupported))
}

#[rstest]
#[case("copy: {dst: /x}", "3:12 `copy` has no parameter `dst` (did you mean `dest`?)")]
#[case("copy: {content: x}", "3:5 `copy` lacks the required parameter `dest`")]
#[case("copy: {name: /x, follow: maybe}", "3:30 `follow` of `copy` can not be `maybe` (it takes `on`, `off`)")]
#[case("copy: {name: /x, count: many}", "3:29 `count` of `copy` takes an integer, not `many`")]
#[case("copy: {name: /x, force: perhaps}", "3:29 `force` of `copy` takes a boolean, not `perhaps`")]
#[case("copy: {name: /x, items: {a: b}}", "3:29 `items` of `copy` takes a list, not a mapping")]
#[case(
    "copy: some text",
    "3:11 `copy` takes parameters, not a line of text (write `copy: dest=…`, or the parameters below it, one a line)"
)]
#[case("debug: {msg: '{{ x | uper }}'}", "3:26 unknown filter `uper` (did you mean `upper`?)")]
#[case("debug: {msg: '{{ x'}", "3:22 syntax error in template")]
#[case("debug:\n    when: x is definde", "4:16 unknown test `definde` (did you mean `defined`?)")]
#[case("debug:\n    when: x = 1", "4:")]
#[case("debug: {msg: \"{{ lookup('nothing', 1) }}\"}", "3:29 unknown lookup `nothing`")]
#[case(
    "debug:\n    notify: nobody",
    "4:13 no handler is called `nobody` or listens to it (add it to the play: `handlers: [{name: nobody, …}]`)"
)]
#[case("debug:\n    vars: {x: '{{ 1 | foo }}'}", "4:23 unknown filter `foo`")]
#[case("include_vars: {fil: x}", "3:20 `include_vars` has no parameter `fil` (did you mean `file`?)")]
fn mistakes_are_found_before_anything_runs(#[case] text: &str, #[case] expected: &str) {
    let (mistakes, _) = task(text);
    let expected: Vec<_> = expected.split('|').collect();
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}\n{expected}");
    }
}

#[rstest]
#[case("copy: '{{ arguments }}'")]
#[case("copy:\n    args: '{{ arguments }}'")]
#[case("copy: {dest: '{{ x }}', count: '{{ n }}', force: '{{ f }}'}")]
#[case("copy: dest=/x count=3 force=yes")]
#[case("set_fact: {'{{ name }}': 1, anything: 2}")]
#[case("debug: {msg: '{{ nobody_knows }}'}")]
#[case("include_tasks: missing.yml")]
#[case("debug:\n    notify: '{{ who }}'")]
fn what_only_a_run_can_tell_is_no_mistake(#[case] text: &str) {
    assert_eq!(task(text), (vec![], vec![]));
}

#[rstest]
#[case("debug: {msg: '{{ x | community.general.json_query(1) }}'}", "3:26 filter `community.general.json_query`")]
#[case("include_vars: {dir: vars}", "3:20 parameter `dir` of `include_vars`")]
#[case("setup: {gather_subset: min}", "3:13 parameter `gather_subset` of `setup`")]
#[case("debug:\n    become_flags: -H", "4:5 keyword `become_flags`")]
fn what_ansible_alone_can_do_is_told_apart(#[case] text: &str, #[case] expected: &str) {
    let hint = "run it with `--engine ansible`, which needs `ansible-playbook`";
    let expected = format!("{expected} is not supported by the native engine ({hint})");
    assert_eq!(task(text), (vec![], vec![expected]));
}

#[test]
fn included_files_are_checked_where_their_names_are_plain() {
    let folder = Folder::new();
    folder.write("inner.yml", "- debgu:\n- include_tasks: inner.yml\n");
    let report = crate::check(&folder.load("- hosts: all\n  tasks:\n  - include_tasks: inner.yml\n"));
    assert_eq!(told(&report.mistakes), ["1:3 unknown module `debgu` (did you mean `debug`?)"]);
}

#[test]
fn mistakes_come_by_file_and_line_and_once() {
    let folder = Folder::new();
    folder.write("inner.yml", "- copy: {}\n");
    let text = "- hosts: all\n  tasks:\n  - import_tasks: inner.yml\n  - import_tasks: inner.yml\n  - debug: {msg: '{{ 1 | foo }}'}\n";
    let report = crate::check(&folder.load(text));
    let told = told(&report.mistakes);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "1:3 `copy` lacks the required parameter `dest`");
    assert!(told[1].starts_with("5:26 unknown filter `foo`"), "{told:?}");
    assert!(!report.is_runnable());
}

#[test]
fn handlers_are_found_by_name_and_topic() {
    let text = "- hosts: all\n  tasks:\n  - debug:\n    notify: [one, topic, topics]\n  handlers:\n  - {name: one, debug: }\n  - {name: two, debug: , \
                listen: topic}\n";
    let report = crate::check(&Folder::new().load(text));
    assert_eq!(told(&report.mistakes), ["4:26 no handler is called `topics` or listens to it (did you mean `topic`?)"]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    /// Words of playbooks, put together at random.
    #[test]
    fn no_playbook_makes_the_check_panic(words in proptest::collection::vec("(- |hosts: |tasks:|handlers:|debug|copy: |: |\n|\n  |\n  - |\n    |loop: |when: |\\{\\{ x|\\}\\}|block:|\\[|\\]|'|vars: |a=b|import_tasks: |meta: |include_tasks: |[a-z]{1,3})", 0..30)) {
        let folder = Folder::new();
        let path = folder.write("site.yml", &words.concat());
        if let Ok(playbook) = crate::Playbook::load(&path, &crate::Sources { modules: crate::testing::MODULES }) {
            crate::check(&playbook);
        }
    }
}
