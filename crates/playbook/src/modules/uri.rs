//! `ansible.builtin.uri`: a request to a web service, from the machine.
//!
//! curl makes the request; where there is none, wget makes plain GET requests. Secrets reach curl in a file that only its user
//! can read, never in its arguments.
//!
//! Differences from ansible-core 2.19: `form-multipart`, `ciphers`, `use_gssapi` and `unredirected_headers` are not offered;
//! without `body`, `body_format: json` sends none instead of `null`; connection errors are told in curl's words.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/uri_module.html>

mod request;
mod response;

use super::attributes::{Attributes, GROUP, MODE, OWNER, UNSAFE_WRITES};
use super::convert::{Arguments, text};
use super::script::{self, Fields, flag};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult, sources};
use futures::future::BoxFuture;
use indexmap::IndexMap;
use remote::Command;
use std::time::Instant;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "uri",
    summary: "A request to a web service, from the machine.",
    parameters: &[
        Parameter::new("url", Kind::String, "What is asked for.").required(),
        Parameter::new("method", Kind::String, "How.").default("GET"),
        Parameter::new("body", Kind::Raw, "What is sent."),
        Parameter::new("body_format", Kind::String, "How the body is written.")
            .choices(&["form-urlencoded", "json", "raw", "form-multipart"])
            .default("raw"),
        Parameter::new("src", Kind::Path, "A file that is sent as the body."),
        Parameter::new("remote_src", Kind::Bool, "`src` is on the machine.").default("false"),
        Parameter::new("headers", Kind::Dictionary, "Headers."),
        Parameter::new("status_code", Kind::List, "The answers that count as success.").default("200"),
        Parameter::new("return_content", Kind::Bool, "Returns the body of the answer.").default("false"),
        Parameter::new("dest", Kind::Path, "Where the body of the answer is written, on the machine."),
        Parameter::new("creates", Kind::Path, "Asks only if this is not there."),
        Parameter::new("removes", Kind::Path, "Asks only if this is there."),
        Parameter::new("timeout", Kind::Integer, "Seconds without an answer.").default("30"),
        Parameter::new("follow_redirects", Kind::String, "Which redirects are followed.")
            .choices(&["all", "no", "none", "safe", "urllib2", "yes"])
            .default("safe"),
        Parameter::new("url_username", Kind::String, "User.").aliases(&["user"]),
        Parameter::new("url_password", Kind::String, "Password.").aliases(&["password"]),
        Parameter::new("force_basic_auth", Kind::Bool, "Sends user and password unasked.").default("false"),
        Parameter::new("validate_certs", Kind::Bool, "Checks the server's certificate.").default("true"),
        Parameter::new("ca_path", Kind::Path, "Certificates of authorities, on the machine."),
        Parameter::new("client_cert", Kind::Path, "The client's certificate, on the machine."),
        Parameter::new("client_key", Kind::Path, "The client's key, on the machine."),
        Parameter::new("unix_socket", Kind::Path, "A socket to connect to."),
        Parameter::new("use_proxy", Kind::Bool, "Honours the environment's proxy.").default("true"),
        Parameter::new("use_netrc", Kind::Bool, "Honours `~/.netrc`.").default("true"),
        Parameter::new("http_agent", Kind::String, "What the client is called.").default("ansible-httpget"),
        Parameter::new("force", Kind::Bool, "Takes no cached answer.").default("false"),
        Parameter::new("decompress", Kind::Bool, "Decompresses the answer.").default("true"),
        MODE,
        OWNER,
        GROUP,
        UNSAFE_WRITES,
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

/// A request, and what becomes of its answer.
#[derive(Clone)]
struct Options {
    url: String,
    method: String,
    body: Option<Vec<u8>>,
    content_type: Option<&'static str>,
    /// On the machine.
    src: String,
    headers: IndexMap<String, String>,
    status_codes: Vec<i64>,
    return_content: bool,
    dest: String,
    creates: String,
    removes: String,
    timeout: u64,
    follow_redirects: String,
    username: Option<String>,
    password: Option<String>,
    force_basic_auth: bool,
    validate_certs: bool,
    ca_path: Option<String>,
    client_cert: Option<String>,
    client_key: Option<String>,
    unix_socket: Option<String>,
    use_proxy: bool,
    use_netrc: bool,
    http_agent: String,
    force: bool,
    decompress: bool,
    attributes: Attributes,
}

impl Options {
    fn of(arguments: &Arguments, invocation: &Invocation<'_>) -> Result<Self, Failure> {
        arguments.mutually_exclusive(&["body", "src"])?;
        let or_empty = |name| arguments.string(name).map(Option::unwrap_or_default);
        let method = arguments.required_string("method")?.to_uppercase();
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let message = "Parameter 'method' needs to be a single word in uppercase, like GET or POST.";
            return Err(Failure::message(message));
        }
        let (mut body, content_type) = request::body(arguments)?;
        let mut src = or_empty("src")?;
        if !src.is_empty() && !arguments.bool("remote_src")? {
            let found = sources::find(invocation, "files", &src)?;
            body = Some(sources::read(invocation, &found, false)?);
            src.clear();
        }
        let headers = arguments.dictionary("headers")?;
        Ok(Self {
            url: arguments.required_string("url")?,
            method,
            body,
            content_type,
            src,
            headers: headers.into_iter().map(|(name, value)| (name, text(&value))).collect(),
            status_codes: arguments.integers("status_code")?.unwrap_or_default(),
            return_content: arguments.bool("return_content")?,
            dest: or_empty("dest")?,
            creates: or_empty("creates")?,
            removes: or_empty("removes")?,
            timeout: arguments.count("timeout")?.unwrap_or_default().max(1),
            follow_redirects: arguments.required_string("follow_redirects")?,
            username: arguments.string("url_username")?,
            password: arguments.string("url_password")?,
            force_basic_auth: arguments.bool("force_basic_auth")?,
            validate_certs: arguments.bool("validate_certs")?,
            ca_path: arguments.string("ca_path")?,
            client_cert: arguments.string("client_cert")?,
            client_key: arguments.string("client_key")?,
            unix_socket: arguments.string("unix_socket")?,
            use_proxy: arguments.bool("use_proxy")?,
            use_netrc: arguments.bool("use_netrc")?,
            http_agent: arguments.required_string("http_agent")?,
            force: arguments.bool("force")?,
            decompress: arguments.bool("decompress")?,
            attributes: Attributes::of(arguments)?,
        })
    }

    fn follows(&self) -> bool {
        match self.follow_redirects.as_str() {
            "all" | "yes" => true,
            "safe" => matches!(self.method.as_str(), "GET" | "HEAD"),
            "urllib2" => matches!(self.method.as_str(), "GET" | "HEAD" | "POST"),
            _ => false,
        }
    }

    /// Whether wget can do it: nothing secret, since that would stand in its arguments, and nothing special.
    fn is_plain(&self) -> bool {
        let special = [&self.ca_path, &self.client_cert, &self.unix_socket, &self.username];
        self.method == "GET"
            && self.body.is_none()
            && self.src.is_empty()
            && self.headers.is_empty()
            && self.validate_certs
            && self.follows()
            && special.into_iter().all(Option::is_none)
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let options = Options::of(&Arguments::of(&MODULE, invocation)?, invocation)?;
        if invocation.check_mode {
            return Ok(TaskResult::skipped("This action (ansible.builtin.uri) does not support check mode."));
        }
        let start = Instant::now();
        let output = invocation.context.run(script(&options)).await?;
        response::result(&Fields::read(&output)?, &options, start.elapsed().as_secs())
    })
}

