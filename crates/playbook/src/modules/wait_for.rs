//! `ansible.builtin.wait_for`: waits on the machine for a port, a file or a text in it.
//!
//! Connections are tried with what the machine has: `nc`, bash or Python; where there is none of these, whether a local port
//! listens is read from `/proc/net/tcp`.
//!
//! Differences from ansible-core 2.19: `state: drained` takes an address or `localhost` for `host`, and addresses for
//! `exclude_hosts`; with `search_regex` on a port, a connection is read for `connect_timeout`.
//! <https://docs.ansible.com/ansible-core/2.19/collections/ansible/builtin/wait_for_module.html>

use super::attributes::with_path_info;
use super::convert::Arguments;
use super::script::{self, Fields, flag};
use super::{Failure, Invocation, Kind, Module, Parameter, TaskResult};
use fancy_regex::{Captures, Regex};
use futures::future::BoxFuture;
use remote::Command;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::time::Instant;

/// The module's declaration.
pub(crate) const MODULE: Module = Module {
    name: "wait_for",
    summary: "Waits on the machine for a port, a file or a text in it.",
    parameters: &[
        Parameter::new("host", Kind::String, "Whose port.").default("127.0.0.1"),
        Parameter::new("port", Kind::Integer, "A TCP port."),
        Parameter::new("path", Kind::Path, "A file."),
        Parameter::new("search_regex", Kind::String, "What must stand in the file or be said on the port."),
        Parameter::new("state", Kind::String, "What is waited for.")
            .choices(&["absent", "drained", "present", "started", "stopped"])
            .default("started"),
        Parameter::new("timeout", Kind::Integer, "For how many seconds at most.").default("300"),
        Parameter::new("connect_timeout", Kind::Integer, "How many seconds one connection may take.").default("5"),
        Parameter::new("delay", Kind::Integer, "Seconds before the first look.").default("0"),
        Parameter::new("sleep", Kind::Integer, "Seconds between two looks.").default("1"),
        Parameter::new("msg", Kind::String, "The message when the time is over."),
        Parameter::new("active_connection_states", Kind::List, "Which connections keep a port from being drained.")
            .default("ESTABLISHED,FIN_WAIT1,FIN_WAIT2,SYN_RECV,SYN_SENT,TIME_WAIT"),
        Parameter::new("exclude_hosts", Kind::List, "Hosts whose connections do not count."),
    ],
    free_form: false,
    open: false,
    needs_machine: true,
    run,
};

/// What is waited for.
#[derive(Debug)]
struct Options {
    host: String,
    port: Option<i64>,
    path: Option<String>,
    regex: Option<(String, Regex)>,
    state: String,
    timeout: u64,
    connect_timeout: u64,
    delay: u64,
    sleep: u64,
    message: Option<String>,
    /// As `/proc/net/tcp` numbers them.
    states: Vec<&'static str>,
    /// As `/proc/net/tcp` writes them.
    excluded: Vec<String>,
    addresses: Vec<String>,
}

