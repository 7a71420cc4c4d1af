//! Playbooks carried out on this machine, with the test modules.

use super::{Options, Outcome, run};
use crate::Sources;
use crate::event::{Event, Status};
use crate::testing::{Folder, MODULES};
use inventory::Inventory;
use rstest::rstest;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// A run: what it told, and how it ended.
struct Ran {
    events: Vec<Event>,
    outcome: Outcome,
}

const INVENTORY: &str =
    "[web]\na region=north\nb\n[db]\nc\n[all:vars]\nansible_connection=local\nfrom_inventory=inventory\n";

async fn play_with(text: &str, change: impl FnOnce(&Folder, &mut Options)) -> Ran {
    let folder = Folder::new();
    let mut options = Options { sources: Sources { modules: MODULES }, ..Options::default() };
    let hosts = folder.write("hosts.ini", INVENTORY);
    change(&folder, &mut options);
    let playbook = folder.load(text);
    let report = crate::check(&playbook);
    assert!(report.is_runnable(), "{report:?}");
    let inventory = Arc::new(Inventory::load(&[hosts]).unwrap());
    let events = Mutex::new(Vec::new());
    let tell = |event: Event| events.lock().unwrap().push(event);
    let outcome = run(&playbook, &inventory, &options, &tell, CancellationToken::new()).await.unwrap();
    Ran { events: events.into_inner().unwrap(), outcome }
}

async fn play(text: &str) -> Ran {
    play_with(text, |_, _| {}).await
}

impl Ran {
    /// `host task status`, without tasks that gather or set.
    fn steps(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::TaskFinished { host, task, status, .. } => {
                    Some(format!("{host} {task} {status:?}").to_lowercase())
                }
                _ => None,
            })
            .collect()
    }

    /// The `msg` of every task on a host.
    fn messages(&self, host: &str) -> Vec<serde_json::Value> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::TaskFinished { host: on, result, .. } if on == host => result.get("msg").cloned(),
                _ => None,
            })
            .collect()
    }

    /// The last `msg` on host `a`.
    fn last(&self) -> serde_json::Value {
        self.messages("a").pop().unwrap()
    }
}

#[tokio::test]
async fn a_task_runs_on_all_hosts_before_the_next_one() {
    let ran =
        play("- hosts: all\n  tasks:\n  - debug: {msg: 1}\n    name: first\n  - debug: {msg: 2}\n    name: second\n")
            .await;
    let expected = ["a first ok", "b first ok", "c first ok", "a second ok", "b second ok", "c second ok"];
    assert_eq!(ran.steps(), expected);
    assert_eq!(ran.outcome.exit_code(), 0);
    assert_eq!(ran.outcome.recap["a"].ok, 2);
}

/// Variables at every level of precedence, weakest first: each case leaves the stronger ones out.
#[rstest]
#[case(0, "inventory")]
#[case(1, "play")]
#[case(2, "file")]
#[case(3, "block")]
#[case(4, "task")]
#[case(5, "set")]
#[case(6, "include")]
#[case(7, "extra")]
#[tokio::test]
async fn stronger_variables_hide_weaker_ones(#[case] level: usize, #[case] expected: &str) {
    let on = |at: usize, text: &str| if level >= at { text.to_owned() } else { String::new() };
    let text = format!(
        "- hosts: a\n{}{}  tasks:\n  - block:\n{}    - include_tasks: more.yml\n{}{}",
        on(1, "  vars: {from_inventory: play}\n"),
        on(2, "  vars_files: [vars.yml]\n"),
        on(5, "    - set_fact: {from_inventory: set}\n"),
        on(6, "      vars: {from_inventory: include}\n"),
        on(3, "    vars: {from_inventory: block}\n"),
    );
    let ran = play_with(&text, |folder, options| {
        folder.write("vars.yml", "from_inventory: file\n");
        let task =
            format!("- debug: {{msg: '{{{{ from_inventory }}}}'}}\n{}", on(4, "  vars: {from_inventory: task}\n"));
        folder.write("more.yml", &task);
        if level >= 7 {
            options.extra_vars = crate::extra_vars(["from_inventory=extra"]).unwrap();
        }
    })
    .await;
    assert_eq!(ran.last(), expected);
}