fn script(options: &Options) -> Command {
    let [owner, group, steps] = options.attributes.words();
    let codes: Vec<_> = options.status_codes.iter().map(ToString::to_string).collect();
    let mut arguments = vec![options.url.clone(), flag(options.is_plain()), flag(options.body.is_some())];
    arguments.extend([options.src.clone(), options.dest.clone(), options.creates.clone(), options.removes.clone()]);
    arguments.extend([codes.join(" "), flag(options.return_content), owner, group, steps]);
    arguments.extend([options.timeout.to_string(), flag(options.force)]);
    let mut input = request::configuration(options).into_bytes();
    input.extend_from_slice(options.body.as_deref().unwrap_or_default());
    Command { input, ..script::with_library(include_str!("uri/run.sh"), arguments) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Call, Here, shells};
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    /// A server that answers each request by its path; its address.
    fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                drop(answer(&connection));
            }
        });
        address
    }

    fn answer(connection: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(connection);
        let (mut first, mut head, mut length) = (String::new(), String::new(), 0);
        reader.read_line(&mut first)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
            head += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (method, path) = first.split_once(' ').unwrap_or_default();
        let path = path.split(' ').next().unwrap_or_default();
        let echo = || json!({"method": method, "body": String::from_utf8_lossy(&body), "head": head}).to_string();
        let (status, headers, text) = match path {
            "/echo" => ("200 OK", "Content-Type: application/json; charset=utf-8\r\nX-Two: a\r\nX-Two: b\r\n", echo()),
            "/moved" => ("302 Found", "Location: /text\r\n", String::new()),
            "/missing" => ("404 Not Found", "Content-Type: application/json\r\n", "{\"why\": 1}".to_owned()),
            "/secret" if head.contains("Basic dTpwICI=") => ("200 OK", "Content-Type: text/plain\r\n", "in".to_owned()),
            "/secret" => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", String::new()),
            _ => ("200 OK", "Content-Type: text/plain\r\nSet-Cookie: a=b; Path=/\r\n", "hello\n".to_owned()),
        };
        let length = text.len();
        write!(
            &*connection,
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        )
    }

    /// curl is not among BusyBox's tools.
    fn with_curl() -> Vec<&'static [&'static str]> {
        shells().into_iter().filter(|shell| shell[0] != "busybox").collect()
    }

    fn call(shell: &'static [&'static str], parameters: Value) -> Call {
        Call { here: Here { shell }, ..Call::new(parameters) }
    }

    #[test]
    fn an_answer_is_told_with_its_headers() {
        let server = server();
        for shell in shells() {
            let url = format!("{server}/text");
            let mut result = call(shell, json!({"url": url, "return_content": true})).result(&MODULE);
            let elapsed = result.as_object_mut().unwrap().shift_remove("elapsed");
            assert!(elapsed.unwrap().as_u64().unwrap() < 5);
            let expected = json!({
                "changed": false, "url": url, "status": 200, "redirected": false, "msg": "OK (6 bytes)",
                "content": "hello\n", "content_type": "text/plain", "content_length": "6", "connection": "close",
                "set_cookie": "a=b; Path=/", "cookies": {"a": "b"}, "cookies_string": "a=b",
            });
            assert_eq!(result, expected, "{shell:?}");
        }
    }

    #[test]
    fn bodies_and_headers_arrive() {
        let server = server();
        for shell in with_curl() {
            let url = format!("{server}/echo");
            let body = json!({"a": "ü \"x\"\n", "b": [1, null]});
            let parameters = json!({"url": url, "method": "put", "body": body, "body_format": "json",
                "headers": {"X-Token": "s3 \"cret\""}});
            let result = call(shell, parameters).result(&MODULE);
            let seen = &result["json"];
            assert_eq!(seen["method"], "PUT");
            assert_eq!(serde_json::from_str::<Value>(seen["body"].as_str().unwrap()).unwrap(), body);
            let head = seen["head"].as_str().unwrap();
            assert!(head.contains("X-Token: s3 \"cret\"") && head.contains("Content-Type: application/json"), "{head}");
            assert_eq!((&result["x_two"], result.get("content")), (&json!("a, b"), None));
        }
    }

    #[test]
    fn forms_are_posted() {
        let server = server();
        let parameters = json!({"url": format!("{server}/echo"), "method": "POST", "body_format": "form-urlencoded",
            "body": {"name": "a b"}});
        assert_eq!(call(&["sh"], parameters).result(&MODULE)["json"]["body"], "name=a+b");
    }

    #[test]
    fn other_answers_are_failures() {
        let server = server();
        for shell in shells() {
            let url = format!("{server}/missing");
            let failure = call(shell, json!({"url": url})).failure(&MODULE);
            let message = "Status code was 404 and not [200]: HTTP Error 404: Not Found";
            assert_eq!((&failure["msg"], &failure["status"]), (&json!(message), &json!(404)), "{shell:?}");
            assert_eq!(call(shell, json!({"url": url, "status_code": "404,410"})).result(&MODULE)["status"], 404);
        }
        let with_json = call(&["sh"], json!({"url": format!("{server}/missing")})).failure(&MODULE);
        assert_eq!(with_json["json"], json!({"why": 1}));
    }

    #[test]
    fn who_does_not_answer_is_a_failure() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for shell in shells() {
            let failure = call(shell, json!({"url": format!("http://127.0.0.1:{port}/")})).failure(&MODULE);
            let message = failure["msg"].as_str().unwrap();
            assert!(message.starts_with("Status code was -1 and not [200]: Request failed: "), "{shell:?}: {message}");
            assert_eq!((&failure["status"], &failure["redirected"]), (&json!(-1), &json!(false)));
        }
    }

    #[test]
    fn redirects_are_followed_where_it_is_safe() {
        let server = server();
        for shell in with_curl() {
            let url = format!("{server}/moved");
            let result = call(shell, json!({"url": url})).result(&MODULE);
            assert_eq!((&result["url"], &result["redirected"]), (&json!(format!("{server}/text")), &json!(true)));
            let kept = call(shell, json!({"url": url, "follow_redirects": "none", "status_code": 302})).result(&MODULE);
            assert_eq!((&kept["status"], &kept["location"]), (&json!(302), &json!(format!("{server}/text"))));
        }
    }

    #[test]
    fn passwords_are_sent_asked_or_unasked() {
        let server = server();
        for force in [false, true] {
            let parameters = json!({"url": format!("{server}/secret"), "user": "u", "password": "p \"",
                "force_basic_auth": force, "return_content": true});
            assert_eq!(call(&["sh"], parameters).result(&MODULE)["content"], "in");
        }
    }

    #[test]
    fn an_answer_becomes_a_file() {
        let server = server();
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let parameters = json!({"url": format!("{server}/a.txt"), "dest": directory.path(), "mode": "0600"});
            let result = call(shell, parameters).result(&MODULE);
            let path = directory.path().join("a.txt");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello\n");
            let expected = (&json!(path), &json!("0600"), &json!(true));
            assert_eq!((&result["path"], &result["mode"], &result["changed"]), expected);
        }
    }

    #[rstest]
    #[case(json!({"creates": "/etc/passwd"}), "skipped, since '/etc/passwd' exists")]
    #[case(json!({"removes": "/not/there"}), "skipped, since '/not/there' does not exist")]
    fn conditions_skip(#[case] mut parameters: Value, #[case] expected: &str) {
        parameters["url"] = json!("http://127.0.0.1:1/");
        let result = call(&["sh"], parameters).result(&MODULE);
        assert_eq!((&result["stdout"], &result["changed"]), (&json!(expected), &json!(false)));
    }

    #[test]
    fn without_curl_the_hint_says_what_to_do() {
        let Some(busybox) = shells().into_iter().find(|shell| shell[0] == "busybox") else { return };
        let failure = call(busybox, json!({"url": "http://127.0.0.1:1/", "method": "POST"})).failure(&MODULE);
        assert_eq!(failure["msg"], "this machine has no curl, which requests like this one need");
        assert_eq!(failure["hint"], "install curl on the machine");
    }

    #[test]
    fn secrets_stand_in_the_configuration_only() {
        let arguments = json!({"url": "http://h/", "user": "u", "password": "s3cret", "headers": {"A": "t0ken"}});
        let call = Call::new(arguments.clone());
        let invocation = Invocation {
            parameters: super::super::testing::parameters(arguments),
            free_form: None,
            check_mode: false,
            diff: false,
            search_path: Vec::new(),
            context: &call.here,
        };
        let options = Options::of(&Arguments::of(&MODULE, &invocation).ok().unwrap(), &invocation).ok().unwrap();
        let command = script(&options);
        assert!(String::from_utf8(command.input).unwrap().contains("user = \"u:s3cret\""));
        let seen = format!("{} {:?} {:?}", command.script, command.arguments, command.environment);
        assert!(!seen.contains("s3cret") && !seen.contains("t0ken"), "{seen}");
    }
}
