//! What the loader says about playbooks.

use super::{ActionKind, Item, Playbook, Sources};
use crate::testing;
use rstest::rstest;

fn problems(text: &str) -> (Vec<String>, Vec<String>) {
    let folder = testing::Folder::new();
    let playbook = folder.load(text);
    let tell = |mistakes: &diagnostic::Mistakes| {
        let mistakes = mistakes.clone().into_result().err().unwrap_or_default();
        mistakes
            .iter()
            .map(|m| {
                let position = m.position.as_ref().map(|p| format!("{}:{} ", p.line, p.column)).unwrap_or_default();
                let hint = m.hint.as_ref().filter(|_| m.label.is_none()).map(|hint| format!(" ({hint})"));
                format!("{position}{}{}", m.message, hint.unwrap_or_default())
            })
            .collect()
    };
    (tell(&playbook.problems.mistakes), tell(&playbook.problems.unsupported))
}

#[rstest]
#[case("- hosts: all\n  tasks:\n  - debgu: {}\n", "3:5 unknown module `debgu` (did you mean `debug`?)")]
#[case(
    "- hosts: all\n  tasks:\n  - ansible.builtin.debgu: {}\n",
    "3:5 unknown module `ansible.builtin.debgu` (did you mean `ansible.builtin.debug`?)"
)]
#[case(
    "- hosts: all\n  tasks:\n  - debug:\n    whn: true\n",
    "4:5 unknown keyword `whn` in a task (did you mean `when`?)"
)]
#[case("- hosts: all\n  task: []\n", "2:3 unknown keyword `task` in a play (did you mean `tasks`?)")]
#[case("- tasks: []\n", "1:3 a play needs `hosts` (add `hosts: all`, a group or a host)")]
#[case("- hosts: all\n  become: perhaps\n", "2:11 `become` takes a boolean, not `perhaps` (write `true` or `false`)")]
#[case(
    "- hosts: all\n  tasks: {debug: }\n",
    "2:10 `tasks` takes a list of tasks, not a mapping (write each task below it as `- name: …` and its module)"
)]
#[case(
    "- hosts: all\n  tasks: 5\n",
    "2:10 `tasks` takes a list of tasks, not `5` (write each task below it as `- name: …` and its module)"
)]
#[case("# nothing\n", "1:1 the playbook is empty (begin a play with `- hosts: …`)")]
#[case(
    "- hosts: all\n  tasks:\n  - debug:\n    fail:\n",
    "4:5 a task has one action, this one has several: `debug`, `fail`"
)]
#[case(
    "- hosts: all\n  tasks:\n  - name: nothing\n",
    "3:5 no module in a task (name the module that it runs, for example `ansible.builtin.command: …`)"
)]
#[case("- hosts: all\n  tasks:\n  - rescue: []\n", "3:5 `rescue` and `always` need a `block`")]
#[case(
    "- hosts: all\n  vars: {my-var: 1}\n",
    "2:10 `my-var` is not a valid name of a variable (use letters, digits and underscores, beginning with a letter)"
)]
#[case(
    "- hosts: all\n  tasks:\n  - debug:\n    loop: 3\n",
    "4:11 `loop` takes a list, not an integer (write the items as a list, or an expression that gives one)"
)]
#[case(
    "- hosts: all\n  tasks:\n  - debug:\n    when: {a: b}\n",
    "4:11 `when` takes a condition (an expression or a boolean) or a list of conditions, not a mapping (write an expression, such as `x is defined`, or a list of them)"
)]
#[case(
    "- hosts: all\n  tasks:\n  - debug: msg='a\n",
    "3:12 a quote or a `{{` is not closed (close each quote, and each `{{` with `}}`)"
)]
#[case(
    "- hosts: all\n  tasks:\n  - include_tasks: a.yml\n    become: true\n",
    "4:5 keyword `become` is not valid in `include_tasks` (to pass it on to the included tasks, write it under `apply:`, or use `import_tasks`: `apply: {become: …}`)"
)]
#[case(
    "- hosts: all\n  tasks:\n  - meta: flush\n",
    "3:11 unknown meta action `flush` (did you mean `flush_handlers`?)"
)]
#[case("hosts: all\n", "1:1 a playbook is a list of plays, not a mapping (begin each play with `- hosts: …`)")]
#[case(
    "- hosts: all\n  tasks:\n  - debug:\n    loop: [1]\n    loop_control: {lable: x}\n",
    "5:20 unknown key `lable` in `loop_control` (did you mean `label`?)"
)]
#[case("- hosts: all\n  tasks:\n  - debug:\n    listen: x\n", "4:5 keyword `listen` is not valid in a task")]
#[case("- hosts: all\n  order: backwards\n", "2:10 unknown order `backwards`")]
fn mistakes_are_told_with_their_place(#[case] text: &str, #[case] expected: &str) {
    let (mistakes, _) = problems(text);
    assert_eq!(mistakes, [expected]);
}

