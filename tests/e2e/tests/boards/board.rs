//! The controller of the scenarios.

use anyhow::{Context, Result, ensure};
use e2e::World;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use support::{Ended, Sshd, Sudo, TestUser, tools};

/// A reachable machine, with the repository that it clones from and a kubeconfig that only root may read.
pub struct Board {
    pub sshd: Sshd,
    pub user: TestUser,
    repository: PathBuf,
}

impl Board {
    /// Starts it, and writes the project's configuration for it.
    pub fn new(world: &World, sudo: Sudo) -> Result<Self> {
        let sshd = Sshd::start().context("sshd needs root")?;
        let user = TestUser::new(sudo);
        let repository = user.home().join("repository.git");
        let board = Self { sshd, user, repository };
        board.configure(world)?;
        board.push(world)?;
        Ok(board)
    }

    fn configure(&self, world: &World) -> Result<()> {
        let line = self.sshd.inventory_line("amd-build", &self.user);
        world.project.write("boards.ini", &format!("[controller]\n{line}\n"))?;
        let kubeconfig = world.project.path().join(".cluster/root-only.yaml");
        std::fs::copy(world.project.kubeconfig(), &kubeconfig)?;
        std::fs::set_permissions(&kubeconfig, std::fs::Permissions::from_mode(0o600))?;
        let text = format!(
            "inventory = \"boards.ini\"\nkubeconfig = \"{}\"\nhelm = \"{}\"\n\n[source]\nrepository = \"file://{}\"\n\
             destination = \"{}/compute-cluster\"\n",
            kubeconfig.display(),
            tools().join("helm").display(),
            self.repository.display(),
            self.user.home().display(),
        );
        world.project.write("cluster.toml", &text)?;
        world.project.git(&["add", "--all"])?;
        world.project.git(&[
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.org",
            "commit",
            "--quiet",
            "--message=boards",
        ])
    }

    /// The commit in front of the user, where the controller can clone it.
    fn push(&self, world: &World) -> Result<()> {
        let repository = self.repository.to_str().context("UTF-8")?;
        world.project.git(&["init", "--quiet", "--bare", "--initial-branch=main", repository])?;
        let _no_remote_yet = world.project.git(&["remote", "remove", "origin"]);
        world.project.git(&["remote", "add", "origin", repository])?;
        world.project.git(&["push", "--quiet", "--set-upstream", "origin", "main"])?;
        let changed = Command::new("chown").args(["-R", self.user.name()]).arg(&self.repository).status()?;
        ensure!(changed.success(), "the repository could not be given to the user");
        Ok(())
    }

    /// `cluster deploy` to the boards.
    pub fn deploy(&self, world: &World, arguments: &[&str]) -> Result<Ended> {
        world.project.cluster(["deploy", "--target=boards"].iter().chain(arguments))
    }
}
