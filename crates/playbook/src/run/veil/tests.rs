//! Runs with secrets: whatever a playbook does with them, no event tells them, and the run works with the real ones.

use crate::event::Event;
use crate::run::{Options, run};
use crate::testing::Folder;
use crate::{Error, Playbook, Sources};
use inventory::Inventory;
use rstest::rstest;
use serde_json::Value as Json;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// What is encrypted: the text in hexadecimal, so that the secret itself stands in no file.
fn vault(text: &str) -> String {
    format!("$ANSIBLE_VAULT;1.1;AES256\n{}\n", data_encoding::HEXLOWER.encode(text.as_bytes()))
}

/// An inline `!vault` value at a depth of indentation.
fn inline(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    format!("!vault |\n{pad}{}", vault(text).trim_end().replace('\n', &format!("\n{pad}")))
}

fn decrypt(text: &str) -> Result<String, String> {
    let hex = text.lines().nth(1).ok_or("no ciphertext")?.trim();
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).map_err(|_| "no hexadecimal text".to_owned())?;
    String::from_utf8(bytes).map_err(|_| "no text".to_owned())
}

struct Ran {
    folder: Folder,
    events: Vec<Event>,
    result: Result<u8, Error>,
}

/// Runs tasks on host `a` with `pin`, a vaulted `secret`, and an encrypted `cfg.enc` that holds it as `port` (a number if it can
/// be one) and in a list.
async fn play(secret: &str, tasks: &str) -> Ran {
    play_with(secret, &format!("- hosts: a\n  gather_facts: false\n{tasks}"), |_, _| {}).await
}

async fn play_with(secret: &str, text: &str, change: impl FnOnce(&Folder, &mut Options)) -> Ran {
    let folder = Folder::new();
    let vars = format!("ansible_connection: local\npin: {}\nplain: visible\n", inline(secret, 2));
    folder.write("host_vars/a.yml", &vars);
    let hosts = folder.write("hosts.ini", "a\nb ansible_connection=local\n");
    folder.write("cfg.enc", &vault(&format!("port: {secret}\nusers:\n- {{name: '{secret}', shown: {secret}}}\n")));
    let mut options = Options { sources: Sources::default(), diff: true, verbosity: 3, ..Options::default() };
    options.decrypt = Some(Arc::new(decrypt));
    change(&folder, &mut options);
    let path = folder.write("site.yml", &text.replace('@', folder.path("").as_str().trim_end_matches('/')));
    let playbook = Playbook::load(&path, &options.sources).unwrap();
    let report = crate::check(&playbook);
    assert!(report.is_runnable(), "{report:?}");
    let inventory = Arc::new(Inventory::load(&[hosts]).unwrap());
    let events = Mutex::new(Vec::new());
    let tell = |event: Event| events.lock().unwrap().push(event);
    let result = run(&playbook, &inventory, &options, &tell, CancellationToken::new()).await;
    let result = result.map(|outcome| outcome.exit_code());
    Ran { folder, events: events.into_inner().unwrap(), result }
}

impl Ran {
    /// All that was told, in every form of it.
    fn told(&self) -> String {
        let told = |event: &Event| format!("{}\n{event:?}\n", serde_json::to_string(event).unwrap());
        let mut told: String = self.events.iter().map(told).collect();
        if let Err(error) = &self.result {
            told += &format!("{error} {error:?}");
        }
        // Times and names of temporary folders are nobody's secrets.
        told.replace(self.folder.path("").as_str(), "@/")
    }

    fn hides(&self, secret: &str) -> &Self {
        let told = self.told();
        let at = told.find(secret);
        assert!(at.is_none(), "{secret} in …{}…", &told[at.unwrap().saturating_sub(200)..][..240.min(told.len())]);
        self
    }

    fn results(&self) -> Vec<&serde_json::Map<String, Json>> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::TaskFinished { result, .. } => Some(result),
            _ => None,
        });
        results.collect()
    }

    fn last(&self) -> &serde_json::Map<String, Json> {
        self.results().pop().unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path(name)).unwrap()
    }
}

/// A number, a text, one that is sought everywhere.
const SECRETS: [&str; 3] = ["4711", "pw!x", "correct horse 4711"];

