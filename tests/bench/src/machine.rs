//! The machine that the work is done on: a private ssh server on loopback with a user of its own, known to the peers under
//! as many names as there are hosts, each with a folder of its own.

use crate::work::Work;
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Sshd, Sudo, TestUser};
use tempfile::TempDir;

/// The server, its user, and the folder in which the peers run.
pub struct Machine {
    // Dropped in this order: `userdel` wants the user's processes gone.
    sshd: Sshd,
    user: TestUser,
    /// Here the peers start, and find playbooks, inventories and scripts.
    here: TempDir,
}

impl Machine {
    /// Sets it up. `None`, with a `skipped:` line, where that can't work.
    pub fn new() -> Result<Option<Self>> {
        let Some(sshd) = Sshd::start() else { return Ok(None) };
        let user = TestUser::new(Sudo::No);
        // Ansible's control sockets lie in it, and a socket's path has little room.
        let here = tempfile::Builder::new().prefix("bench-").tempdir_in("/tmp")?;
        std::fs::create_dir(here.path().join("home"))?;
        std::fs::create_dir(here.path().join("files"))?;
        std::fs::write(here.path().join("ansible.cfg"), "")?;
        Ok(Some(Self { sshd, user, here }))
    }

    /// Where the peers are started.
    pub fn here(&self) -> &Path {
        self.here.path()
    }

    /// The folder of a host on the machine.
    pub fn folder(&self, host: &str) -> PathBuf {
        self.user.home().join("bench").join(host)
    }

    /// Writes the playbook, the inventory, the files and the scripts of the floor, and empties the hosts' folders.
    pub fn prepare(&self, work: &Work) -> Result<()> {
        let here = self.here();
        std::fs::write(here.join("site.yml"), work.playbook())?;
        let mut sums = HashMap::new();
        for (name, content) in work.files() {
            std::fs::write(here.join("files").join(name), &content)?;
            sums.insert(content.clone(), checksum(&content)?);
        }
        let mut inventory = String::new();
        for host in work.host_names() {
            let folder = self.folder(&host);
            let folder = folder.to_str().context("homes have plain names")?;
            inventory += &format!("{} folder={folder}\n", self.sshd.inventory_line(&host, &self.user));
            std::fs::write(here.join(format!("{host}.sh")), work.script(folder, |content| sums[content].clone()))?;
        }
        std::fs::write(here.join("hosts.ini"), inventory)?;
        self.clear(work)
    }

    /// Empties the hosts' folders.
    pub fn clear(&self, work: &Work) -> Result<()> {
        let home = self.user.home();
        let owner = std::fs::metadata(&home)?;
        let top = home.join("bench");
        if top.exists() {
            std::fs::remove_dir_all(&top)?;
        }
        for folder in std::iter::once(top).chain(work.host_names().iter().map(|host| self.folder(host))) {
            std::fs::create_dir(&folder)?;
            chown(&folder, Some(owner.uid()), Some(owner.gid()))?;
        }
        Ok(())
    }

    /// Ends connections that a peer left open for its next run, so that each run begins with connecting.
    pub fn disconnect(&self) {
        self.sshd.cut_connections();
        support::wait_until("no connection is open", std::time::Duration::from_secs(10), || {
            let open = self.sshd.connections();
            if open == 0 { Ok(()) } else { Err(format!("{open} are")) }
        });
    }

    /// `ssh` to the machine, without a command.
    pub fn ssh(&self) -> Command {
        let ssh = self.sshd.ssh(self.user.name());
        let mut command = Command::new("ssh");
        command.args(ssh.arguments).args(ssh.port.map(|port| format!("-p{port}")));
        command.args(ssh.private_key.map(|key| format!("-i{key}"))).arg("-T");
        command.arg(format!("{}@{}", self.user.name(), ssh.host));
        command
    }

    /// The id of the user that owns what the work leaves.
    pub fn owner(&self) -> Result<u32> {
        Ok(std::fs::metadata(self.user.home())?.uid())
    }
}

/// SHA-1, by the program that the scripts of the floor use too.
pub fn checksum(text: &str) -> Result<String> {
    let mut file = tempfile::NamedTempFile::new()?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    let output = Command::new("sha1sum").arg(file.path()).output()?;
    ensure!(output.status.success(), "sha1sum fails");
    let words = String::from_utf8(output.stdout)?;
    Ok(words.split_whitespace().next().unwrap_or_default().to_owned())
}