#[rstest]
#[case("{{ inventory_hostname }} {{ groups.web | join(',') }} {{ group_names | join }}", "a a,b web")]
#[case("{{ hostvars.b.from_inventory }} {{ hostvars['c'].inventory_hostname }}", "inventory c")]
#[case("{{ ansible_play_hosts | join(',') }} {{ ansible_check_mode }} {{ ansible_version.major }}", "a,b,c False 2")]
#[case("{{ x | default('none', true) }}{{ vars['region'] }}", "nonenorth")]
#[tokio::test]
async fn magic_variables_are_there(#[case] template: &str, #[case] expected: &str) {
    let text = format!(
        "- hosts: all\n  gather_facts: false\n  vars: {{x: ''}}\n  tasks:\n  - debug: {{msg: \"{template}\"}}\n"
    );
    assert_eq!(play(&text).await.last(), expected);
}

#[tokio::test]
async fn a_registered_result_is_seen_by_later_tasks_also_when_skipped_or_failed() {
    let ran = play(
        "- hosts: a\n  tasks:\n  - command: echo hi\n    register: r1\n  - fail: {msg: bad}\n    register: r2\n    ignore_errors: true\n  - \
         debug:\n    when: false\n    register: r3\n  - debug: {msg: \"{{ [r1.stdout_lines, r1.rc, r2.failed, r2.msg, r3.skipped, r3 is \
         skipped, r1 is changed, r2 is failed] }}\"}\n",
    )
    .await;
    assert_eq!(ran.last(), serde_json::json!([["hi"], 0, true, "bad", true, true, true, true]));
    let counts = ran.outcome.recap["a"];
    assert_eq!((counts.ok, counts.changed, counts.skipped, counts.ignored, counts.failed), (3, 1, 1, 1, 0));
}

#[tokio::test]
async fn a_loop_keeps_each_result_and_its_variables() {
    let ran = play(
        "- hosts: a\n  tasks:\n  - debug: {msg: \"{{ i }}{{ entry }}{{ ansible_loop.last }}\"}\n    loop: [x, y]\n    register: all\n    \
         loop_control: {loop_var: entry, index_var: i, extended: true, label: 'the {{ entry }}'}\n    when: entry != 'x'\n  - debug: \
         {msg: \"{{ all.results | map(attribute='entry') | join }} {{ all.results[0].skipped }} {{ all.results[1].msg }}\"}\n",
    )
    .await;
    assert_eq!(ran.last(), "xy True 1yTrue");
    let labels: Vec<_> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::ItemFinished { item, status, .. } => Some((item.as_str(), *status)),
            _ => None,
        })
        .collect();
    assert_eq!(labels, [("the x", Status::Skipping), ("the y", Status::Ok)]);
}

#[rstest]
#[case("with_items: [1, [2, 3]]", "1 2 3")]
#[case("with_list: [[1, 2], 3]", "[1, 2] 3")]
#[case("with_dict: {a: 1, b: 2}", "{'key': 'a', 'value': 1} {'key': 'b', 'value': 2}")]
#[case("with_indexed_items: [x, y]", "[0, 'x'] [1, 'y']")]
#[case("with_together: [[1, 2], [a]]", "[1, 'a'] [2, None]")]
#[case("with_items: \"{{ many }}\"", "7 8")]
#[case("loop: \"{{ many }}\"", "7 8")]
#[tokio::test]
async fn old_loops_work(#[case] repeat: &str, #[case] expected: &str) {
    let text = format!(
        "- hosts: a\n  vars: {{many: [7, 8]}}\n  tasks:\n  - debug: {{msg: \"{{{{ item }}}}\"}}\n    {repeat}\n    register: r\n  - \
         debug: {{msg: \"{{{{ r.results | map(attribute='msg') | join(' ') }}}}\"}}\n"
    );
    assert_eq!(play(&text).await.last(), expected);
}

#[tokio::test]
async fn handlers_run_in_their_own_order_once_and_after_their_section() {
    let ran = play(
        "- hosts: a\n  pre_tasks:\n  - command: 'true'\n    name: one\n    notify: [third, topic]\n  tasks:\n  - command: 'true'\n    name: \
         two\n    notify: third\n  - meta: flush_handlers\n  - debug:\n    name: three\n    notify: first\n  handlers:\n  - name: first\n    \
         debug:\n  - name: second\n    debug:\n    listen: topic\n    changed_when: true\n    notify: last\n  - name: third\n    debug:\n  - \
         name: last\n    debug:\n",
    )
    .await;
    let expected =
        ["a one changed", "a second changed", "a third ok", "a last ok", "a two changed", "a third ok", "a three ok"];
    assert_eq!(ran.steps(), expected);
}

