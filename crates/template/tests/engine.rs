//! What callers rely on: laziness, trust, scopes of other hosts, conditions, sharing between threads.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use diagnostic::{Diagnose, Position};
use rstest::rstest;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use template::{Engine, Error, FileOptions, Layered, Scope, Value, Variable, Variables};
use yaml::Node;

fn scope(text: &str) -> Arc<dyn Scope> {
    Arc::new(variables(text))
}

fn variables(text: &str) -> Variables {
    let root = yaml::load_one("vars.yml", text).unwrap();
    let mut variables = Variables::new();
    for (name, node) in root.as_mapping().unwrap().iter() {
        variables.set(name.as_str().unwrap(), Variable::Authored(Arc::new(node.clone())));
    }
    variables
}

fn node(text: &str) -> Node {
    Node::string(text, Position::new("<test>", 1, 1))
}

fn render(text: &str, scope: &Arc<dyn Scope>) -> Result<Json, Error> {
    Engine::new().render(&node(text), scope).map(|value| value.to_json())
}

#[test]
fn omit_is_told_at_the_top_and_dropped_below() {
    let scope = scope("a: 1");
    let engine = Engine::new();
    assert!(engine.render(&node("{{ nothing | default(omit) }}"), &scope).unwrap().is_omit());
    let mapping = yaml::load_one("t.yml", "keep: '{{ a }}'\ndrop: '{{ omit }}'\nlist: [1, '{{ omit }}']").unwrap();
    assert_eq!(engine.render(&mapping, &scope).unwrap().to_json(), json!({"keep": 1, "list": [1]}));
}

#[test]
fn data_is_never_a_template() {
    let mut variables = variables("secret: hidden\nauthored: '{{ data.text }}'");
    variables.set("data", json!({"text": "{{ secret }}", "list": ["{{ lookup('pipe', 'false') }}"]}));
    let scope: Arc<dyn Scope> = Arc::new(variables);
    assert_eq!(render("{{ authored }}", &scope).unwrap(), json!("{{ secret }}"));
    assert_eq!(render("{{ data.list[0] }}", &scope).unwrap(), json!("{{ lookup('pipe', 'false') }}"));
}

#[test]
fn data_is_never_a_condition_even_when_a_variable_leads_to_it() {
    let mut variables = variables("through: '{{ data }}'\nauthored: a_flag\na_flag: true");
    variables.set("data", json!("lookup('pipe', 'touch /tmp/never') == ''"));
    let scope: Arc<dyn Scope> = Arc::new(variables);
    let engine = Engine::new();
    assert!(engine.condition(&node("{{ data }}"), &scope).is_err());
    assert!(engine.condition(&node("{{ through }}"), &scope).is_err());
    assert!(engine.condition(&node("{{ authored }}"), &scope).unwrap());
}

/// The variables of all hosts, as the playbook engine gives them.
struct AllHosts(Vec<(&'static str, Arc<dyn Scope>)>);

impl Scope for AllHosts {
    fn get(&self, name: &str) -> Option<Variable> {
        let (_, scope) = self.0.iter().find(|(host, _)| *host == name)?;
        Some(Variable::Scope(scope.clone()))
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(host, _)| (*host).to_owned()).collect()
    }
}

fn two_hosts() -> Arc<dyn Scope> {
    let a = scope("name: a\naddress: '10.0.0.{{ number }}'\nnumber: 1");
    let b = scope("name: b\naddress: '10.0.0.{{ number }}'\nnumber: 2\nbroken: '{{ nothing }}'");
    let mut own = variables("name: a\ngroups: {all: [a, b]}");
    own.set("hostvars", Variable::Scope(Arc::new(AllHosts(vec![("a", a), ("b", b)]))));
    Arc::new(own)
}

#[rstest]
#[case("{{ hostvars['b'].address }}", json!("10.0.0.2"))]
#[case("{{ hostvars.b['address'] }}", json!("10.0.0.2"))]
#[case("{{ groups.all | map('extract', hostvars, 'address') | join(' ') }}", json!("10.0.0.1 10.0.0.2"))]
#[case("{{ groups.all | map('extract', hostvars) | map(attribute='name') | list }}", json!(["a", "b"]))]
#[case("{{ hostvars | length }}", json!(2))]
#[case("{{ 'b' in hostvars and 'c' not in hostvars }}", json!(true))]
#[case("{{ hostvars['c'].address | default('none') }}", json!("none"))]
#[case("{{ hostvars.b.broken | default('none') }}", json!("none"))]
#[case("{{ hostvars['a'] }}", json!({"name": "a", "address": "10.0.0.1", "number": 1}))]
#[case("{% for host in hostvars %}{{ host }}{% endfor %}", json!("ab"))]
#[case("{{ hostvars.get('a').name }}", json!("a"))]
#[case("{{ hostvars.a | dict2items | length }}", json!(3))]
fn other_hosts_are_rendered_with_their_own_variables(#[case] template: &str, #[case] expected: Json) {
    let mut expected = expected;
    let mut result = render(template, &two_hosts()).unwrap();
    result.sort_all_objects();
    expected.sort_all_objects();
    assert_eq!(result, expected);
}

#[test]
fn a_loop_names_its_chain() {
    let scope = scope("a: '{{ b }}'\nb: {inner: '{{ c }}'}\nc: '{{ b.inner }}'");
    let error = render("{{ a }}", &scope).unwrap_err();
    assert!(matches!(&error, Error::Loop { chain, .. } if chain == "b -> c -> b"), "{error}");
}

#[test]
fn the_first_layer_hides_the_rest() {
    let layered: Arc<dyn Scope> = Arc::new(Layered { first: scope("a: first"), rest: scope("a: rest\nb: '{{ a }}'") });
    assert_eq!(render("{{ a }} {{ b }}", &layered).unwrap(), json!("first first"));
    assert_eq!(layered.names(), ["a", "b"]);
}

#[test]
fn one_engine_serves_threads() {
    let engine = Engine::new();
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let engine = engine.clone();
            threads.spawn(move || {
                let scope = scope(&format!("n: {thread}\nm: '{{{{ n * 2 }}}}'"));
                for _ in 0..50 {
                    let value = engine.render(&node("{{ m + 1 }}"), &scope).unwrap();
                    assert_eq!(value.to_json(), json!(thread * 2 + 1));
                }
            });
        }
    });
}