#[rstest]
#[case("- hosts: all\n  roles: [web]\n", "2:3 keyword `roles`")]
#[case("- hosts: all\n  tasks:\n  - ansible.builtin.apt: name=git\n", "3:5 module `ansible.builtin.apt`")]
#[case("- hosts: all\n  tasks:\n  - community.general.ufw: {}\n", "3:5 module `community.general.ufw`")]
#[case("- hosts: all\n  strategy: free\n", "2:13 strategy `free`")]
#[case("- hosts: all\n  tasks:\n  - debug:\n    with_fileglob: '*'\n", "4:5 `with_fileglob`")]
#[case("- hosts: all\n  tasks:\n  - debug:\n    async: 5\n", "4:5 keyword `async`")]
fn what_is_not_supported_is_no_mistake(#[case] text: &str, #[case] expected: &str) {
    let (mistakes, unsupported) = problems(text);
    let hint = "run it with `--engine ansible`, which needs `ansible-playbook`";
    let expected = format!("{expected} is not supported by the native engine ({hint})");
    assert_eq!((mistakes, unsupported), (vec![], vec![expected]));
}

#[test]
fn all_mistakes_come_in_one_go() {
    let (mistakes, _) = problems("- hosts: all\n  becom: true\n  tasks:\n  - debgu:\n  - debug:\n    loop: x\n- {}\n");
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
}

#[rstest]
#[case("debug: msg='a b' var=x", &[("msg", "a b"), ("var", "x")], None)]
#[case("action: debug msg=hi", &[("msg", "hi")], None)]
#[case("local_action: ansible.builtin.debug msg=hi", &[("msg", "hi")], None)]
#[case("action: {module: debug, msg: hi}", &[("msg", "hi")], None)]
#[case("debug: {msg: hi}\n    args: {msg: low, var: x}", &[("msg", "hi"), ("var", "x")], None)]
#[case("command: creates=/x A=b ls 'c d'", &[("creates", "/x")], Some("A=b ls 'c d'"))]
#[case("command: ls\n    args:\n      chdir: /", &[("chdir", "/")], Some("ls"))]
fn arguments_come_in_many_forms(
    #[case] task: &str,
    #[case] expected: &[(&str, &str)],
    #[case] free_form: Option<&str>,
) {
    let playbook = testing::Folder::new().load(&format!("- hosts: all\n  tasks:\n  - {task}\n"));
    assert!(playbook.problems.mistakes.is_empty(), "{:?}", playbook.problems);
    let [task] = playbook.plays[0].tasks()[..] else { panic!("one task") };
    let parameters = &task.action.arguments.parameters;
    let found: Vec<_> = parameters.iter().map(|p| (p.name.as_str(), p.value.as_str().unwrap_or("?"))).collect();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(task.action.arguments.free_form.as_ref().and_then(yaml::Node::as_str), free_form);
}

#[test]
fn an_import_inherits_keywords_and_finds_files_beside_it() {
    let folder = testing::Folder::new();
    folder.write("more/a.yml", "- import_tasks: b.yml\n");
    folder.write("more/tasks/b.yml", "- debug: {msg: deep}\n");
    let playbook =
        folder.load("- hosts: all\n  tasks:\n  - import_tasks: more/a.yml\n    become: true\n    vars: {x: 1}\n");
    assert!(playbook.problems.is_empty(), "{:?}", playbook.problems);
    let [task] = playbook.plays[0].tasks()[..] else { panic!("one task") };
    assert!(task.level.find(|keywords| keywords.r#become.as_ref()).is_some());
    assert!(task.level.chain().any(|level| level.vars.contains_key("x")));
    assert!(matches!(task.action.kind, ActionKind::Module(module) if module.name == "debug"));
}

#[test]
fn a_file_that_imports_itself_is_a_mistake() {
    let folder = testing::Folder::new();
    folder.write("a.yml", "- import_tasks: a.yml\n");
    let playbook = folder.load("- hosts: all\n  tasks:\n  - import_tasks: a.yml\n");
    let messages: Vec<_> = playbook.problems.mistakes.iter().map(|m| m.message.clone()).collect();
    assert!(messages[0].ends_with("a.yml` imports itself"), "{messages:?}");
}

#[test]
fn an_imported_playbook_takes_variables_tags_and_conditions() {
    let folder = testing::Folder::new();
    folder.write("other.yml", "- hosts: all\n  vars: {x: 1}\n  tasks: [{debug: }]\n");
    let playbook = folder.load("- import_playbook: other.yml\n  vars: {x: 2}\n  tags: t\n  when: false\n");
    assert!(playbook.problems.is_empty(), "{:?}", playbook.problems);
    let play = &playbook.plays[0];
    assert_eq!(play.level.vars["x"].value, yaml::Value::Int(2));
    assert_eq!(play.level.keywords.tags.len(), 1);
    let [Item::Task(task)] = &play.sections[1][..] else { panic!("one task") };
    assert_eq!(task.level.chain().map(|level| level.keywords.when.len()).sum::<usize>(), 1);
}

#[test]
fn a_missing_playbook_is_an_error() {
    let error = Playbook::load("/nonexistent/site.yml".into(), &Sources::default()).unwrap_err();
    assert_eq!(error.to_string(), "file `/nonexistent/site.yml` does not exist");
}

#[test]
fn a_file_that_is_missing_tells_where_it_was_looked_for() {
    let folder = testing::Folder::new();
    let playbook = folder.load("- hosts: all\n  tasks:\n  - import_tasks: none.yml\n");
    let mistake = playbook.problems.mistakes.iter().next().unwrap();
    assert_eq!(mistake.message, "file `none.yml` does not exist");
    let hint = mistake.hint.as_deref().unwrap();
    assert!(hint.starts_with("correct the name, or make the file; it is looked for in `") && hint.ends_with("/tasks`"));
}
