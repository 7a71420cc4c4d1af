//! Turning scripts and values into text that a POSIX shell reads back exactly.

use crate::{Command, Error};

const DRIVER: &str = include_str!("sh/driver.sh");
const WORKER: &str = include_str!("sh/worker.sh");

/// What a program must end with, so that a truncated one is not run (`worker.sh`).
const END: &str = " #end";

/// One word of shell.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One word of shell on one line: `$_n` holds a newline where this is read.
fn quote_on_one_line(text: &str) -> String {
    quote(text).replace('\n', "'\"$_n\"'")
}

/// The one line that makes a fresh shell the driver. `hello` is the nonce it announces itself with.
pub(crate) fn driver(hello: &str, shell: &str) -> String {
    format!(
        "_n=$(printf '\\nx'); _n=${{_n%x}}; _hello={hello}; _shell={}; _worker={}; eval {}\n",
        quote_on_one_line(shell),
        quote_on_one_line(&without_comments(WORKER)),
        quote_on_one_line(&without_comments(DRIVER)),
    )
}

/// What the login shell, sudo or su are told to run, the same for all: it says that it is there, then reads the driver. It
/// has nothing that csh or fish would read otherwise within single quotes.
pub(crate) fn bootstrap(nonce: &str) -> String {
    format!(r#"printf %s "{nonce}r;"; IFS= read -r _d && eval "$_d""#)
}

/// The program that `worker.sh` evaluates, on one line without its newline.
pub(crate) fn program(command: &Command) -> Result<String, Error> {
    check(command)?;
    let mut program = String::from("set --");
    for argument in &command.arguments {
        program.push(' ');
        program.push_str(&quote_on_one_line(argument));
    }
    for (name, value) in &command.environment {
        program.push_str(&format!("; export {name}={}", quote_on_one_line(value)));
    }
    if let Some(directory) = &command.directory {
        // `cd -` is the previous directory, `cd --` alone the home, and CDPATH makes `cd` search and talk.
        let directory = if directory.starts_with('/') { directory.clone() } else { format!("./{directory}") };
        program.push_str(&format!("; CDPATH= cd {} || exit 1", quote_on_one_line(&directory)));
    }
    let script = format!("unset _n _p; {}", command.script);
    program.push_str(&format!("; eval {}{END}", quote_on_one_line(&script)));
    Ok(program)
}

/// What no shell can be given is refused before anything is sent.
fn check(command: &Command) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::InvalidCommand { reason });
    let values = command.environment.iter().map(|(_, value)| value);
    if command.script.contains('\0') {
        return refuse("the script contains a NUL byte".into());
    }
    if command.arguments.iter().chain(values).chain(&command.directory).any(|text| text.contains('\0')) {
        return refuse("an argument, a variable or the directory contains a NUL byte".into());
    }
    match command.environment.iter().find(|(name, _)| !is_name(name)) {
        Some((name, _)) => refuse(format!("`{name}` can't be the name of an environment variable")),
        None => Ok(()),
    }
}

/// A name in the sense of POSIX (XBD 3.216): what `export` takes.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn without_comments(script: &str) -> String {
    let lines = script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_program_is_one_line_whatever_it_holds() {
        let command = Command {
            script: "echo \"$1\"\n# it's".into(),
            arguments: vec!["a\nb".into(), "it's".into(), String::new()],
            environment: vec![("A".into(), "x y\n".into())],
            directory: Some("-".into()),
            ..Command::default()
        };
        insta::assert_snapshot!(program(&command).unwrap(), @r##"set -- 'a'"$_n"'b' 'it'\''s' ''; export A='x y'"$_n"''; CDPATH= cd './-' || exit 1; eval 'unset _n _p; echo "$1"'"$_n"'# it'\''s' #end"##);
    }

    #[rstest]
    #[case(Command { script: "a\0".into(), ..Command::default() }, "the script contains a NUL byte")]
    #[case(Command { arguments: vec!["\0".into()], ..Command::default() }, "an argument, a variable or the directory contains a NUL byte")]
    #[case(Command { environment: vec![("a-b".into(), String::new())], ..Command::default() }, "`a-b` can't be the name of an environment variable")]
    fn what_a_shell_can_not_be_given_is_refused(#[case] command: Command, #[case] message: &str) {
        let error = program(&command).unwrap_err().to_string();
        assert_eq!(error, format!("the command can't be run by a shell: {message}"));
    }

    #[test]
    fn the_driver_is_one_line_that_no_comment_cuts_short() {
        let driver = driver("abc", "/bin/sh");
        assert_eq!(driver.matches('\n').count(), 1);
        assert!(!driver.contains("shellcheck"), "{driver}");
    }
}
