//! What a run must have left: the files, and the count of changes that the peer reports.

use crate::machine::Machine;
use crate::work::{MODE, Work};
use anyhow::{Context, Result, ensure};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What tells a file that was written again from one that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(Vec<(u64, i64, i64)>);

/// Checks each file of each host; what was seen, to be compared with a later look.
pub fn check(machine: &Machine, work: &Work) -> Result<Seen> {
    let owner = machine.owner()?;
    let mut seen = Vec::new();
    for host in work.host_names() {
        let folder = machine.folder(&host);
        for (name, content) in work.files() {
            seen.push(check_file(&folder.join(name), &content, owner)?);
        }
        let count = std::fs::read_dir(&folder)?.count();
        ensure!(count == work.steps.len(), "{} holds {count} files", folder.display());
    }
    Ok(Seen(seen))
}

fn check_file(path: &Path, content: &str, owner: u32) -> Result<(u64, i64, i64)> {
    let about = || path.display().to_string();
    let found = std::fs::read_to_string(path).with_context(about)?;
    ensure!(found == content, "{} has another content", about());
    let data = std::fs::metadata(path)?;
    ensure!(data.uid() == owner, "{} has another owner", about());
    ensure!(content.is_empty() || data.mode() & 0o7777 == MODE, "{} has mode {:o}", about(), data.mode());
    Ok((data.ino(), data.mtime(), data.mtime_nsec()))
}

/// Checks Ansible's recap, which ours prints too: each host has `changed` changes, and nothing failed.
pub fn check_recap(text: &str, work: &Work, changed: usize) -> Result<()> {
    for host in work.host_names() {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(&host) && line.contains("changed="));
        let line = line.with_context(|| format!("no recap for {host} in:\n{text}"))?;
        for (name, value) in [("changed", changed), ("failed", 0), ("unreachable", 0)] {
            let is = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            ensure!(is == Some(&value.to_string()), "{name} is not {value}: {line}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECAP: &str = "PLAY RECAP ****\nhost1    : ok=3    changed=3    unreachable=0    failed=0    skipped=0\n";

    #[test]
    fn a_recap_is_read() {
        let [three, ..] = Work::all();
        check_recap(RECAP, &three, 3).unwrap();
        let message = check_recap(RECAP, &three, 0).unwrap_err().to_string();
        assert!(message.starts_with("changed is not 0: host1"), "{message}");
        assert!(check_recap("nothing", &three, 0).is_err());
    }
}
