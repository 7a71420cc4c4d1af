//! Whatever stands in a template: a value or an error, never a panic, never without end.

use diagnostic::{Diagnose, Position};
use proptest::prelude::*;
use std::sync::Arc;
use template::{Engine, FileOptions, Scope, Variable, Variables, check, check_condition, check_file, variables};
use yaml::Node;

fn scope() -> Arc<dyn Scope> {
    let mut variables = Variables::new();
    variables.set("a", serde_json::json!({"b": [1, 2.5, null, true, "x"], "c": "{{ a }}"}));
    variables.set("n", serde_json::json!(3));
    variables.set("s", Variable::from(Node::string("{{ n }} {{ nothing }}", Position::new("<s>", 1, 1))));
    Arc::new(variables)
}

fn try_all(text: &str) {
    let engine = Engine::new();
    let scope = scope();
    let node = Node::string(text, Position::new("<test>", 1, 1));
    for error in [
        engine.render(&node, &scope).map(|value| value.to_json()).err(),
        engine.condition(&node, &scope).err(),
        engine.expression(text, &node.position, &scope).err(),
        engine.render_file(text, "<file>", &FileOptions::default(), &scope).err(),
    ]
    .into_iter()
    .flatten()
    {
        let _ = (error.to_string(), error.hint(), error.position());
    }
    let _ =
        (check(&node), check_condition(&node), check_file(text, "<file>", &FileOptions::default()), variables(&node));
}

/// Pieces that meet in templates, so that most texts are nearly one.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            " ",
            "\n",
            "a",
            "n",
            "s",
            "a.b",
            "a.b[0]",
            "nothing",
            "'x'",
            "\"",
            "'",
            "\\",
            "1",
            "-2",
            "0.5",
            "true",
            "none",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            ",",
            ":",
            "|",
            "+",
            "-",
            "*",
            "/",
            "//",
            "%",
            "**",
            "~",
            "==",
            "<",
            "in",
            "not",
            "and",
            "or",
            "is",
            "if",
            "else",
            "endif",
            "for",
            "endfor",
            "set",
            "endset",
            "macro",
            "endmacro",
            "raw",
            "endraw",
            "filter",
            "default",
            "upper",
            "int",
            "join",
            "map",
            "select",
            "sort",
            "to_json",
            "to_nice_yaml",
            "regex_replace",
            "indent",
            "format",
            "batch",
            "slice",
            "flatten",
            "round",
            "truncate",
            "center",
            "defined",
            "odd",
            "version",
            "match",
            "range",
            "dict",
            "namespace",
            "é",
            "\u{1F600}",
            "ß",
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,3}".prop_map(|word| word),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in ".{0,60}") {
        try_all(&text);
    }

    #[test]
    fn text_of_pieces(pieces in prop::collection::vec(piece(), 0..14)) {
        try_all(&pieces.join(" "));
        try_all(&pieces.concat());
    }

    #[test]
    fn expressions_of_pieces(pieces in prop::collection::vec(piece(), 1..8)) {
        try_all(&format!("{{{{ {} }}}}", pieces.join(" ")));
    }

    #[test]
    fn filters_on_anything(
        value in prop::sample::select(vec!["a", "n", "'x y'", "none", "true", "1.5", "-7", "[]", "{}", "a.b", "nothing", "[[1], 'b']", "range(3)"]),
        filter in prop::sample::select(FILTERS.to_vec()),
        argument in prop::sample::select(vec!["", "()", "(1)", "(-1)", "(0)", "('x')", "(none)", "([1])", "({'a': 1})", "(a, n)", "(99999999999)", "('%s', 2)", "(attribute='b')"]),
    ) {
        try_all(&format!("{{{{ {value} | {filter}{argument} }}}}"));
    }

    #[test]
    fn yaml_that_is_written_reads_back(text in "[ -~\\n\\tä]{0,30}") {
        let mut variables = Variables::new();
        variables.set("text", serde_json::json!({"k": text, "l": [text.clone(), {"m": text.clone()}]}));
        let scope: Arc<dyn Scope> = Arc::new(variables);
        let position = Position::new("<test>", 1, 1);
        for filter in ["to_yaml", "to_nice_yaml", "to_nice_yaml(indent=2, width=20)", "to_json", "to_nice_json"] {
            let back = if filter.contains("json") { "from_json" } else { "from_yaml" };
            let template = format!("{{{{ (text | {filter} | {back}) == text }}}}");
            let same = Engine::new().render_text(&template, &position, &scope);
            prop_assert!(matches!(same, Ok(template::Value::Bool(true))), "{} of {:?}: {:?}", filter, text, same);
        }
    }
}

const FILTERS: &[&str] = &[
    "abs",
    "b64decode",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "center",
    "checksum",
    "combinations",
    "combine",
    "comment",
    "commonpath",
    "default",
    "dict2items",
    "dictsort",
    "difference",
    "dirname",
    "expandvars",
    "extract",
    "filesizeformat",
    "first",
    "flatten",
    "float",
    "format",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "groupby",
    "hash",
    "human_readable",
    "human_to_bytes",
    "indent",
    "int",
    "intersect",
    "items",
    "items2dict",
    "join",
    "last",
    "length",
    "list",
    "log",
    "lower",
    "mandatory",
    "map",
    "max",
    "md5",
    "min",
    "normpath",
    "path_join",
    "permutations",
    "pow",
    "product",
    "quote",
    "random",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "rekey_on_member",
    "relpath",
    "replace",
    "reverse",
    "root",
    "round",
    "select",
    "selectattr",
    "shuffle",
    "slice",
    "sort",
    "split",
    "splitext",
    "strftime",
    "string",
    "striptags",
    "subelements",
    "sum",
    "symmetric_difference",
    "ternary",
    "title",
    "to_datetime",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_uuid",
    "to_yaml",
    "tojson",
    "trim",
    "truncate",
    "type_debug",
    "union",
    "unique",
    "upper",
    "urldecode",
    "urlencode",
    "urlsplit",
    "wordcount",
    "wordwrap",
    "zip",
    "zip_longest",
];

#[test]
fn a_ruler_of_dashes_is_no_expression() {
    let text = format!("# {}\n{{{{ n }}}}\n", "-".repeat(300));
    let rendered = Engine::new().render_file(&text, "<file>", &FileOptions::default(), &scope()).unwrap();
    assert_eq!(rendered, text.replace("{{ n }}", "3"));
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for text in [
        format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000)),
        format!("{{{{ {}1 }}}}", "-".repeat(5000)),
        format!("{{{{ {}true }}}}", "not ".repeat(5000)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(5000)),
        format!("{{{{ a{} }}}}", ".b".repeat(5000)),
        format!("{{{{ a{} }}}}", " | upper".repeat(5000)),
        format!("{{{{ a{} }}}}", " ~ a".repeat(5000)),
        format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000)),
        format!("{}x{}", "{% if true %}".repeat(1000), "{% endif %}".repeat(1000)),
        format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(5000)),
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_owned(),
        "{{ 2 ** 2 ** 2 ** 2 ** 2 ** 2 }}".to_owned(),
        "{{ 'x' * 99999999999 }}".to_owned(),
        "{{ range(99999999999) | list }}".to_owned(),
        "{{ '%999999999d' % 1 }}".to_owned(),
        "{{ '{:999999999}'.format(1) }}".to_owned(),
    ] {
        try_all(&text);
    }
}
