//! What `cluster deploy` takes.

use crate::commands::playbook::Engine;
use camino::Utf8PathBuf;
use clap::ValueEnum;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Deploy services: run their playbooks, wait for the rollout, verify.
///
/// The order on the command line does not matter: services go by phase and by what they require, side by side where they can.
///
/// Examples:
///   cluster deploy ollama --target sandbox
///   cluster deploy postgres ollama --check --diff
///   cluster deploy --all --keep-going
///   cluster deploy ollama --set resources.limits.memory=8Gi
#[derive(Debug, Clone, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Services, as `cluster catalog list` names them
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "SERVICE")]
    pub(super) services: Vec<String>,

    /// Every service of the catalogue; one whose upstream chart can not be had is reported as not run
    #[arg(long)]
    pub(super) all: bool,

    /// How many services are deployed side by side
    #[arg(long, value_name = "N", default_value = "8")]
    pub(super) parallel: NonZeroUsize,

    /// After a failure, go on with the services that do not require a failed one
    #[arg(short, long)]
    pub(super) keep_going: bool,

    /// Say what would change, and change nothing
    #[arg(short = 'C', long)]
    pub(super) check: bool,

    /// Show what changes in files and releases
    #[arg(short = 'D', long)]
    pub(super) diff: bool,

    /// Do not wait for the rollout, and do not verify
    #[arg(long)]
    pub(super) no_wait: bool,

    /// How long each rollout may take, such as 90s, 5m or 1h
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub(super) timeout: Duration,

    /// YAML file with chart values, laid over the service's values.yml; may be given several times
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(super) values: Vec<Utf8PathBuf>,

    /// One chart value as `helm --set` takes it, such as image.tag=0.32.15; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,

    /// What runs the playbooks: this program, or ansible-playbook where it is installed
    ///
    /// By default what `cluster.toml` says, else auto
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(super) engine: Option<Engine>,

    /// Where the controller gets the charts from: a clone of the repository, or the files in front of you
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub(super) source: Option<SourceKind>,

    /// Ask for the password that sudo wants on the controller
    #[arg(short = 'K', long)]
    pub(super) ask_become_pass: bool,
}

/// Where the charts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceKind {
    /// The controller clones the repository at the configured version.
    Git,
    /// The working tree is sent to the controller.
    Worktree,
}

/// `90s`, `5m`, `1h30m`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write 90s, 5m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0_u64;
    let mut number = String::new();
    for character in text.chars() {
        let unit = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(wrong()),
        };
        let value: u64 = number.parse().map_err(|_| wrong())?;
        total = value.checked_mul(unit).and_then(|seconds| total.checked_add(seconds)).ok_or_else(wrong)?;
        number.clear();
    }
    if number.is_empty() && total > 0 { Ok(Duration::from_secs(total)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let seconds = |text| duration(text).map(|duration: Duration| duration.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("1h30m"), Ok(5400));
        assert_eq!(seconds("15"), Ok(15));
        for wrong in ["", "m", "5x", "5m3", "99999999999999999999h", "18446744073709551615h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