#[tokio::test]
async fn a_block_rescues_and_always_goes_on() {
    let ran = play(
        "- hosts: all\n  tasks:\n  - block:\n    - fail: {msg: boom}\n      name: breaks\n      when: inventory_hostname == 'a'\n    - debug:\n      \
         name: after\n    rescue:\n    - debug: {msg: '{{ ansible_failed_task.name }} {{ ansible_failed_result.msg }}'}\n      name: rescue\n    \
         always:\n    - debug:\n      name: always\n  - debug:\n    name: end\n",
    )
    .await;
    let on_a: Vec<_> = ran.steps().into_iter().filter(|step| step.starts_with("a ")).collect();
    assert_eq!(on_a, ["a breaks rescued", "a rescue ok", "a always ok", "a end ok"]);
    let on_b: Vec<_> = ran.steps().into_iter().filter(|step| step.starts_with("b ")).collect();
    assert_eq!(on_b, ["b breaks skipping", "b after ok", "b always ok", "b end ok"]);
    assert!(ran.messages("a").contains(&"breaks boom".into()));
    assert_eq!(ran.outcome.recap["a"].rescued, 1);
    assert_eq!(ran.outcome.exit_code(), 0);
}

#[tokio::test]
async fn a_host_that_fails_leaves_and_the_others_go_on() {
    let ran = play(
        "- hosts: all\n  tasks:\n  - fail: {msg: no}\n    name: check\n    when: inventory_hostname == 'b'\n  - debug: {msg: '{{ \
         ansible_play_hosts | join }}'}\n    name: rest\n- hosts: all\n  tasks: [{name: second, debug: }]\n",
    )
    .await;
    assert_eq!(ran.outcome.exit_code(), 2);
    let rest: Vec<_> = ran.steps().into_iter().filter(|step| !step.contains("check")).collect();
    assert_eq!(rest, ["a rest ok", "c rest ok", "a second ok", "c second ok"]);
    assert!(ran.messages("a").contains(&"ac".into()));
}

#[rstest]
#[case("any_errors_fatal: true", &["a check failed", "b check skipping", "c check skipping"])]
#[case("max_fail_percentage: 20", &["a check failed", "b check skipping", "c check skipping"])]
#[case("serial: 2", &["a check failed", "b check skipping", "b rest ok", "c check skipping", "c rest ok"])]
#[case("serial: [1, 1]", &["a check failed"])]
#[tokio::test]
async fn failures_end_plays(#[case] keyword: &str, #[case] expected: &[&str]) {
    let text = format!(
        "- hosts: all\n  {keyword}\n  tasks:\n  - fail:\n    name: check\n    when: inventory_hostname == 'a'\n  - debug:\n    name: rest\n"
    );
    assert_eq!(play(&text).await.steps(), expected);
}

#[tokio::test]
async fn force_handlers_runs_them_on_hosts_that_failed() {
    let text = "- hosts: a\n  force_handlers: FORCE\n  tasks:\n  - command: 'true'\n    name: t\n    notify: h\n  - fail:\n    name: f\n  \
                handlers:\n  - name: h\n    debug:\n";
    assert_eq!(play(&text.replace("FORCE", "false")).await.steps(), ["a t changed", "a f failed"]);
    let forced = play(&text.replace("FORCE", "true")).await;
    assert_eq!(forced.steps(), ["a t changed", "a f failed", "a h ok"]);
    assert_eq!(forced.outcome.exit_code(), 2);
}

#[rstest]
#[case(&["x"], &[], &["one", "always"])]
#[case(&[], &["x"], &["two", "always"])]
#[case(&["never"], &[], &["always", "never"])]
#[case(&[], &[], &["one", "two", "always"])]
#[tokio::test]
async fn tags_select_tasks(#[case] tags: &[&str], #[case] skip: &[&str], #[case] expected: &[&str]) {
    let text = "- hosts: a\n  tasks:\n  - block:\n    - name: one\n      debug:\n    tags: x\n  - name: two\n    debug:\n  - name: always\n    \
                debug:\n    tags: always\n  - name: never\n    debug:\n    tags: never\n";
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let ran = play_with(text, |_, options| (options.tags, options.skip_tags) = (words(tags), words(skip))).await;
    let expected: Vec<_> = expected.iter().map(|name| format!("a {name} ok")).collect();
    assert_eq!(ran.steps(), expected);
}

