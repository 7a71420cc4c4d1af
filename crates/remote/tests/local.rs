//! Commands and frames on this machine, under each shell that machines have.
#![expect(clippy::unwrap_used, reason = "a test ends there")]

mod common;

use common::{Shells, script};
use remote::{Become, BecomeMethod, Command, Error, Machine, Options, Transport};
use rstest::rstest;
use std::time::{Duration, Instant};
use support::wait_until;

const SHELLS: [&str; 3] = ["dash", "bash", "ash"];

async fn machine(shells: &Shells, shell: &str) -> Machine {
    shells.local(shell).await
}

/// Every case under every shell.
async fn output_is(command: Command, status: i32, stdout: &[u8], stderr: &[u8]) {
    let shells = Shells::new();
    for shell in SHELLS {
        let output = machine(&shells, shell).await.run(&command, None).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!((output.status, text(&output.stdout)), (status, text(stdout)), "{shell}: {}", text(&output.stderr));
        if !stderr.is_empty() {
            assert!(text(&output.stderr).contains(&text(stderr)), "{shell}: {}", text(&output.stderr));
        }
    }
}

#[rstest]
#[case("true", 0, "")]
#[case("exit 3", 3, "")]
#[case("false", 1, "")]
#[case("set -e; false; echo no", 1, "")]
#[case("printf 'no newline'", 0, "no newline")]
#[case("echo out; echo err >&2; exit 4", 4, "out\n")]
#[case("kill -9 $$", 137, "")]
#[case("kill -TERM $$; sleep 10", 143, "")]
#[case("exec echo replaced", 0, "replaced\n")]
#[case("exec >/dev/null 2>&1; echo no", 0, "")]
#[case("cat; echo end", 0, "end\n")]
#[case("read -r line || echo end of file", 0, "end of file\n")]
#[case("trap 'echo trapped' EXIT; exit 5", 5, "trapped\n")]
#[case("# only a comment", 0, "")]
#[case("cat <<EOF\nfrom a here-document: $(echo nested)\nEOF", 0, "from a here-document: nested\n")]
#[case("sh -c 'kill -INT $$; exit 7'; echo $?", 0, "130\n")]
#[case("command_that_is_not_there", 127, "")]
#[case("_n=kept; f() { return 7; }; f", 7, "")]
#[case("echo $#:$0", 0, "0:sh\n")]
#[case("exec <&-; exec >&-; exec 2>&-", 0, "")]
#[tokio::test(flavor = "multi_thread")]
async fn scripts_mean_what_they_mean_in_a_shell_of_their_own(
    #[case] text: &str,
    #[case] status: i32,
    #[case] stdout: &str,
) {
    output_is(script(text), status, stdout.as_bytes(), b"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_syntax_error_is_the_commands_and_the_shell_goes_on() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let broken = machine.run(&script("if true; then"), None).await.unwrap();
        assert_ne!(broken.status, 0, "{shell}");
        assert!(!broken.stderr.is_empty(), "{shell}");
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_and_environment_arrive_as_they_are() {
    let shells = Shells::new();
    let every = (1..=0x2ff).filter_map(char::from_u32).collect::<String>();
    let values =
        ["", " ", "a\nb\n", "it's", "\"$(id)\"`id`", "\\", "-n", "*", "€ 漢字 🎲", "\u{81}\u{88}\u{fffd}", &every];
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let command = Command {
            script: r#"for value; do printf '%s\0' "$value"; done; printf '%s\0' "$A" "$B"; pwd"#.into(),
            arguments: values.map(String::from).into(),
            environment: vec![("A".into(), every.clone()), ("B".into(), "x=\ny'".into())],
            directory: Some("/usr".into()),
            ..Command::default()
        };
        let output = machine.run(&command, None).await.unwrap();
        let expected =
            values.iter().copied().chain([every.as_str(), "x=\ny'", "/usr\n"]).collect::<Vec<_>>().join("\0");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_from_one_command_to_the_next() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let first =
            script("cd /; X=1; export Y=2; set -eu; umask 077; f() { :; }; alias ls=false; trap '' TERM; exec 9>&1");
        assert_eq!(machine.run(&first, None).await.unwrap().status, 0, "{shell}");
        let second =
            script("pwd; echo \"${X-}${Y-}$-\"; umask; command -v f; true; { true >&9; } 2>/dev/null || echo closed");
        let output = machine.run(&second, None).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let here = std::env::current_dir().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], here.to_str().unwrap(), "{shell}");
        assert!(!lines[1].contains(['1', '2', 'e', 'u', 'm']), "{shell}: {text}");
        assert_ne!(lines[2], "0077", "{shell}");
        assert_eq!(lines[3..], ["closed"], "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_driver_leaves_no_variable_in_the_environment() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let output = machine.run(&script("env"), None).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for name in ["_nonce", "_hello", "_p=", "_take", "_worker"] {
            assert!(!text.lines().any(|line| line.starts_with(name)), "{shell}: {name} in {text}");
        }
    }
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(65_535)]
#[case(65_536)]
#[case(10_000_019)]
#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_in_and_come_out_exactly(#[case] length: usize) {
    let shells = Shells::new();
    let input: Vec<u8> = (0..length).map(|i| (i * 31 + i / 251) as u8).collect();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let command = Command { input: input.clone(), ..script("tee /dev/stderr") };
        let began = Instant::now();
        let output = machine.run(&command, None).await.unwrap();
        eprintln!("{shell}: {length} bytes in {:?}", began.elapsed());
        assert!(output.stdout == input, "{shell}: {} bytes of {length}", output.stdout.len());
        assert!(output.stderr == input, "{shell}: {} bytes of {length}", output.stderr.len());
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn input_that_nobody_reads_is_no_obstacle() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        for text in ["true", "head -c 1 >/dev/null", "exec <&-"] {
            let command = Command { input: vec![b'x'; 3_000_000], ..script(text) };
            assert_eq!(machine.run(&command, None).await.unwrap().status, 0, "{shell}: {text}");
        }
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_scripts_and_arguments_are_no_obstacle() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        // More than one argument of a process may hold (MAX_ARG_STRLEN, 128 KiB).
        let command = Command {
            script: format!("{}printf %s \"$1\"", "# a line of text\n".repeat(20_000)),
            arguments: vec!["é'\n".repeat(100_000)],
            ..Command::default()
        };
        let output = machine.run(&command, None).await.unwrap();
        assert!(output.stdout == command.arguments[0].as_bytes(), "{shell}: {}", output.stdout.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_many_callers_do_not_mix() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let calls: Vec<_> = (0..20)
            .map(|i| {
                let machine = machine.clone();
                tokio::spawn(async move { machine.run(&script(&format!("echo {i}; exit {i}")), None).await })
            })
            .collect();
        for (i, call) in calls.into_iter().enumerate() {
            let output = call.await.unwrap().unwrap();
            assert_eq!((output.status, output.stdout), (i as i32, format!("{i}\n").into_bytes()), "{shell}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_is_ended_with_all_it_started() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let mark = common::mark();
        let command = Command {
            timeout: Some(Duration::from_millis(300)),
            ..script(&format!("echo begun; sleep {mark} & (sleep {mark}); echo no"))
        };
        let error = machine.run(&command, None).await.unwrap_err();
        let Error::TimedOut { stdout, .. } = error else { panic!("{shell}: {error}") };
        assert_eq!(stdout, b"begun\n", "{shell}");
        wait_until("both sleeps are gone", Duration::from_secs(5), || common::running(&mark) == 0);
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ignores_sigterm_is_killed() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let mark = common::mark();
        let command = Command {
            timeout: Some(Duration::from_millis(300)),
            ..script(&format!("trap '' TERM; while :; do sleep {mark}; done"))
        };
        let error = machine.run(&command, None).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{shell}: {error}");
        wait_until("the sleep is gone", Duration::from_secs(5), || common::running(&mark) == 0);
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_ends_the_command_also_when_it_does_not_read_its_input() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let mark = common::mark();
        let command = Command { input: vec![0; 1_000_000], ..script(&format!("sleep {mark}")) };
        let call = tokio::spawn({
            let machine = machine.clone();
            async move { machine.run(&command, None).await }
        });
        common::wait("the sleep runs", || common::running(&mark) == 1);
        call.abort();
        common::wait("the sleep is gone", || common::running(&mark) == 0);
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_what_runs_but_not_what_was_left_in_the_background() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let (left, runs) = (common::mark(), common::mark());
        let background = script(&format!("sleep {left} >/dev/null 2>&1 &"));
        machine.run(&background, None).await.unwrap();
        let call = tokio::spawn({
            let (machine, command) = (machine.clone(), script(&format!("sleep {runs}")));
            async move { machine.run(&command, None).await }
        });
        common::wait("the sleep runs", || common::running(&runs) == 1);
        call.abort();
        machine.close().await;
        common::wait("the running sleep is gone", || common::running(&runs) == 0);
        assert_eq!(common::running(&left), 1, "{shell}");
        common::end(&left);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_process_with_the_outputs_ends_the_frame_after_a_silent_second() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let mark = common::mark();
        let began = Instant::now();
        let command = script(&format!("echo here; setsid sleep {mark} & exit 6"));
        let output = machine.run(&command, None).await.unwrap();
        assert_eq!((output.status, output.stdout.as_slice()), (6, b"here\n".as_slice()), "{shell}");
        // Far below the life of the sleep, far above what a busy machine takes.
        assert!(began.elapsed() < Duration::from_secs(30), "{shell}: {:?}", began.elapsed());
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
        assert_eq!(common::running(&mark), 1, "{shell}: it goes on");
        common::end(&mark);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_kills_the_shell_around_it_is_an_error_and_the_next_one_runs() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let error = machine.run(&script("kill -9 $PPID"), None).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{shell}: {error}");
        assert_eq!(machine.run(&script("echo on"), None).await.unwrap().stdout, b"on\n", "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_argument_or_value_shows_in_the_list_of_processes() {
    let shells = Shells::new();
    for shell in SHELLS {
        let machine = machine(&shells, shell).await;
        let command = Command {
            script: "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$f\"; echo; done 2>/dev/null; : hidden-script"
                .into(),
            arguments: vec!["hidden-argument".into()],
            environment: vec![("HIDDEN".into(), "hidden-value".into())],
            input: b"hidden-input".to_vec(),
            ..Command::default()
        };
        let output = machine.run(&command, None).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("IFS= read -r _d"), "{shell}: the list has the shell itself: {text}");
        assert!(!text.contains("hidden-"), "{shell}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_here_by_sudo() {
    if !support::is_root() {
        return;
    }
    let machine = Machine::connect("here", Transport::Local).await.unwrap();
    let daemon = Become { user: "daemon".into(), method: BecomeMethod::Sudo, password: None };
    let output = machine.run(&script("id -un; pwd"), Some(&daemon)).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("daemon\n/"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_is_not_there() {
    let options = Options { shell: "/no/such/shell".into() };
    let error = Machine::connect_with("here", Transport::Local, options).await.unwrap_err();
    assert_eq!(error.to_string(), "can't start a shell for `here`");
}
