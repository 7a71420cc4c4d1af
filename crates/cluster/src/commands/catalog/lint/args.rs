//! What the command takes.

/// Check services by every rule of this repository: charts, what they render to, playbooks, images, secrets.
///
/// Each chart is rendered with its defaults, with what this repository sets (values.yml) and at its edges (ci/*-values.yaml).
/// With a sandbox that is up, its API server is asked whether it would take each object; nothing is kept there.
/// Ends with 1 when a rule is broken. A rule that can not be tried here is counted, and a failure only with --strict.
///
/// Examples:
///   cluster catalog lint
///   cluster catalog lint ollama postgres
///   cluster catalog lint --list
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Services; all of them by default
    #[arg(value_name = "SERVICE")]
    pub(super) services: Vec<String>,

    /// List the rules instead, each with a sentence
    #[arg(long, conflicts_with_all = ["services", "strict"])]
    pub(super) list: bool,

    /// Fail too when a rule could not be tried: without a sandbox, Ansible or the charts of other people
    #[arg(long)]
    pub(super) strict: bool,
}