impl Options {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let regex = match arguments.string("search_regex")? {
            None => None,
            // Python compiles it with re.MULTILINE.
            Some(text) => match Regex::new(&format!("(?m){text}")) {
                Ok(regex) => Some((text, regex)),
                Err(error) => return Err(Failure::message(format!("Invalid regular expression: {error}"))),
            },
        };
        let seconds = |name| arguments.count(name).map(Option::unwrap_or_default);
        let mut options = Self {
            host: arguments.required_string("host")?,
            // 0 is no port, as in Python's conditions.
            port: arguments.integer("port")?.filter(|port| *port != 0),
            path: arguments.string("path")?.filter(|path| !path.is_empty()),
            regex,
            state: arguments.required_string("state")?,
            timeout: seconds("timeout")?,
            connect_timeout: seconds("connect_timeout")?.max(1),
            delay: seconds("delay")?,
            sleep: seconds("sleep")?,
            message: arguments.string("msg")?,
            states: Vec::new(),
            excluded: Vec::new(),
            addresses: Vec::new(),
        };
        let excluded = arguments.strings("exclude_hosts")?;
        options.check(excluded.is_some())?;
        options.states = states(&arguments.strings("active_connection_states")?.unwrap_or_default())?;
        if options.state == "drained" {
            options.addresses = proc_addresses(&options.host)?;
            for host in excluded.unwrap_or_default() {
                options.excluded.extend(proc_addresses(&host)?);
            }
        }
        Ok(options)
    }

    fn check(&self, excludes: bool) -> Result<(), Failure> {
        let mistake = match (&self.path, self.state.as_str()) {
            (Some(_), _) if self.port.is_some() => "port and path parameter can not both be passed to wait_for",
            (Some(_), "stopped") => "state=stopped should only be used for checking a port in the wait_for module",
            (Some(_), "drained") => "state=drained should only be used for checking a port in the wait_for module",
            (_, state) if excludes && state != "drained" => "exclude_hosts should only be with state=drained",
            _ if self.port.is_some_and(|port| !(1..=65535).contains(&port)) => "port must be between 1 and 65535",
            (None, "drained") if self.port.is_none() => "state=drained needs a port",
            _ => return Ok(()),
        };
        Err(Failure::with(TaskResult::new(false).with("elapsed", 0), mistake))
    }

    /// What the script waits for.
    fn want(&self) -> &'static str {
        let there = matches!(self.state.as_str(), "started" | "present");
        match (&self.path, self.port, there) {
            _ if self.state == "drained" => "drained",
            (Some(_), _, true) => "path",
            (Some(_), _, false) => "no-path",
            (None, Some(_), true) => "port",
            (None, Some(_), false) => "no-port",
            (None, None, _) => "",
        }
    }

    /// The pattern, where there is something to read.
    fn sought(&self) -> Option<&(String, Regex)> {
        self.regex.as_ref().filter(|_| matches!(self.want(), "path" | "port"))
    }

    /// What is said when the time is over.
    fn timeout_message(&self) -> String {
        if let Some(message) = &self.message {
            return message.clone();
        }
        let port = format!("{}:{}", self.host, self.port.unwrap_or_default());
        let path = self.path.as_deref().unwrap_or_default();
        let what = match (self.want(), self.sought()) {
            ("path", Some((text, _))) => format!("search string {text} in {path}"),
            ("port", Some((text, _))) => format!("search string {text} in {port}"),
            ("path", None) => format!("file {path}"),
            ("no-path", _) => format!("{path} to be absent."),
            ("no-port", _) => format!("{port} to stop."),
            ("drained", _) => format!("{port} to drain"),
            _ => port,
        };
        format!("Timeout when waiting for {what}")
    }
}

/// The numbers that Linux gives to TCP states (`include/net/tcp_states.h`).
fn states(names: &[String]) -> Result<Vec<&'static str>, Failure> {
    let number = |name: &String| match name.as_str() {
        "ESTABLISHED" => Ok("01"),
        "SYN_SENT" => Ok("02"),
        "SYN_RECV" => Ok("03"),
        "FIN_WAIT1" => Ok("04"),
        "FIN_WAIT2" => Ok("05"),
        "TIME_WAIT" => Ok("06"),
        other => {
            let result = TaskResult::new(false).with("elapsed", 0);
            Err(Failure::with(result, format!("unknown active_connection_state ({other}) defined")))
        }
    };
    names.iter().map(number).collect()
}

/// An address as `/proc/net/tcp` and `tcp6` write it: 32-bit words in the machine's order, which is little endian on all that K3s
/// runs on. `*` stands for every address.
fn proc_addresses(host: &str) -> Result<Vec<String>, Failure> {
    let word = |bytes: &[u8]| bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect::<String>();
    let address = if host == "localhost" { "127.0.0.1" } else { host };
    match address.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => Ok(vec!["*".to_owned()]),
        Ok(IpAddr::V4(address)) => {
            let plain = word(&address.octets());
            Ok(vec![format!("0000000000000000FFFF0000{plain}"), plain])
        }
        Ok(IpAddr::V6(address)) => Ok(vec![address.octets().chunks(4).map(word).collect()]),
        Err(_) => Err(Failure::message(format!("state=drained takes addresses, but `{host}` is a name"))),
    }
}

fn run<'a>(invocation: &'a Invocation<'a>) -> BoxFuture<'a, Result<TaskResult, Failure>> {
    Box::pin(async {
        let options = Options::of(&Arguments::of(&MODULE, invocation)?)?;
        if invocation.check_mode {
            return Ok(TaskResult::skipped("remote module (ansible.builtin.wait_for) does not support check mode"));
        }
        match options.sought() {
            Some((_, regex)) => search(&options, regex, invocation).await,
            None => wait(&options, invocation).await,
        }
    })
}

