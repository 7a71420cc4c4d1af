//! The user's editor on a plaintext that nobody else sees: a 0600 file in a directory of its own, in memory (tmpfs) where there is one,
//! gone on every way out.

use super::file::failed;
use crate::context::{Context, environment};
use crate::exit::{Error, Failure, Result};
use crate::in_memory;
use crate::interrupt;
use crate::prompt;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Diagnose, Exit, Mistake};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::process::ExitStatus;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use vault::Plaintext;

/// Begins the names of the private directories; the number of the process follows.
const PREFIX: &str = "cluster-vault-";

/// How long an editor may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);

/// Gives `save` what the user makes of `plaintext`. `path` gives the name that the editor shows. When `save` fails, what was typed is
/// kept, and the error says where.
pub(super) fn edit(
    path: &Utf8Path,
    plaintext: &[u8],
    context: &Context,
    save: impl FnOnce(&Plaintext) -> Result<()>,
) -> Result<()> {
    let words = editor()?;
    let directory = private_directory(context)?;
    let file = utf8(directory.path().join(shown_name(path)))?;
    write(&file, plaintext).map_err(|error| failed("the file for the editor could not be written", error))?;
    let status = context.runtime()?.block_on(run(&words, &file))?;
    if !status.success() {
        let message =
            format!("the editor `{}` ended with {}, so `{path}` is as it was", words.join(" "), ended(status));
        return Err(Failure::new(Exit::Failed, message).hinted("set EDITOR to an editor that works").into());
    }
    if !file.exists() {
        let message = format!("the editor removed its file, so `{path}` is as it was");
        return Err(Failure::new(Exit::Failed, message).into());
    }
    let edited = super::file::read(&file)?;
    if let Err(error) = save(&edited) {
        return Err(if *edited == *plaintext { error } else { kept(directory, &file, error.as_ref()) });
    }
    directory.close().map_err(|error| failed("the file for the editor could not be removed", error))
}

/// What was typed stays where it is, under a name that no later run takes for a leftover.
fn kept(directory: TempDir, file: &Utf8Path, error: &dyn Diagnose) -> Error {
    let place = directory.keep();
    let name = place.file_name().unwrap_or_default().to_string_lossy().replace(PREFIX, "cluster-kept-");
    let kept = place.with_file_name(name);
    let kept = std::fs::rename(&place, &kept).map_or(place, |()| kept);
    let file = kept.join(file.file_name().unwrap_or_default());
    let hint = format!("what you typed is in {}; remove it when you have it", file.display());
    Failure::new(error.exit(), error.to_string()).hinted(hint).into()
}

/// The words of `EDITOR`; `vi` when it is not set, as with `ansible-vault`, if there is a terminal for it.
fn editor() -> Result<Vec<String>> {
    let Some(editor) = environment("EDITOR") else {
        if prompt::has_terminal() {
            return Ok(vec!["vi".to_owned()]);
        }
        return Err(Failure::usage("there is no terminal for the editor")
            .hinted("set EDITOR to a program that needs none, or write the file and run `cluster vault encrypt FILE`")
            .into());
    };
    match shlex::split(&editor) {
        Some(words) if !words.is_empty() => Ok(words),
        _ => Err(Failure::usage("EDITOR is no command line").hinted("close its quotes").into()),
    }
}

/// Runs it until it ends. Ctrl-C is the editor's, which shares the terminal; being told to end ends the editor first.
#[expect(clippy::disallowed_methods, reason = "the editor is the user's")]
async fn run(words: &[String], file: &Utf8Path) -> Result<ExitStatus> {
    let signals = |kind| signal(kind).map_err(|error| failed("signals can not be received", error));
    interrupt::answered_elsewhere();
    let (mut terminate, mut hangup) = (signals(SignalKind::terminate())?, signals(SignalKind::hangup())?);
    let mut quit = signals(SignalKind::quit())?;
    let _kept_from_ending_us = signals(SignalKind::interrupt())?;
    let (program, arguments) = words.split_first().ok_or_else(|| Failure::usage("EDITOR is empty"))?;
    let mut child = Command::new(program).args(arguments).arg(file).kill_on_drop(true).spawn().map_err(|error| {
        Failure::usage(format!("the editor `{program}` can not be started"))
            .hinted("set EDITOR to an editor that is installed")
            .because(error)
    })?;
    let asked = tokio::select! {
        ended = child.wait() => return ended.map_err(|error| failed("the editor could not be waited for", error)),
        _ = terminate.recv() => "terminated",
        _ = hangup.recv() => "hung up",
        _ = quit.recv() => "told to quit",
    };
    end(&mut child).await;
    Err(Failure::new(Exit::Interrupted, format!("{asked}; nothing was written")).into())
}

async fn end(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        // It may have ended in this moment.
        let _gone = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _gone = child.kill().await;
    }
}

/// In memory where there is such a place, so that the plaintext never reaches a disk.
fn private_directory(context: &Context) -> Result<TempDir> {
    let place = match in_memory::folder() {
        Some(place) => place,
        None => {
            let place = utf8(std::env::temp_dir())?;
            let warning =
                format!("there is no tmpfs here: while the editor is open, its file is on the disk below {place}");
            context.output.warning(&Mistake::new(warning));
            place
        }
    };
    sweep(&place);
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .tempdir_in(&place)
        .map_err(|error| failed(format!("no directory can be made in `{place}`"), error))
}

/// Removes what a run left that was killed outright: directories of ours whose process is gone.
fn sweep(place: &Utf8Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in place.read_dir_utf8().into_iter().flatten().flatten() {
        let Some(rest) = entry.file_name().strip_prefix(PREFIX) else { continue };
        let pid = rest.split('-').next().and_then(|number| number.parse().ok()).and_then(Pid::from_raw);
        let is_own = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == own);
        if is_own && pid.is_some_and(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
            // Someone else may have been faster.
            let _gone = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn write(path: &Utf8Path, plaintext: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(plaintext)
}

/// `cfg.enc` is YAML inside, which the editor should know by the name.
fn shown_name(path: &Utf8Path) -> String {
    let name = path.file_name().unwrap_or("vault");
    match name.strip_suffix(".enc") {
        Some(stem) if stem.contains('.') => stem.to_owned(),
        Some(stem) => format!("{stem}.yml"),
        None => name.to_owned(),
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no code".to_owned(),
    }
}

fn utf8(path: std::path::PathBuf) -> Result<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(path)
        .map_err(|path| Failure::usage(format!("the path `{}` is no UTF-8", path.display())).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("build/playbooks/mercure/cfg.enc", "cfg.yml")]
    #[case("build/playbooks/mercure/values.yml.enc", "values.yml")]
    #[case("group_vars/all/secrets.yml", "secrets.yml")]
    fn the_editor_sees_a_name_that_tells_the_kind(#[case] path: &str, #[case] shown: &str) {
        assert_eq!(shown_name(Utf8Path::new(path)), shown);
    }

    #[test]
    fn what_a_killed_run_left_is_swept_away() {
        let place = tempfile::tempdir().unwrap();
        let place = Utf8Path::from_path(place.path()).unwrap();
        // The highest number of a process is below this on Linux (PID_MAX_LIMIT).
        let (gone, alive) =
            (place.join(format!("{PREFIX}4194305-x")), place.join(format!("{PREFIX}{}-x", std::process::id())));
        std::fs::create_dir(&gone).unwrap();
        std::fs::create_dir(&alive).unwrap();
        sweep(place);
        assert!(!gone.exists() && alive.exists());
    }
}
