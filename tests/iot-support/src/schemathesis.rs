//! schemathesis (<https://schemathesis.readthedocs.io>): a service's OpenAPI document against the service that runs.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Cases of each kind per operation; `SCHEMATHESIS_EXAMPLES` asks for more.
const EXAMPLES: u32 = 8;

/// What is asked of each answer. Not asked: that whatever fits the document is accepted, since a document cannot say which
/// types and groups exist; nor that what was deleted is gone (`use_after_free`), since a deleted device is decommissioned and can
/// be read for as long as there are readings of it.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,\
    ensure_resource_availability,ignored_auth";

/// Asks the service on this port of loopback all that its document offers, and some things that it does not. Each answer must
/// be one that is documented by its own status: `default` does not count. `configuration` is `schemathesis.toml`.
///
/// Prints a `skipped:` line where schemathesis is not installed.
///
/// # Panics
/// When it finds something; the message has its report, with a command that repeats each request.
#[expect(clippy::print_stdout, reason = "a test says what it skipped, and what it asked")]
pub fn schemathesis(port: u16, configuration: &str) {
    let Ok(program) = support::reference("schemathesis") else {
        println!("skipped: no schemathesis (scripts/venv.sh test)");
        return;
    };
    let place = tempfile::Builder::new().prefix("test-schemathesis-").tempdir().expect("a directory");
    let mut document: Value = serde_json::from_str(&get(port, "/openapi.json")).expect("a document");
    forget_defaults(&mut document);
    std::fs::write(place.path().join("openapi.json"), document.to_string()).expect("the document");
    std::fs::write(place.path().join("schemathesis.toml"), configuration).expect("the configuration");
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_string());
    let mut command = Command::new(program);
    command.current_dir(place.path()).env("HOME", place.path()).stdin(Stdio::null());
    command.args(["--no-color", "run", "openapi.json", "--url", &format!("http://127.0.0.1:{port}")]);
    command.args([
        "--checks",
        CHECKS,
        "--max-examples",
        &examples,
        "--generation-database",
        "none",
        "--warnings",
        "off",
    ]);
    command.args(["--request-timeout", "30", "--suppress-health-check", "all", "--continue-on-failure"]);
    if let Ok(seed) = std::env::var("SCHEMATHESIS_SEED") {
        command.args(["--seed", &seed]);
    }
    let output = command.output().expect("schemathesis");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{report}");
}

/// `default` would make every answer a documented one.
fn forget_defaults(document: &mut Value) {
    let paths = document["paths"].as_object_mut().expect("paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        if let Some(responses) = operation["responses"].as_object_mut() {
            responses.remove("default");
        }
    }
}

/// The body of the answer to a `GET` on a port of loopback.
///
/// # Panics
/// When there is none.
pub fn get(port: u16, path: &str) -> String {
    ask(port, &format!("GET {path} HTTP/1.1\r\n"), "")
}

/// Posts JSON with a bearer token; the answer's body.
///
/// # Panics
/// When there is none.
pub fn post(port: u16, path: &str, token: &str, body: &str) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    ask(port, &head, body)
}

fn ask(port: u16, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the service");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a deadline");
    write!(stream, "{head}Host: localhost\r\nConnection: close\r\n\r\n{body}").expect("a question");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}