#[tokio::test]
async fn a_run_starts_at_the_task_that_is_named() {
    let text = "- hosts: a\n  tasks: [{name: one, debug: }, {name: two, debug: }]\n- hosts: a\n  tasks: [{name: three, debug: }]\n";
    let ran = play_with(text, |_, options| options.start_at_task = Some("tw*".to_owned())).await;
    assert_eq!(ran.steps(), ["a two ok", "a three ok"]);
}

#[tokio::test]
async fn run_once_runs_on_one_host_and_registers_for_all() {
    let ran = play(
        "- hosts: all\n  tasks:\n  - debug: {msg: '{{ inventory_hostname }}'}\n    name: once\n    run_once: true\n    register: r\n  - debug: \
         {msg: '{{ r.msg }}'}\n    name: all\n",
    )
    .await;
    assert_eq!(ran.steps(), ["a once ok", "a all ok", "b all ok", "c all ok"]);
    assert_eq!(ran.messages("c"), ["a"]);
}

#[tokio::test]
async fn until_tries_again() {
    let ran = play(
        "- hosts: a\n  gather_facts: false\n  tasks:\n  - command: 'echo x >> \"$FILE\"; wc -l < \"$FILE\"'\n    environment: {FILE: '{{ \
         playbook_dir }}/tries'}\n    register: r\n    until: r.stdout | int == 2\n    retries: 3\n    delay: 0\n  - debug: {msg: '{{ \
         r.attempts }}'}\n",
    )
    .await;
    assert_eq!(ran.last(), 2);
    let retries = ran.events.iter().filter(|event| matches!(event, Event::TaskRetried { .. })).count();
    assert_eq!(retries, 1);
}

#[rstest]
#[case("command: 'true'\n    changed_when: false", "ok")]
#[case("command: 'false'\n    failed_when: false", "changed")]
#[case("command: 'true'\n    register: r\n    failed_when: [r.rc == 0, 'true']", "failed")]
#[case("command: 'true'\n    register: r\n    changed_when: r.stdout == 'x'", "ok")]
#[case("debug:\n    when: [true, 'inventory_hostname == \"b\"']", "skipping")]
#[case("debug: {msg: '{{ nope }}'}", "failed")]
#[case("debug: {msg: '{{ nope }}'}\n    when: false", "skipping")]
#[case("debug:\n    loop: '{{ nope }}'\n    when: false", "skipping")]
#[case("debug:\n    loop: '{{ nope }}'", "failed")]
#[case("debug:\n    loop: []", "skipping")]
#[case("debug: {msg: '{{ nope }}'}\n    ignore_errors: true", "ignored")]
#[case("debug:\n    when: 5 + 5", "failed")]
#[case("command: sleep 5\n    timeout: 1", "failed")]
#[tokio::test]
async fn a_task_ends_in_its_status(#[case] task: &str, #[case] expected: &str) {
    let ran = play(&format!("- hosts: a\n  tasks:\n  - name: t\n    {task}\n")).await;
    assert_eq!(ran.steps(), [format!("a t {expected}")]);
}

#[tokio::test]
async fn an_undefined_variable_is_told_with_its_place() {
    let ran = play("- hosts: a\n  tasks:\n  - debug:\n      msg: a {{ from_inventroy }}\n").await;
    let Some(Event::TaskFinished { diagnostic: Some(mistake), result, .. }) =
        ran.events.iter().find(|event| matches!(event, Event::TaskFinished { .. }))
    else {
        panic!("a diagnostic")
    };
    let position = mistake.position.as_ref().unwrap();
    assert_eq!((position.line, position.column), (4, 17));
    assert_eq!(mistake.hint.as_deref(), Some("did you mean `from_inventory`?"));
    assert_eq!(mistake.message, "'from_inventroy' is undefined");
    let message = "Task failed: Finalization of task args for 'ansible.builtin.debug' failed: Error while resolving value for 'msg': 'from_inventroy' is undefined";
    assert_eq!(result["msg"], message);
}

#[tokio::test]
async fn no_log_hides_results_everywhere() {
    let ran = play(
        "- hosts: a\n  tasks:\n  - debug: {msg: 'hush-{{ item }}'}\n    loop: [one]\n    no_log: true\n    register: r\n  - debug: {msg: '{{ \
         r.results[0].msg | length }}'}\n",
    )
    .await;
    let told = format!("{:?}", ran.events);
    assert!(!told.contains("hush") && !told.contains("one\""), "{told}");
    assert_eq!(ran.last(), 8);
}