#[rstest]
#[case::message("  - debug: {msg: 'it is {{ pin }} or {{ plain }}'}", 0)]
#[case::value("  - debug: {msg: '{{ pin }}'}", 0)]
#[case::list("  - debug: {msg: ['{{ pin }}', '{{ plain }}', '{{ pin ~ \"x\" }}', {a: '{{ [pin] }}'}]}", 0)]
#[case::variable("  - debug: {var: pin}\n  - debug: {var: 'hostvars.a'}\n  - debug: {var: vars}", 0)]
#[case::derived("  - debug: {msg: '{{ pin | upper | lower }}'}\n  - debug: {msg: '{{ pin | list | join }}'}", 0)]
#[case::set("  - set_fact: {mine: '{{ pin }}'}\n  - debug: {var: mine}\n  - debug: {msg: 'is {{ mine }}'}", 0)]
#[case::nested(
    "  - set_fact: {mine: {deep: ['{{ pin }}', 1]}}\n  - debug: {msg: '{{ mine.deep[0] }} {{ mine.deep[1] }}'}",
    0
)]
#[case::other_host(
    "  - set_fact: {mine: '{{ pin }}'}\n- hosts: b\n  tasks:\n  - debug: {msg: '{{ hostvars.a.mine }}'}",
    0
)]
#[case::command(
    "  - command: test -n '{{ pin }}'\n    register: r\n  - debug: {var: r}\n  - debug: {msg: '{{ r.cmd | last }}'}",
    0
)]
#[case::argv("  - command: {argv: [test, -n, '{{ pin }}']}\n    register: r\n  - debug: {msg: '{{ r.cmd }}'}", 0)]
#[case::shell("  - shell: test -n '{{ pin }}'\n  - shell: cat > /dev/null\n    args: {stdin: 'pw {{ pin }}'}", 0)]
#[case::fails("  - command: 'false {{ pin }}'", 2)]
#[case::missing("  - command: '/no/such/{{ pin }}'", 2)]
#[case::environment("  - command: test -n \"$P\"\n    environment: {P: '{{ pin }}'}", 0)]
#[case::fail("  - fail: {msg: 'no {{ pin }}'}", 2)]
#[case::assert("  - assert: {that: pin == 'x', fail_msg: '{{ pin }} is bad'}", 2)]
#[case::rescue(
    "  - block:\n    - fail: {msg: 'no {{ pin }}'}\n    rescue:\n    - debug: {msg: '{{ ansible_failed_result.msg }}'}",
    0
)]
#[case::undefined("  - debug: {msg: '{{ pin }} {{ nope }}'}", 2)]
#[case::member("  - debug: {msg: '{{ {}[pin] }}'}", 2)]
#[case::condition("  - debug: {msg: hi}\n    when: '{}[pin]'", 2)]
#[case::keyword("  - debug:\n    ignore_errors: '{{ pin }}'\n  - command: 'true'\n    timeout: '{{ pin }}x'", 2)]
#[case::until(
    "  - debug: {msg: '{{ pin }}'}\n    register: r\n    until: r.msg == 'x'\n    retries: 1\n    delay: 0",
    2
)]
#[case::items(
    "  - debug: {msg: 'at {{ item }}'}\n    loop: ['{{ pin }}', two]\n    register: r\n  - debug: {msg: '{{ r.results[0].item }}'}",
    0
)]
#[case::extended(
    "  - debug:\n    loop: [one, '{{ pin }}']\n    loop_control: {extended: true, label: 'l {{ item }}'}",
    0
)]
#[case::next(
    "  - debug: {msg: '{{ ansible_loop.nextitem | default(0) }}'}\n    loop: [one, '{{ pin }}']\n    loop_control: {extended: true}",
    0
)]
#[case::include("  - include_tasks: more.yml\n    loop: ['{{ pin }}']", 0)]
#[case::include_file("  - include_tasks: '{{ pin }}.yml'", 2)]
#[case::name("  - name: set {{ pin }}\n    debug:\n  - name: '{{ pin }}'\n    debug:", 0)]
#[case::handler("  - command: 'true'\n    notify: h\n  handlers:\n  - name: h\n    debug: {msg: '{{ pin }}'}", 0)]
#[case::handler_name("  - command: 'true'\n    notify: '{{ pin }}'", 1)]
#[case::delegate(
    "  - debug: {msg: '{{ pin }}'}\n    delegate_to: b\n  - command: test -n '{{ pin }}'\n    delegate_to: localhost",
    0
)]
#[case::host("  - command: 'true'\n    vars: {ansible_connection: '{{ pin }}'}", 2)]
#[case::play_name(
    "  - debug:\n- hosts: b\n  name: on {{ hostvars.a.pin }}\n  tasks: []\n- hosts: none\n  name: on {{ hostvars.a.pin }}\n  tasks: []",
    0
)]
#[case::extra_file("  - debug: {msg: '{{ extra }}'}", 0)]
#[case::file(
    "  - file: {path: '@/x{{ pin }}', state: directory}\n    register: r\n  - debug: {var: r.path}\n  - stat: {path: '@/x{{ pin }}'}",
    0
)]
#[case::lookup(
    "  - debug: {msg: '{{ lookup(\"file\", \"pin.enc\") }}'}\n  - debug: {msg: '{{ lookup(\"unvault\", \"pin.enc\") }}'}",
    0
)]
#[case::encrypted(
    "  - include_vars: cfg.enc\n  - debug: {var: port}\n  - debug: {msg: '{{ users }}'}\n  - debug: {var: 'users[0].shown'}",
    0
)]
#[case::named(
    "  - include_vars: {file: cfg.enc, name: cfg}\n  - debug: {var: cfg}\n  - debug: {msg: '{{ cfg.port }} {{ cfg | to_json }}'}",
    0
)]
#[case::vars_files(
    "  vars_files: cfg.enc\n  tasks:\n  - debug: {msg: 'at {{ port }}'}\n  - debug: {msg: '{{ item }}'}\n    loop: '{{ users }}'",
    0
)]
#[tokio::test]
async fn no_event_tells_a_secret(#[case] tasks: &str, #[case] code: u8, #[values(0, 1, 2)] which: usize) {
    let secret = SECRETS[which];
    let tasks = if tasks.starts_with("  vars_files") { tasks.to_owned() } else { format!("  tasks:\n{tasks}\n") };
    let text = format!("- hosts: a\n  gather_facts: false\n{tasks}\n");
    let ran = play_with(secret, &text, |folder, options| {
        folder.write("more.yml", "- debug: {msg: 'in {{ item }}'}\n- name: n {{ item }}\n  debug:\n");
        folder.write("pin.enc", &vault(&format!("{secret}\n")));
        let extra = folder.write("extra.enc", &vault(&format!("extra: {secret}\n")));
        let extra = [format!("@{extra}")];
        options.extra_vars = crate::extra_vars_with(extra.iter().map(String::as_str), Some(&decrypt)).unwrap();
    })
    .await;
    assert_eq!(*ran.hides(secret).result.as_ref().unwrap_or(&1), code, "{}", ran.told());
    // A run that fails before it comes to the secret would pass as well.
    let told = ran.told();
    assert!(told.contains("********") || ["$P", "nope"].iter().any(|without| tasks.contains(without)), "{told}");
}