fn script(options: &Options, delay: u64, read: bool) -> Command {
    let port = options.port.map(|port| port.to_string()).unwrap_or_default();
    let path = options.path.clone().unwrap_or_default();
    let mut arguments = vec![options.want().to_owned(), options.host.clone(), port, path];
    let numbers = [options.timeout, options.connect_timeout, delay, options.sleep];
    arguments.extend(numbers.map(|number| number.to_string()));
    arguments.extend([options.states.join(" "), options.excluded.join(" "), options.addresses.join(" "), flag(read)]);
    script::with_library(include_str!("wait_for/run.sh"), arguments)
}

/// The machine waits by itself.
async fn wait(options: &Options, invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let output = invocation.context.run(script(options, options.delay, false)).await?;
    let fields = Fields::read(&output)?;
    if let Some(failure) = fields.refusal() {
        return Err(failure);
    }
    let elapsed = fields.number("elapsed").unwrap_or_default();
    if fields.is_set("met") { Ok(success(options, &fields, elapsed, None)) } else { Err(timed_out(options, elapsed)) }
}

/// The machine reads and this side judges, since its patterns are Python's.
async fn search(options: &Options, regex: &Regex, invocation: &Invocation<'_>) -> Result<TaskResult, Failure> {
    let (start, mut delay) = (Instant::now(), options.delay);
    loop {
        let output = invocation.context.run(script(options, delay, true)).await?;
        let fields = Fields::read(&output)?;
        if let Some(failure) = fields.refusal() {
            return Err(failure);
        }
        let elapsed = start.elapsed().as_secs();
        let text = fields.payload().map(String::from_utf8_lossy).unwrap_or_default();
        if let Ok(Some(captures)) = regex.captures(text.as_ref()) {
            return Ok(success(options, &fields, i64::try_from(elapsed).unwrap_or(i64::MAX), Some((regex, &captures))));
        }
        if elapsed >= options.timeout {
            return Err(timed_out(options, i64::try_from(elapsed).unwrap_or(i64::MAX)));
        }
        delay = options.sleep.max(1);
    }
}

fn timed_out(options: &Options, elapsed: i64) -> Failure {
    Failure::with(TaskResult::new(false).with("elapsed", elapsed), options.timeout_message())
}

type Found<'a> = Option<(&'a Regex, &'a Captures<'a, str>)>;