#[tokio::test]
async fn known_secrets_are_redacted() {
    let ran = play_with(
        "- hosts: a\n  tasks:\n  - debug: {msg: 'it is {{ s }}'}\n    vars: {s: correct horse}\n",
        |_, options| {
            options.redactor.add("correct horse");
        },
    )
    .await;
    assert_eq!(ran.last(), "it is ********");
}

#[tokio::test]
async fn delegation_runs_elsewhere_and_registers_here() {
    let ran = play(
        "- hosts: a\n  tasks:\n  - command: echo {{ inventory_hostname }}\n    delegate_to: localhost\n    register: r\n  - debug: {msg: '{{ \
         r.stdout }}'}\n",
    )
    .await;
    assert_eq!(ran.last(), "a");
}

#[tokio::test]
async fn files_are_included_while_the_play_runs() {
    let text = "- hosts: all\n  tasks:\n  - include_tasks: {file: '{{ item }}.yml', apply: {tags: t, vars: {v: applied}}}\n    loop: [x, y]\n    \
                when: item == 'x' or inventory_hostname == 'a'\n    vars: {w: mine}\n  - debug:\n    name: end\n";
    let ran = play_with(text, |folder, _| {
        folder.write("x.yml", "- name: in x\n  debug: {msg: '{{ item }} {{ v }} {{ w }}'}\n");
        folder.write("tasks/y.yml", "- name: in y\n  debug: {msg: '{{ item }}'}\n");
    })
    .await;
    let expected = ["a in x ok", "b in x ok", "c in x ok", "a in y ok", "a end ok", "b end ok", "c end ok"];
    assert_eq!(ran.steps(), expected);
    assert_eq!(ran.messages("a")[..2], ["x applied mine", "y"]);
    assert_eq!((ran.outcome.recap["a"].ok, ran.outcome.recap["b"].ok), (5, 3));
}

#[tokio::test]
async fn a_file_that_is_not_there_fails_the_include() {
    let ran = play("- hosts: a\n  tasks:\n  - include_tasks: none.yml\n    name: inc\n").await;
    assert_eq!(ran.steps(), ["a inc failed"]);
    assert_eq!(ran.outcome.exit_code(), 2);
}

