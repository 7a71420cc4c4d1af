//! What is noted of secrets: what a result holds of them, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use diagnostic::{Position, Redactor};
use rstest::rstest;
use std::sync::Arc;
use template::{Engine, FileOptions, Scope, Traces, Variables};
use yaml::Node;

const VARS: &str = "pin: !vault 4711\nflag: !vault 'true'\nurl: http://x/{{ pin }}\nall: {a: '{{ pin }}', b: 22}\nother: seen\n\
                    long: !vault correct horse\n";

fn parse(text: &str) -> Node {
    yaml::load_one("<test>", text).unwrap()
}

fn engine() -> (Engine, Traces, Redactor) {
    let (traces, redactor) = (Traces::new(), Redactor::new());
    let engine = Engine::new().with_decrypt(Arc::new(|text: &str| Ok(text.to_owned())));
    (engine.with_redactor(redactor.clone()).with_traces(traces.clone()), traces, redactor)
}

fn scope() -> Arc<dyn Scope> {
    let mut variables = Variables::new();
    for (key, value) in parse(VARS).as_mapping().unwrap().iter() {
        variables.set(key.as_str().unwrap(), value.clone());
    }
    variables.set("cfg", parse("{port: 5432, up: true, text: '{{ other }}'}").into_secret());
    Arc::new(variables)
}

fn noted(template: &str) -> Vec<String> {
    let (engine, traces, _) = engine();
    let node = Node::string(template, Position::new("<test>", 1, 1));
    let _ = engine.render(&node, &scope());
    traces.texts()
}

#[rstest]
#[case("{{ other }} {{ nothing | default('') }}", &[])]
#[case("{{ pin }}", &["4711"])]
#[case("a {{ pin }} {{ other }}", &["4711"])]
#[case("{{ url }} {{ other }}", &["4711", "http://x/4711"])]
#[case("{{ all }}", &["4711"])]
#[case("{{ all.b }}", &[])]
#[case("{{ pin | length }}", &["4"])]
#[case("{{ pin | int + 1 }}", &["4712"])]
#[case("{{ [pin, other] | join('-') }}", &["4711", "4711-seen"])]
#[case("{% set x = pin %}{{ other }} {{ x }}", &["4711", "seen"])]
#[case("{% set x %}<{{ pin }}>{% endset %}{{ x | upper }}!", &["4711", "<4711>"])]
#[case("{% macro m(v) %}{{ v }}{{ pin }}{% endmacro %}{{ m('a') | replace('1', '0') }}.", &["a4700"])]
#[case("{% if flag == 'true' %}yes{% endif %}", &[])]
#[case("{{ other if pin == '1' else 'no' }}", &["no"])]
#[case("{{ cfg.port }}", &["5432"])]
#[case("{{ cfg }}", &["5432", "True", "seen", "true"])]
#[case("{{ cfg.text }}", &["seen"])]
#[case("x{{ pin[:2] }}y z", &["47", "x47y"])]
#[case("{{ pin }} {{ undefined }}", &["4711"])]
#[case("{{ {}[pin] }}", &["4711"])]
fn only_what_the_result_holds_is_noted(#[case] template: &str, #[case] expected: &[&str]) {
    assert_eq!(noted(template), expected);
}

#[test]
fn a_file_tells_what_went_into_it() {
    let (engine, traces, redactor) = engine();
    let text = engine.render_file("{{ other }} {{ long }}", "t", &FileOptions::default(), &scope()).unwrap();
    assert_eq!((text.as_str(), traces.texts()), ("seen correct horse", vec!["correct horse".to_owned()]));
    assert_eq!(redactor.redact(&text), "seen ********");
}

#[test]
fn a_condition_gives_nothing_away_unless_it_fails() {
    let (engine, traces, _) = engine();
    let condition = |text: &str| Node::string(text, Position::new("<test>", 1, 1));
    assert!(engine.condition(&condition("cfg.up and pin == '4711'"), &scope()).unwrap());
    assert!(traces.is_empty());
    assert!(engine.condition(&condition("{}[pin]"), &scope()).is_err());
    assert_eq!(traces.texts(), ["4711"]);
}

#[test]
fn what_unvault_gives_is_a_secret() {
    let (engine, traces, redactor) = engine();
    let node =
        Node::string("{{ 'hidden text' | vault('pw', vault_id='me') | unvault('pw') }}", Position::new("<test>", 1, 1));
    assert_eq!(engine.render(&node, &scope()).unwrap().to_json(), "hidden text");
    assert_eq!((traces.texts(), redactor.is_empty()), (vec!["hidden text".to_owned()], false));
}