#[rstest]
#[case("4711", 4711.into())]
#[case("true", true.into())]
#[case("true", "True".into())]
#[tokio::test]
async fn numbers_and_flags_go_and_others_stay(#[case] secret: &str, #[case] shown: Json) {
    let text = "  tasks:\n  - include_vars: cfg.enc\n  - debug: {var: port}\n  - set_fact: {p: '{{ port }}', other: TOLD}\n  - debug: \
                {msg: ['{{ p }}', TOLD]}\n  - command: 'true'\n    when: port\n"
        .replace("TOLD", &shown.to_string());
    let text = if secret == "true" { text } else { text.replace("when: port", "when: port > 1") };
    let ran = play(secret, &text).await;
    let results = ran.results();
    assert_eq!(results[1]["port"], "********");
    assert_eq!(results[2]["ansible_facts"]["p"], "********");
    assert_eq!(results[3]["msg"][0], "********");
    assert_eq!((&results[4]["changed"], &results[4]["rc"]), (&true.into(), &0.into()));
    assert_eq!(results[4]["cmd"], serde_json::json!(["true"]), "a condition hides nothing of the result");
    assert_eq!(results[1]["changed"], false);
}

#[rstest]
#[tokio::test]
async fn files_get_the_real_value_and_no_difference_shows_it(
    #[values("4711", "correct horse 4711")] secret: &str,
    #[values(
        "copy: {content: \"host=a\\npin={{ pin }}\\n\", dest: '@/out'}",
        "template: {src: t.j2, dest: '@/out'}",
        "copy: {src: out.enc, dest: '@/out'}",
        "template: {src: t.enc, dest: '@/out'}"
    )]
    module: &str,
) {
    let text = format!("- hosts: a\n  tasks:\n  - {module}\n    register: r\n  - debug: {{var: r}}\n");
    let ran = play_with(secret, &text, |folder, _| {
        folder.write("out", "host=a\npin=old secret\n");
        folder.write("t.j2", "host=a\npin={{ pin }}\n");
        folder.write("out.enc", &vault(&format!("host=a\npin={secret}\n")));
        folder.write("t.enc", &vault("host=a\npin={{ pin }}\n"));
    })
    .await;
    assert_eq!(ran.read("out"), format!("host=a\npin={secret}\n"));
    ran.hides(secret).hides("old secret");
    let diff = &ran.results()[0]["diff"][0];
    let remark = "(not shown: the content comes from a vault)";
    if secret.len() < 8 || module.contains("enc") {
        assert_eq!((&diff["before"], &diff["after"]), (&remark.into(), &remark.into()));
        ran.hides(&data_encoding::HEXLOWER.encode(&sha1(format!("host=a\npin={secret}\n").as_bytes())));
    } else {
        let expected = ("host=a\n********\n".into(), "host=a\npin=********\n".into());
        assert_eq!((&diff["before"], &diff["after"]), (&expected.0, &expected.1));
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    use sha1::Digest;
    sha1::Sha1::digest(bytes).to_vec()
}

#[tokio::test]
async fn what_a_machine_says_is_hidden_when_it_is_long() {
    let secret = "line one of it\nit's \"two\"";
    let tasks = "  tasks:\n  - command: cat @/said\n    register: r\n  - debug: {var: r.stdout_lines}\n";
    let text = format!("- hosts: a\n  vars_files: cfg2.enc\n{tasks}");
    let ran = play_with("4711", &text, |folder, _| {
        folder.write("cfg2.enc", &vault(&serde_json::json!({"never_read": secret, "n": 4711}).to_string()));
        let base64 = data_encoding::BASE64.encode(format!("u:{secret}").as_bytes());
        folder.write("said", &format!("{secret}\n{base64}\nit%27s%20%22two%22\nit's \\\"two\\\"\n4711\n"));
    })
    .await;
    ran.hides("line one").hides("\\\"two").hides("two%22").hides("bGluZSBvbmUgb2YgaXQ");
    assert_eq!(ran.results()[0]["stdout_lines"][5], "4711", "a short one stands there by chance");
    let later = play("4711", "  tasks:\n  - debug: {msg: 'the {{ 4711 }}'}\n").await;
    assert_eq!(later.last()["msg"], "the 4711");
}

#[rstest]
#[case("47", "x47y")]
#[case("4", "a4b c")]
#[tokio::test]
async fn very_short_secrets_go_with_the_word_around_them(#[case] secret: &str, #[case] shown: &str) {
    let text = shown.replacen(secret, "{{ pin }}", 1);
    let ran =
        play(secret, &format!("  tasks:\n  - command: test -n '{text}'\n  - debug: {{msg: '{text} ok'}}\n")).await;
    let word = shown.split(' ').next().unwrap();
    for result in ran.results() {
        let told = Json::Object(result.clone()).to_string();
        assert!(!told.contains(word), "{told}");
    }
}

#[rstest]
#[case(None, "variable `pin` is encrypted, and there is no vault password")]
#[case(Some("wrong password"), "variable `pin` can not be decrypted: wrong password")]
#[tokio::test]
async fn a_value_that_can_not_be_read_is_told_with_its_place(#[case] why: Option<&'static str>, #[case] message: &str) {
    let text = "- hosts: a\n  tasks:\n  - debug: {msg: '{{ pin }}'}\n";
    let ran = play_with("4711", text, |_, options| {
        options.decrypt = why.map(|why| -> Arc<template::Decrypt> { Arc::new(move |_: &str| Err(why.to_owned())) });
    })
    .await;
    let Some(Event::TaskFinished { diagnostic: Some(mistake), .. }) =
        ran.events.iter().rfind(|event| matches!(event, Event::TaskFinished { .. }))
    else {
        panic!("a diagnostic")
    };
    assert_eq!(mistake.message, message);
    let position = mistake.position.as_ref().unwrap();
    assert!(position.file.ends_with("host_vars/a.yml"), "{position}");
    assert_eq!((position.line, position.column), (3, 3));
    assert_eq!(mistake.hint.as_deref(), Some(template::PASSWORD_HINT));
}

#[tokio::test]
async fn a_file_that_can_not_be_read_is_told() {
    let text = "- hosts: a\n  vars_files: cfg.enc\n  tasks: []\n";
    let ran = play_with("4711", text, |_, options| options.decrypt = None).await;
    let error = ran.result.unwrap_err();
    assert!(error.to_string().contains("cfg.enc` is encrypted, and there is no vault password"), "{error}");
    let ran = play_with("4711", text, |folder, _| {
        folder.write("cfg.enc", &vault("a: 'hush\nb: [4711\n"));
    })
    .await;
    ran.hides("hush").hides("4711");
    assert!(ran.result.as_ref().unwrap_err().to_string().contains("is no valid YAML, at line"), "{}", ran.told());
}

#[tokio::test]
async fn the_same_text_is_decrypted_once() {
    let count = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&count);
    let text = "- hosts: a\n  tasks:\n  - debug: {msg: '{{ pin }} {{ pin }}'}\n  - debug: {msg: '{{ pin }}'}\n";
    let ran = play_with("4711", text, |_, options| {
        options.decrypt = Some(Arc::new(move |text: &str| {
            *counter.lock().unwrap() += 1;
            decrypt(text)
        }));
    })
    .await;
    ran.hides("4711");
    assert_eq!(*count.lock().unwrap(), 1);
}