#[rstest]
#[case("end_host", &["a one ok", "b one ok", "c one ok", "b two ok", "c two ok", "a three ok", "b three ok", "c three ok"])]
#[case("end_play", &["a one ok", "b one ok", "c one ok", "a three ok", "b three ok", "c three ok"])]
#[case("noop", &["a one ok", "b one ok", "c one ok", "a two ok", "b two ok", "c two ok", "a three ok", "b three ok", "c three ok"])]
#[tokio::test]
async fn meta_changes_the_course(#[case] meta: &str, #[case] expected: &[&str]) {
    let text = format!(
        "- hosts: all\n  tasks:\n  - {{name: one, debug: }}\n  - meta: {meta}\n    name: m\n    when: inventory_hostname == 'a'\n  - {{name: two, \
         debug: }}\n- hosts: all\n  tasks: [{{name: three, debug: }}]\n"
    );
    let steps: Vec<_> = play(&text).await.steps().into_iter().filter(|step| !step.contains(" m ")).collect();
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn facts_are_gathered_when_a_template_asks() {
    let text = "- hosts: a\n  gather_facts: GATHER\n  tasks:\n  - debug: {msg: '{{ ansible_system }} {{ ansible_facts.system }} {{ \
                hostvars.a.ansible_system }}'}\n  - debug: {msg: '{{ ansible_hostname is defined }}'}\n";
    let ran = play(&text.replace("GATHER", "true")).await;
    assert_eq!(
        ran.messages("a"),
        ["Linux Linux Linux", "True"].map(|text| if text == "True" { true.into() } else { text.into() })
            as [serde_json::Value; 2]
    );
    let ran = play(&text.replace("GATHER", "false")).await;
    assert_eq!(ran.steps(), ["a debug failed"]);
}

#[tokio::test]
async fn an_unreachable_host_leaves_the_run() {
    let ran = play(
        "- hosts: a:b\n  tasks:\n  - command: 'true'\n    name: t\n    vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}\n    \
         when: inventory_hostname == 'a'\n  - debug:\n    name: rest\n",
    )
    .await;
    assert_eq!(ran.steps(), ["b t skipping", "a t unreachable", "b rest ok"]);
    assert_eq!(ran.outcome.exit_code(), 4);
    assert_eq!(ran.outcome.recap["a"].unreachable, 1);
}

#[tokio::test]
async fn cancellation_ends_running_commands() {
    let folder = Folder::new();
    let hosts = folder.write("hosts.ini", INVENTORY);
    let playbook = folder.load("- hosts: a\n  tasks:\n  - command: sleep 600\n  - debug:\n");
    let inventory = Arc::new(Inventory::load(&[hosts]).unwrap());
    let cancel = CancellationToken::new();
    let on_start = cancel.clone();
    let tell = move |event: Event| {
        if matches!(event, Event::TaskStarted { .. }) {
            on_start.cancel();
        }
    };
    let options = Options::default();
    let outcome = run(&playbook, &inventory, &options, &tell, cancel).await.unwrap();
    assert!(outcome.interrupted);
    assert_eq!(outcome.exit_code(), 99);
}

#[tokio::test]
async fn check_mode_reaches_modules_and_templates() {
    let text = "- hosts: a\n  tasks:\n  - copy: {dest: /x}\n    name: c\n  - copy: {dest: /x}\n    name: d\n    check_mode: false\n  - debug: {msg: \
                '{{ ansible_check_mode }}'}\n    name: e\n";
    let ran = play_with(text, |_, options| options.check = true).await;
    assert_eq!(ran.steps(), ["a c ok", "a d changed", "a e ok"]);
    assert_eq!(ran.last(), true);
}

#[tokio::test]
async fn parameters_are_rendered_and_omitted() {
    let text = "- hosts: a\n  tasks:\n  - copy: {name: /x, content: '{{ omit }}', count: '{{ 1 + 1 }}', items: ['{{ region }}', '{{ omit }}']}\n    \
                args: {force: true}\n    register: r\n  - debug: {msg: '{{ r.invocation_parameters }}'}\n";
    let expected = serde_json::json!({"force": true, "dest": "/x", "count": 2, "items": ["north"]});
    assert_eq!(play(text).await.last(), expected);
}

#[tokio::test]
async fn a_limit_that_leaves_no_host_is_an_error() {
    let folder = Folder::new();
    let hosts = folder.write("hosts.ini", INVENTORY);
    let playbook = folder.load("- hosts: all\n  tasks: []\n");
    let inventory = Arc::new(Inventory::load(&[hosts]).unwrap());
    let options = Options { limit: Some("nobody".to_owned()), ..Options::default() };
    let error = run(&playbook, &inventory, &options, &|_| {}, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.exit_code(), 1);
}

#[tokio::test]
async fn what_is_decrypted_is_redacted() {
    let text = "- hosts: a\n  vars:\n    s: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162\n  tasks:\n  - debug: {msg: 'it is {{ s }}'}\n";
    let ran = play_with(text, |_, options| {
        options.decrypt = Some(Arc::new(|_: &str| Ok("correct horse".to_owned())));
    })
    .await;
    assert_eq!(ran.last(), "it is ********");
}

#[tokio::test]
async fn environment_of_all_levels_reaches_commands() {
    let ran = play(
        "- hosts: a\n  environment: {A: play, B: play}\n  tasks:\n  - block:\n    - command: echo $A $B $C\n      environment: [{C: '{{ region \
         }}'}]\n      register: r\n    environment: {B: block}\n  - debug: {msg: '{{ r.stdout }}'}\n",
    )
    .await;
    assert_eq!(ran.last(), "play block north");
}

#[rstest]
#[case("", false)]
#[case("become: true", true)]
#[case("become: true\n    vars: {ansible_become: false}", false)]
#[case("become: false\n    vars: {ansible_become: 'yes'}", true)]
#[tokio::test]
async fn become_variables_beat_keywords(#[case] keywords: &str, #[case] becomes: bool) {
    // A user that does not exist: whether the task fails says whether it was tried to become it.
    let text =
        format!("- hosts: a\n  become_user: no-such-user\n  tasks:\n  - command: ':'\n    name: t\n    {keywords}\n");
    let expected = if becomes { "a t failed" } else { "a t changed" };
    assert_eq!(play(&text).await.steps(), [expected]);
}