fn success(options: &Options, fields: &Fields, elapsed: i64, found: Found<'_>) -> TaskResult {
    let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    let (mut groups, mut named) = (Vec::new(), Map::new());
    if let Some((regex, captures)) = found {
        groups = captures.iter().skip(1).map(|group| text(group.map(|group| group.as_str()))).collect();
        for name in regex.capture_names().flatten() {
            named.insert(name.to_owned(), text(captures.name(name).map(|group| group.as_str())));
        }
    }
    let result = TaskResult::new(false)
        .with("state", options.state.as_str())
        .with("port", options.port.map_or(Value::Null, Value::from))
        .with("path", text(fields.get("path")))
        .with("search_regex", text(options.regex.as_ref().map(|(text, _)| text.as_str())))
        .with("match_groups", groups)
        .with("match_groupdict", named)
        .with("elapsed", elapsed);
    with_path_info(result, fields)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Call, Here, shells};
    use super::*;
    use rstest::rstest;
    use serde_json::json;
    use std::io::Write;
    use std::net::TcpListener;

    fn call(shell: &'static [&'static str], parameters: Value) -> Call {
        Call { here: Here { shell }, ..Call::new(parameters) }
    }

    /// A port that listens, and says something to who connects.
    fn listener() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                drop(connection.and_then(|mut connection| connection.write_all(b"hello there\nready: 42\n")));
            }
        });
        port
    }

    /// A port on which nothing listens.
    fn silent() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn a_port_that_listens_is_found() {
        for shell in shells() {
            let result = call(shell, json!({"port": listener(), "timeout": 5})).result(&MODULE);
            let mut keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
            keys.sort_unstable();
            let expected = "changed elapsed match_groupdict match_groups path port search_regex state";
            assert_eq!(keys.join(" "), expected, "{shell:?}");
        }
    }

    #[test]
    fn a_silent_port_is_stopped_or_not_started() {
        for shell in shells() {
            let port = silent();
            call(shell, json!({"port": port, "state": "stopped", "timeout": 5})).result(&MODULE);
            let failure = call(shell, json!({"port": port, "timeout": 1, "connect_timeout": 1})).failure(&MODULE);
            assert_eq!(failure["msg"], format!("Timeout when waiting for 127.0.0.1:{port}"), "{shell:?}");
            assert_eq!(failure["elapsed"], 1);
        }
    }

    #[test]
    fn files_come_and_go() {
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a b");
            let absent = call(shell, json!({"path": path, "state": "absent", "timeout": 1}));
            assert_eq!(absent.result(&MODULE)["state"], "absent");
            std::fs::write(&path, "").unwrap();
            let present = call(shell, json!({"path": path, "timeout": 1})).result(&MODULE);
            assert_eq!(
                (&present["state"], &present["path"], &present["size"]),
                (&json!("file"), &json!(path), &json!(0))
            );
            let expected = format!("Timeout when waiting for {} to be absent.", path.display());
            assert_eq!(absent.failure(&MODULE)["msg"], expected);
        }
    }

    #[test]
    fn text_is_sought_with_pythons_patterns() {
        for shell in shells() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            std::fs::write(&path, "one\nready: 42\n").unwrap();
            let parameters = json!({"path": path, "search_regex": r"^(?<=\n)(?P<what>\w+): (\d+)(x)?$"});
            let result = call(shell, parameters).result(&MODULE);
            assert_eq!(result["match_groups"], json!(["ready", "42", null]));
            assert_eq!(result["match_groupdict"], json!({"what": "ready"}));
            let missing = call(shell, json!({"path": path, "search_regex": "two", "timeout": 0, "msg": "no two"}));
            assert_eq!(missing.failure(&MODULE)["msg"], "no two");
        }
    }

    #[test]
    fn a_port_is_read() {
        for shell in shells() {
            let parameters =
                json!({"port": listener(), "search_regex": "ready: (\\d+)", "timeout": 5, "connect_timeout": 2});
            assert_eq!(call(shell, parameters).result(&MODULE)["match_groups"], json!(["42"]), "{shell:?}");
        }
    }

    #[test]
    fn a_port_without_connections_is_drained() {
        for shell in shells() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            // Time enough for a busy machine; it ends as soon as the port is seen to be drained.
            call(shell, json!({"port": port, "state": "drained", "timeout": 30})).result(&MODULE);
            let drained = call(shell, json!({"port": port, "state": "drained", "timeout": 1}));
            let connection = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let message = format!("Timeout when waiting for 127.0.0.1:{port} to drain");
            assert_eq!(drained.failure(&MODULE)["msg"], message, "{shell:?}");
            drop(connection);
        }
    }

    #[rstest]
    #[case(json!({"port": 1, "path": "/x"}), "port and path parameter can not both be passed to wait_for")]
    #[case(json!({"path": "/x", "state": "drained"}),
        "state=drained should only be used for checking a port in the wait_for module")]
    #[case(json!({"port": 70000}), "port must be between 1 and 65535")]
    #[case(json!({"port": 1, "exclude_hosts": "a"}), "exclude_hosts should only be with state=drained")]
    #[case(json!({"port": 1, "active_connection_states": ["X"]}), "unknown active_connection_state (X) defined")]
    #[case(json!({"path": "/x", "search_regex": "("}),
        "Invalid regular expression: Parsing error at position 5: Opening parenthesis without closing parenthesis")]
    #[case(json!({"port": 1, "timeout": -1}), "value of timeout must not be negative, got: -1")]
    fn refuses(#[case] parameters: Value, #[case] message: &str) {
        assert_eq!(Call::new(parameters).failure(&MODULE)["msg"], message);
    }

    #[test]
    fn check_mode_skips() {
        let result = Call { check_mode: true, ..Call::new(json!({"port": 1})) }.result(&MODULE);
        assert_eq!((&result["skipped"], &result["changed"]), (&json!(true), &json!(false)));
    }

    #[test]
    fn addresses_are_written_as_linux_does() {
        assert_eq!(proc_addresses("127.0.0.1").ok().unwrap()[1], "0100007F");
        assert_eq!(proc_addresses("::1").ok().unwrap(), ["00000000000000000000000001000000"]);
    }
}
