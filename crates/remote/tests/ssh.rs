//! A real OpenSSH server, real users, real sudo and su.

#![expect(clippy::disallowed_methods, reason = "tests look at processes from outside")]

mod common;

use common::{Shells, script};
use diagnostic::{Diagnose, Exit, Secret};
use remote::{Become, BecomeMethod, Cause, Command, Error, Machine, Options, Ssh, Transport};
use std::time::{Duration, Instant};
use support::{Sshd, Sudo, TestUser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn connect(ssh: Ssh) -> Result<Machine, Error> {
    Machine::connect("pi-1", Transport::Ssh(ssh)).await
}

/// Why a connection fails.
async fn refusal(ssh: Ssh) -> Error {
    connect(ssh).await.expect_err("this must not connect")
}

fn root(password: Option<&str>) -> Become {
    become_user("root", BecomeMethod::Sudo, password)
}

fn become_user(user: &str, method: BecomeMethod, password: Option<&str>) -> Become {
    Become { user: user.into(), method, password: password.map(|password| Secret::new(password.into())) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hint(error: &Error) -> String {
    error.hint().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_as_the_user_in_its_home() {
    let Some(sshd) = Sshd::start() else { return };
    for shell in ["/bin/sh", "/bin/bash"] {
        let user = TestUser::with_shell(Sudo::No, shell);
        let machine = connect(sshd.ssh(user.name())).await.unwrap();
        let output = machine.run(&script("id -un; pwd; echo error >&2; exit 7"), None).await.unwrap();
        assert_eq!(text(&output.stdout), format!("{}\n{}\n", user.name(), user.home().display()));
        assert_eq!((output.status, text(&output.stderr).as_str()), (7, "error\n"));
        machine.close().await;
        common::wait("the connection is closed", || sshd.connections() == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_serves_all_users_and_many_callers() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithoutPassword);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let calls: Vec<_> = (0..20)
        .map(|i| {
            let machine = machine.clone();
            let r#become = (i % 2 == 1).then(|| root(None));
            tokio::spawn(async move { machine.run(&script(&format!("id -un; echo {i}")), r#become.as_ref()).await })
        })
        .collect();
    for (i, call) in calls.into_iter().enumerate() {
        let who = if i % 2 == 1 { "root" } else { user.name() };
        assert_eq!(text(&call.await.unwrap().unwrap().stdout), format!("{who}\n{i}\n"));
    }
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_any_bytes_go_both_ways_also_as_another_user() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithoutPassword);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let input: Vec<u8> = (0..10_000_000u32).map(|i| (i * 31 + i / 251) as u8).collect();
    for r#become in [None, Some(root(None))] {
        let write =
            Command { input: input.clone(), arguments: vec!["file".into()], ..script("cat >\"$1\"; wc -c <\"$1\"") };
        let began = Instant::now();
        let output = machine.run(&write, r#become.as_ref()).await.unwrap();
        println!("10 MB there in {:?}", began.elapsed());
        assert_eq!(text(&output.stdout).trim(), "10000000", "{}", text(&output.stderr));
        let began = Instant::now();
        let read = machine.run(&script("cat file; cat file >&2; rm -f file"), r#become.as_ref()).await.unwrap();
        println!("10 MB back, twice, in {:?}", began.elapsed());
        assert!(read.stdout == input && read.stderr == input);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn busybox_is_enough() {
    let shells = Shells::new();
    let tools = shells.busybox_only();
    let Some(sshd) = Sshd::start_with(&format!("SetEnv PATH={}", tools.display())) else { return };
    let user = TestUser::new(Sudo::No);
    let transport = Transport::Ssh(sshd.ssh(user.name()));
    let options = Options { shell: tools.join("sh").to_str().unwrap().into() };
    let machine = Machine::connect_with("pi-1", transport, options).await.unwrap();
    let input: Vec<u8> = (0..1_000_003u32).map(|i| (i * 7 + i / 255) as u8).collect();
    let output = machine.run(&Command { input: input.clone(), ..script("cat") }, None).await.unwrap();
    assert!(output.stdout == input);
    let long = format!("{}\ncommand -v head", "# comment\n".repeat(1000));
    let output = machine.run(&script(&long), None).await.unwrap();
    assert_eq!(text(&output.stdout).trim(), tools.join("head").to_str().unwrap());
    let mark = common::mark();
    let slow = Command { timeout: Some(Duration::from_millis(200)), ..script(&format!("sleep {mark}")) };
    assert!(matches!(machine.run(&slow, None).await, Err(Error::TimedOut { .. })));
    common::wait("the sleep is gone", || common::running(&mark) == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_setsid_job_control_makes_the_process_group() {
    let shells = Shells::new();
    let tools = shells.tools(&["cat", "head", "tail", "sleep"]);
    let Some(sshd) = Sshd::start_with(&format!("SetEnv PATH={}", tools.display())) else { return };
    let user = TestUser::new(Sudo::No);
    for (shell, sleeps) in [("/bin/bash", "sleep MARK & sleep MARK"), ("/bin/dash", "exec sleep MARK")] {
        let options = Options { shell: shell.into() };
        let transport = Transport::Ssh(sshd.ssh(user.name()));
        let machine = Machine::connect_with("pi-1", transport, options).await.unwrap();
        let mark = common::mark();
        let slow = Command {
            timeout: Some(Duration::from_millis(200)),
            input: vec![b'x'; 100_000],
            ..script(&sleeps.replace("MARK", &mark))
        };
        assert!(matches!(machine.run(&slow, None).await, Err(Error::TimedOut { .. })), "{shell}");
        common::wait("all sleeps are gone", || common::running(&mark) == 0);
        let output = machine.run(&Command { input: b"in".to_vec(), ..script("cat; exit 3") }, None).await.unwrap();
        assert_eq!((output.status, text(&output.stdout).as_str()), (3, "in"), "{shell}: {}", text(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_with_a_password() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithPassword);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();

    let error = machine.run(&script("id -un"), Some(&root(None))).await.unwrap_err();
    assert!(matches!(error, Error::BecomePassword { program: "sudo", .. }), "{error:?}");
    assert_eq!(error.to_string(), "`sudo` on `pi-1` wants a password to become `root`");
    assert!(hint(&error).contains("--ask-become-pass"), "{}", hint(&error));
    assert!(hint(&error).contains(&format!("{} ALL=(ALL) NOPASSWD: ALL", user.name())), "{}", hint(&error));
    assert_eq!(error.exit(), Exit::Failed);

    let error = machine.run(&script("id -un"), Some(&root(Some("wrong")))).await.unwrap_err();
    assert!(matches!(error, Error::WrongBecomePassword { .. }), "{error:?}");

    let output = machine.run(&script("id -un; cat"), Some(&root(Some(TestUser::PASSWORD)))).await.unwrap();
    assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), ("root\n", ""));
    // sudo remembers the user now and does not ask: the driver must come through all the same.
    let other = become_user("daemon", BecomeMethod::Sudo, Some(TestUser::PASSWORD));
    let output = machine.run(&script("id -un"), Some(&other)).await.unwrap();
    assert_eq!(text(&output.stdout), "daemon\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_says_no() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::No);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let error = machine.run(&script("id"), Some(&root(Some(TestUser::PASSWORD)))).await.unwrap_err();
    assert!(matches!(error, Error::NotAllowed { .. }), "{error:?}");
    assert!(error.to_string().contains("is not in the sudoers file"), "{error}");

    let able = TestUser::new(Sudo::WithoutPassword);
    let machine = connect(sshd.ssh(able.name())).await.unwrap();
    let nobody = become_user("no-such-user", BecomeMethod::Sudo, None);
    let error = machine.run(&script("id"), Some(&nobody)).await.unwrap_err();
    assert!(matches!(error, Error::Become { .. }), "{error:?}");
    assert!(error.to_string().contains("no-such-user"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sudo_on_the_machine() {
    let shells = Shells::new();
    let tools = shells.busybox_only();
    let Some(sshd) = Sshd::start_with(&format!("SetEnv PATH={}", tools.display())) else { return };
    let user = TestUser::new(Sudo::No);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let error = machine.run(&script("id"), Some(&root(None))).await.unwrap_err();
    assert!(matches!(error, Error::BecomeMissing { program: "sudo", .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn su_with_a_password() {
    let Some(sshd) = Sshd::start() else { return };
    let (user, other) = (TestUser::new(Sudo::No), TestUser::new(Sudo::No));
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let by_su = |password| become_user(other.name(), BecomeMethod::Su, password);

    let error = machine.run(&script("id"), Some(&by_su(None))).await.unwrap_err();
    assert!(matches!(error, Error::BecomePassword { program: "su", .. }), "{error:?}");
    let error = machine.run(&script("id"), Some(&by_su(Some("wrong")))).await.unwrap_err();
    assert!(matches!(error, Error::WrongBecomePassword { program: "su", .. }), "{error:?}");
    let output = machine.run(&script("id -un"), Some(&by_su(Some(TestUser::PASSWORD)))).await.unwrap();
    assert_eq!(
        (text(&output.stdout).as_str(), text(&output.stderr)),
        (format!("{}\n", other.name()).as_str(), String::new())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_authorized() {
    let Some(sshd) = Sshd::start() else { return };
    let other = Sshd::start().unwrap();
    let user = TestUser::new(Sudo::No);
    let key = other.client_key().to_str().unwrap().to_owned();
    let error = refusal(Ssh { private_key: Some(key.into()), ..sshd.ssh(user.name()) }).await;
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("host `pi-1` refused the login of `{0}`: {0}@127.0.0.1: Permission denied (publickey)", user.name())
    );
    assert!(hint(&error).contains("authorized_keys"), "{}", hint(&error));
    assert_eq!(error.exit(), Exit::Unreachable);

    let error = refusal(Ssh { private_key: Some("/no/such/key".into()), ..sshd.ssh(user.name()) }).await;
    assert!(matches!(error, Error::NoPrivateKey { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn host_keys_are_checked() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::No);
    let known_hosts = sshd.known_hosts();
    let key = std::fs::read_to_string(&known_hosts).unwrap();

    std::fs::write(&known_hosts, "").unwrap();
    let error = refusal(sshd.ssh(user.name())).await;
    assert!(matches!(error, Error::UnknownHostKey { .. }), "{error:?}");
    let scan = format!("ssh-keyscan -H -p {} 127.0.0.1 >> ~/.ssh/known_hosts", sshd.port());
    assert!(hint(&error).contains(&scan), "{}", hint(&error));
    assert!(std::fs::read(&known_hosts).unwrap().is_empty(), "nothing is trusted without being asked");

    // The hint works.
    let line = scan.replace("~/.ssh/known_hosts", known_hosts.to_str().unwrap());
    assert!(std::process::Command::new("sh").args(["-c", &line]).output().unwrap().status.success());
    connect(sshd.ssh(user.name())).await.unwrap();

    let other = Sshd::start().unwrap();
    let wrong = std::fs::read_to_string(other.known_hosts()).unwrap();
    let wrong = wrong.replace(&format!(":{} ", other.port()), &format!(":{} ", sshd.port()));
    std::fs::write(&known_hosts, wrong).unwrap();
    let error = refusal(sshd.ssh(user.name())).await;
    assert!(matches!(error, Error::ChangedHostKey { .. }), "{error:?}");
    let remove = format!("ssh-keygen -f {} -R '[127.0.0.1]:{}'", known_hosts.display(), sshd.port());
    assert!(hint(&error).contains(&remove), "{}", hint(&error));
    assert_eq!(error.exit(), Exit::Unreachable);

    let trusting = Ssh { host_key_checking: false, ..sshd.ssh(user.name()) };
    connect(trusting).await.unwrap();
    std::fs::write(&known_hosts, key).unwrap();
    connect(sshd.ssh(user.name())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_are_not_there() {
    let Some(mut sshd) = Sshd::start() else { return };
    sshd.stop();
    let error = refusal(sshd.ssh("pi")).await;
    let Error::Unreachable { cause: Cause::Refused, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        error.to_string(),
        format!("host `pi-1` is unreachable: connect to host 127.0.0.1 port {}: Connection refused", sshd.port())
    );
    assert!(error.is_unreachable());

    let error = refusal(Ssh { host: "no-such-host.invalid".into(), ..sshd.ssh("pi") }).await;
    let Error::Unreachable { cause: Cause::Name, .. } = &error else { panic!("{error:?}") };
    assert!(hint(&error).contains("ansible_host"));

    // Listens and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = refusal(Ssh { port: Some(port), connect_timeout: Duration::from_secs(1), ..sshd.ssh("pi") }).await;
    let Error::Unreachable { cause: Cause::Network, .. } = &error else { panic!("{error:?}") };

    let error = refusal(Ssh { arguments: vec!["-o".into(), "NoSuchOption=1".into()], ..sshd.ssh("pi") }).await;
    assert!(matches!(error, Error::SshOptions { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_shell() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::with_shell(Sudo::No, "/usr/sbin/nologin");
    let error = refusal(sshd.ssh(user.name())).await;
    assert!(matches!(error, Error::NoShell { .. }), "{error:?}");
    assert!(error.to_string().contains("This account is currently not available"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_an_error_and_the_next_command_makes_a_new_one() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithoutPassword);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let mark = common::mark();
    for r#become in [None, Some(root(None))] {
        machine.run(&script("true"), r#become.as_ref()).await.unwrap();
        let call = tokio::spawn({
            let (machine, command, r#become) = (machine.clone(), script(&format!("sleep {mark}")), r#become.clone());
            async move { machine.run(&command, r#become.as_ref()).await }
        });
        common::wait("the sleep runs", || common::running(&mark) == 1);
        sshd.cut_connections();
        let error = call.await.unwrap().unwrap_err();
        println!("error: {error}");
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        assert!(error.is_unreachable());
        common::wait("the sleep is gone", || common::running(&mark) == 0);
        let output = machine.run(&script("echo again"), r#become.as_ref()).await.unwrap();
        assert_eq!(text(&output.stdout), "again\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_on_when_the_caller_is_gone() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithoutPassword);
    for r#become in [None, Some(root(None))] {
        let mark = common::mark();
        // A runtime of its own, ended in the middle as a process is that gets Ctrl-C.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (ssh, command) = (sshd.ssh(user.name()), script(&format!("sleep {mark} & sleep {mark}")));
        runtime.spawn(async move { connect(ssh).await.unwrap().run(&command, r#become.as_ref()).await });
        common::wait("both sleeps run", || common::running(&mark) == 2);
        runtime.shutdown_background();
        common::wait("both sleeps are gone", || common::running(&mark) == 0);
        common::wait("the connection is closed", || sshd.connections() == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows_in_the_list_of_processes() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithPassword);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let command = Command {
        script: "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$f\"; echo; done 2>/dev/null; : hidden-script"
            .into(),
        arguments: vec!["hidden-argument".into()],
        environment: vec![("HIDDEN".into(), "hidden-value".into())],
        ..Command::default()
    };
    let output = machine.run(&command, Some(&root(Some(TestUser::PASSWORD)))).await.unwrap();
    let list = text(&output.stdout);
    assert!(list.contains("sudo -H -S"), "{list}");
    assert!(!list.contains("hidden-") && !list.contains(TestUser::PASSWORD), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_the_machine_can_be_reached() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::No);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let mut request = vec![0; 4];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    });
    let forward = machine.forward("127.0.0.1", port).await.unwrap();
    assert_ne!(forward.port(), port);
    let address = (forward.host().to_owned(), forward.port());
    for _ in 0..3 {
        let mut stream = tokio::net::TcpStream::connect(address.clone()).await.unwrap();
        stream.write_all(b"GET ").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    }
    drop(forward);
    common::wait("the forward is closed", || std::net::TcpStream::connect(address.clone()).is_err());

    let here = Machine::connect("here", Transport::Local).await.unwrap();
    assert_eq!(
        here.forward("10.0.0.1", 6443).await.map(|f| (f.host().to_owned(), f.port())).unwrap(),
        ("10.0.0.1".into(), 6443)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_allows_one_session_gets_more_connections() {
    let Some(sshd) = Sshd::start_with("MaxSessions 1") else { return };
    let user = TestUser::new(Sudo::WithoutPassword);
    let machine = connect(sshd.ssh(user.name())).await.unwrap();
    let output = machine.run(&script("id -un"), Some(&root(None))).await.unwrap();
    assert_eq!(text(&output.stdout), "root\n");
    let output = machine.run(&script("id -un"), None).await.unwrap();
    assert_eq!(text(&output.stdout).trim(), user.name());
}

/// Not a test of its own: runs a command until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "no test of its own: `nothing_runs_on_when_the_caller_is_killed` starts it"]
async fn caller() {
    let Ok(line) = std::env::var("TEST_CALLER") else { return };
    let [port, user, key, known_hosts, who, mark] = line.split(' ').collect::<Vec<_>>()[..] else { return };
    let ssh = Ssh {
        host: "127.0.0.1".into(),
        port: port.parse().ok(),
        user: Some(user.into()),
        private_key: Some(key.into()),
        host_key_checking: true,
        arguments: vec!["-o".into(), format!("UserKnownHostsFile={known_hosts}")],
        connect_timeout: Duration::from_secs(10),
    };
    let transport = if who == "here" { Transport::Local } else { Transport::Ssh(ssh) };
    let r#become = (who == "root").then(|| root(None));
    let machine = Machine::connect("pi-1", transport).await.unwrap();
    machine.run(&script(&format!("trap '' TERM; sleep {mark} & sleep {mark}")), r#become.as_ref()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_on_when_the_caller_is_killed() {
    let Some(sshd) = Sshd::start() else { return };
    let user = TestUser::new(Sudo::WithoutPassword);
    let scratch = tempfile::tempdir().unwrap();
    for who in ["login", "root", "here"] {
        let mark = common::mark();
        let files = format!("{} {}", sshd.client_key().display(), sshd.known_hosts().display());
        let mut process = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "caller", "--ignored", "--nocapture"])
            .env("TEST_CALLER", format!("{} {} {files} {who} {mark}", sshd.port(), user.name()))
            // What a killed process leaves there goes with the test.
            .env("TMPDIR", scratch.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        common::wait("both sleeps run", || common::running(&mark) == 2);
        process.kill().unwrap();
        process.wait().unwrap();
        common::wait("both sleeps are gone, although they ignore SIGTERM", || common::running(&mark) == 0);
        common::wait("the connection is closed", || sshd.connections() == 0);
    }
}