#[rstest]
#[case::list("{{ cfg | list | join(', ') }}", "port, users")]
#[case::keys("{{ cfg.keys() | join(', ') }}", "port, users")]
#[case::joined("{{ cfg | join(' ') }}", "port users")]
#[case::pairs("{{ cfg | dict2items | map(attribute='key') | join(', ') }}", "port, users")]
#[case::each("{% for name in cfg %}{{ name }};{% endfor %}", "port;users;")]
#[case::each_pair("{% for name, value in cfg.items() %}{{ name }} {% endfor %}", "port users ")]
#[case::json("{{ cfg | list | to_json }}", "[\"port\", \"users\"]")]
#[case::lacking("lacks {{ ['port', 'sub_key'] | reject('in', cfg) | join }}", "lacks sub_key")]
#[case::pairs_lacking(
    "{{ [{'key': 'x'}, {'key': 'port'}] | rejectattr('key', 'in', cfg) | map(attribute='key') | first }}",
    "x"
)]
#[case::too_many("{{ cfg.keys() | difference(['port']) | first }}", "users")]
#[case::questions(
    "is {{ 'x' in cfg }} {{ 'port' in cfg }} {{ cfg is mapping }} {{ cfg | length }}",
    "is False True True 2"
)]
#[case::absent("{{ cfg.get('nope', 'plain') }} {{ cfg.nope | default('default') }}", "plain default")]
#[case::nested("{{ cfg.users | map('list') | first | join('/') }}", "name/shown")]
#[case::value("{{ cfg.get('port') }}", "********")]
#[case::pair("{{ cfg.items() | first | last }} {{ cfg.items() | first | first }}", "******** port")]
#[case::values("{{ cfg.values() | first }} in {{ cfg | list | first }}", "******** in port")]
#[case::made("{{ cfg | dict2items | map(attribute='value') | first ~ 'port' }}", "********")]
#[tokio::test]
async fn names_of_what_is_secret_are_told(
    #[case] msg: &str,
    #[case] expected: &str,
    #[values("pw!x", "4711")] secret: &str,
) {
    let tasks = format!(
        "  tasks:\n  - include_vars: {{file: cfg.enc, name: cfg}}\n  - debug:\n      msg: {}\n",
        serde_json::json!(msg)
    );
    let ran = play(secret, &tasks).await;
    assert_eq!(ran.hides(secret).last()["msg"], expected);
}

#[rstest]
#[case("{{ cfg | dict2items | map(attribute='key') | join(', ') }}", "port, ********")]
#[case("{{ cfg.port | upper }} {{ cfg | list | first }}", "******** port")]
#[tokio::test]
async fn a_secret_that_is_a_name_too_stays_hidden(#[case] msg: &str, #[case] expected: &str) {
    let tasks = format!(
        "  tasks:\n  - include_vars: {{file: cfg.enc, name: cfg}}\n  - debug:\n      msg: {}\n",
        serde_json::json!(msg)
    );
    assert_eq!(play("users", &tasks).await.last()["msg"], expected);
}

#[tokio::test]
async fn a_failure_names_the_keys_that_are_missing() {
    let tasks = "  tasks:\n  - include_vars: {file: cfg.enc, name: cfg}\n  - assert:\n      that: lacking | length == 0\n      fail_msg: \"cfg.enc \
                 lacks {{ lacking | join(', ') }}\"\n    vars:\n      lacking: \"{{ ['sub_key', 'port', 'pub_key'] | reject('in', cfg) | list }}\"\n";
    let ran = play("correct horse 4711", tasks).await;
    assert_eq!(ran.hides("correct horse").last()["msg"], "cfg.enc lacks sub_key, pub_key");
}
