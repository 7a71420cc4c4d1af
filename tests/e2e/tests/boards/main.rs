//! Deployments over real SSH: a controller that is reached through a private sshd on loopback as an unprivileged user with
//! sudo, its host key checked, git and Helm run there. Only the cluster behind it is the sandbox.

mod board;
mod over_ssh;
mod refusals;

use e2e::Scenario;
use std::process::ExitCode;

const SCENARIOS: [Scenario; 7] = [
    ("a_clone_is_deployed_with_sudo", over_ssh::from_a_clone),
    ("the_working_tree_is_sent", over_ssh::from_the_working_tree),
    ("what_a_clone_would_miss_is_refused", refusals::uncommitted),
    ("an_unknown_host_key_is_refused", refusals::unknown_host_key),
    ("a_refused_key_says_so", refusals::refused_key),
    ("a_dead_port_is_unreachable", refusals::dead_port),
    ("sudo_that_wants_a_password_says_what_to_do", refusals::sudo_password),
];

fn main() -> ExitCode {
    if !support::is_root() {
        return ExitCode::SUCCESS;
    }
    e2e::run(&SCENARIOS)
}
