//! What is deployed: the working tree in front of the user, or the clone on the controller.

use super::args::SourceKind;
use crate::context::Context;
use crate::exit::{Failure, Result, boxed};
use crate::target::Target;
use camino::Utf8Path;
use remote::{Command, Machine, Transport};

/// The state of the working tree, as git tells it.
pub(super) struct Worktree {
    /// Short commit, `None` outside of git or before the first commit.
    commit: Option<String>,
    /// How many files differ from the commit.
    changed: usize,
    /// Whether a remote branch has the commit.
    pushed: bool,
}

/// Three questions in one round: the commit, the changes, the remote branches that have the commit. Configuration and values are taken
/// from the working tree in any case, so a clone misses nothing of them.
const QUESTIONS: &str = r#"
cd "$1" || exit
git rev-parse --short HEAD 2>/dev/null || echo none
git status --porcelain -- . \
    ':(exclude)build/playbooks/*/cfg.enc' ':(exclude)build/playbooks/*/values.yml' ':(exclude)build/playbooks/*/values.yml.enc' \
    2>/dev/null | wc -l
git branch --remotes --contains HEAD 2>/dev/null | wc -l
"#;

impl Worktree {
    /// Asks git.
    pub(super) async fn of(root: &Utf8Path) -> Result<Self> {
        let here = Machine::connect("localhost", Transport::Local).await.map_err(boxed)?;
        let question = Command {
            script: QUESTIONS.to_owned(),
            arguments: vec![root.to_string()],
            // Reading the status must not take the index lock from a git of the user's.
            environment: vec![("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned())],
            ..Command::default()
        };
        let output = here.run(&question, None).await.map_err(boxed)?;
        here.close().await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines().map(str::trim);
        let commit = lines.next().filter(|commit| *commit != "none").map(str::to_owned);
        let mut number = || lines.next().and_then(|line| line.parse::<usize>().ok()).unwrap_or(0);
        Ok(Self { commit, changed: number(), pushed: number() > 0 })
    }

    /// In words.
    fn describe(&self) -> String {
        let commit =
            self.commit.as_deref().map_or_else(|| "no commit yet".to_owned(), |commit| format!("commit {commit}"));
        match self.changed {
            0 => commit,
            1 => format!("{commit}, 1 file has uncommitted changes"),
            many => format!("{commit}, {many} files have uncommitted changes"),
        }
    }
}

/// Where the charts come from, and a sentence about it. Refused is a clone that would miss what the user sees.
pub(super) async fn choose(
    context: &Context,
    target: Target,
    wanted: Option<SourceKind>,
) -> Result<(SourceKind, String)> {
    let worktree = Worktree::of(&context.root()?).await?;
    let from_worktree = |how: &str| format!("the working tree{how} ({})", worktree.describe());
    match (target, wanted) {
        (Target::Sandbox, Some(SourceKind::Git)) => {
            Err(Failure::usage("the sandbox always takes the working tree").hinted("leave out `--source git`").into())
        }
        (Target::Sandbox, _) => Ok((SourceKind::Worktree, from_worktree(" as it is"))),
        (Target::Boards, Some(SourceKind::Worktree)) => {
            Ok((SourceKind::Worktree, from_worktree(", sent to the controller")))
        }
        (Target::Boards, _) => {
            refuse_what_a_clone_misses(&worktree)?;
            let source = &context.config()?.source;
            let repository = source.repository.as_deref().unwrap_or("the playbook's repository");
            let version = source.version.as_deref().unwrap_or("the playbook's version");
            Ok((SourceKind::Git, format!("a clone of {repository} at {version}; values from {}", worktree.describe())))
        }
    }
}

fn refuse_what_a_clone_misses(worktree: &Worktree) -> Result<()> {
    let hint = "commit and push, or send the working tree with `--source worktree`";
    if worktree.commit.is_none() {
        let message =
            "this folder is no clone of a repository with commits, so there is nothing that the controller can clone";
        return Err(Failure::usage(message).hinted("clone the project with git, commit and push").into());
    }
    if worktree.changed > 0 {
        let message = format!("the working tree differs from what the controller would clone: {}", worktree.describe());
        return Err(Failure::usage(message).hinted(hint).into());
    }
    if !worktree.pushed {
        let message = format!("no remote branch has {}, so the controller can not clone it", worktree.describe());
        return Err(Failure::usage(message).hinted(hint).into());
    }
    Ok(())
}

/// Packs what git would commit and what it does not know yet, but nothing that it ignores. git lists what was deleted
/// as well, as long as no commit says so.
const PACK: &str = r#"
cd "$1" || exit
git ls-files --cached --others --exclude-standard -z -- build > /dev/null || exit
git ls-files --cached --others --exclude-standard -z -- build |
    xargs -0 sh -c 'for file; do if [ -e "$file" ] || [ -L "$file" ]; then printf "%s\0" "$file"; fi; done' sh |
    tar --create --file=- --null --files-from=- --owner=0 --group=0
"#;

/// Unpacks beside the old tree and changes the two over, so that a broken connection leaves the old one.
const UNPACK: &str = r#"
set -e
new="$HOME/.cluster-worktree.$$"
trap 'rm -rf "$new"' EXIT
mkdir -m 0755 "$new"
tar -x -f - -C "$new"
rm -rf "$HOME/.cluster-worktree"
mv "$new" "$HOME/.cluster-worktree"
trap - EXIT
printf '%s' "$HOME/.cluster-worktree"
"#;

/// Sends the charts and playbooks of the working tree to the controller; returns the folder they are in.
pub(super) async fn send(controller: &Machine, root: &Utf8Path) -> Result<String> {
    let here = Machine::connect("localhost", Transport::Local).await.map_err(boxed)?;
    let pack = Command { script: PACK.to_owned(), arguments: vec![root.to_string()], ..Command::default() };
    let packed = here.run(&pack, None).await.map_err(boxed)?;
    here.close().await;
    ended_well(&packed, "the working tree can not be packed")?;
    let unpack = Command { script: UNPACK.to_owned(), input: packed.stdout, ..Command::default() };
    let unpacked = controller.run(&unpack, None).await.map_err(boxed)?;
    ended_well(&unpacked, "the working tree could not be sent to the controller")?;
    Ok(String::from_utf8_lossy(&unpacked.stdout).into_owned())
}

fn ended_well(output: &remote::Output, message: &str) -> Result<()> {
    if output.status == 0 {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::new(diagnostic::Exit::Failed, format!("{message}: {reason}")).into())
}