#[test]
fn a_vaulted_value_is_decrypted_when_it_is_used() {
    let scope = scope("secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nother: 1");
    let refused = render("{{ secret }}", &scope).unwrap_err();
    assert!(refused.to_string().contains("vault password"), "{refused}");
    assert_eq!(render("{{ other }}", &scope).unwrap(), json!(1));
    let engine = Engine::new().with_decrypt(Arc::new(|text| match text.contains("AES256") {
        true => Ok("{{ other }}".to_owned()),
        false => Err("no ciphertext".to_owned()),
    }));
    let value = engine.render(&node("{{ secret }}"), &scope).unwrap();
    assert_eq!(value.to_json(), json!("{{ other }}"), "what was encrypted is no template");
}

#[test]
fn lookups_search_the_given_directories() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("files")).unwrap();
    std::fs::write(directory.path().join("files/a.txt"), "in files\n").unwrap();
    std::fs::write(directory.path().join("b.txt"), "beside\n").unwrap();
    let engine = Engine::new().with_search_path([directory.path().to_owned()]);
    let scope = scope("x: 1");
    let value = engine.render(&node("{{ lookup('file', 'a.txt') }} {{ lookup('file', 'b.txt') }}"), &scope).unwrap();
    assert_eq!(value.to_json(), json!("in files beside"));
    let found =
        engine.lookup("first_found", vec![Value::from("a.txt")], &Position::new("<test>", 1, 1), &scope).unwrap();
    assert_eq!(found.len(), 1, "a loop looks into files/");
}

#[test]
fn a_password_is_kept_and_readable_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::new().with_search_path([directory.path().to_owned()]);
    let scope = scope("x: 1");
    let template = node("{{ lookup('password', 'secrets/db length=12 chars=hexdigits') }}");
    let first = engine.render(&template, &scope).unwrap().to_json();
    assert_eq!(first, engine.render(&template, &scope).unwrap().to_json());
    assert_eq!(first.as_str().map(str::len), Some(12));
    let mode = std::fs::metadata(directory.path().join("secrets/db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn files_are_text_whatever_they_hold() {
    let scope = scope("list: [1, a]");
    let render = |text: &str| Engine::new().render_file(text, "t.j2", &FileOptions::default(), &scope).unwrap();
    assert_eq!(render("{{ list }}"), "[1, 'a']");
    assert_eq!(render("{{ none }}"), "");
    let windows = FileOptions { newline_sequence: "\r\n".to_owned(), ..FileOptions::default() };
    assert_eq!(Engine::new().render_file("a\nb\n", "t.j2", &windows, &scope).unwrap(), "a\r\nb\r\n");
}

#[rstest]
#[case("nam", "did you mean `name`?")]
#[case("zzzzz", "define `zzzzz`, or write `{{ zzzzz | default('…') }}`")]
fn an_undefined_variable_has_a_hint(#[case] name: &str, #[case] hint: &str) {
    let error = render(&format!("{{{{ {name} }}}}"), &scope("name: x\nother: y")).unwrap_err();
    assert_eq!(error.to_string(), format!("'{name}' is undefined"));
    assert_eq!(error.hint().as_deref(), Some(hint));
}

#[rstest]
#[case("{{ foo ", "complete the expression: something is missing at its end")]
#[case("{{ 'a }}", "close the quote")]
#[case("{{ (a }}", "close the bracket with `)`")]
#[case("{{ a | }}", "write a name here, of a filter after `|`, of a member after `.`")]
#[case("{{ a == }}", "complete the expression: something is missing at its end")]
#[case("{% if a %}", "close `{% if … %}` with `{% endif %}`, `{% for … %}` with `{% endfor %}`")]
fn a_syntax_error_has_a_hint(#[case] text: &str, #[case] hint: &str) {
    let error = render(text, &scope("a: 1")).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some(hint), "{error}");
}

#[rstest]
#[case("n", "write `n | bool`, or `n is truthy`")]
#[case("l", "write `l | length > 0`")]
#[case("n + 1", "write `(n + 1) | bool`, or `(n + 1) is truthy`")]
fn a_condition_that_is_no_boolean_has_a_hint(#[case] condition: &str, #[case] hint: &str) {
    let error = Engine::new().condition(&node(condition), &scope("n: 1\nl: [1]")).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some(hint));
}
