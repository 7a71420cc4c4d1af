//! What `cluster new` takes. Values are texts here, so that everything wrong in them is told at once, by [`super::check`].

use clap::builder::PossibleValuesParser;

/// What is said of an image; a chart of somebody else says it itself.
const IMAGE_OPTIONS: [&str; 9] = ["image", "port", "kind", "storage", "mount", "health", "user", "vault", "secret_env"];

/// Write a new service: playbook, chart, values and tests, ready to be deployed.
///
/// What is missing is asked for at a terminal. Nothing that exists is overwritten.
///
/// Examples:
///   cluster new
///   cluster new cache --image redis:7.4.11-bookworm --port 6379 --kind statefulset --storage 2Gi
///   cluster new notes --image example/notes:1.2.3 --port 8080 --health /health --requires postgres
///   cluster new hub --image example/hub:1.0 --port 8080 --secret-env HUB_TOKEN --check
///   cluster new gate --from-chart https://charts.example.org/gate@1.2.3 --namespace gate
#[derive(Debug, Clone, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// What it is to be called: lower-case letters, digits, hyphens and dots
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,

    /// The container image with its version, and with its digest where you know it: REPOSITORY:TAG[@sha256:…]
    #[arg(long, value_name = "IMAGE")]
    pub(super) image: Option<String>,

    /// The port that the program listens on
    #[arg(long, value_name = "N")]
    pub(super) port: Option<String>,

    /// A Deployment, or a StatefulSet for what keeps data by itself; by default a Deployment
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(["deployment", "statefulset"]))]
    pub(super) kind: Option<String>,

    /// Size of a volume for its data, such as 2Gi
    #[arg(long, value_name = "SIZE")]
    pub(super) storage: Option<String>,

    /// Where the program has its data; by default /data
    #[arg(long, value_name = "PATH")]
    pub(super) mount: Option<String>,

    /// A path that answers 200 over HTTP when it is well; without it the port only has to take connections
    #[arg(long, value_name = "PATH")]
    pub(super) health: Option<String>,

    /// The user and group, by number, that the program runs as; by default 1000
    #[arg(long, value_name = "UID")]
    pub(super) user: Option<String>,

    /// It has encrypted configuration, cfg.enc; without --secret-env its one key is `token`, in the variable NAME_TOKEN
    #[arg(long)]
    pub(super) vault: bool,

    /// An environment variable whose value comes from the encrypted configuration; may be given several times
    #[arg(long, value_name = "VARIABLE", value_delimiter = ',')]
    pub(super) secret_env: Vec<String>,

    /// The chart of somebody else, with its version: REPOSITORY/CHART@VERSION, the repository https://… or oci://…; it is fetched at the
    /// first deployment
    #[arg(long, value_name = "CHART", conflicts_with_all = IMAGE_OPTIONS)]
    pub(super) from_chart: Option<String>,

    /// That chart brings custom resource definitions: they are applied before it, at upgrades too
    #[arg(long, requires = "from_chart")]
    pub(super) crds: bool,

    /// What it is, in half a line
    #[arg(long, value_name = "TEXT")]
    pub(super) summary: Option<String>,

    /// What it belongs to in lists: ai, database, messaging, monitoring, networking, web, …
    #[arg(long, value_name = "WORD")]
    pub(super) category: Option<String>,

    /// When it is deployed; by default with the applications
    #[arg(long, value_name = "PHASE", value_parser = PossibleValuesParser::new(["infrastructure", "core", "application"]))]
    pub(super) phase: Option<String>,

    /// The namespace that it is deployed to
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    pub(super) namespace: String,

    /// Services that must run before it; may be given several times
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    pub(super) requires: Vec<String>,

    /// Processors that the image exists for; by default what build/images.yml knows of it, else both
    #[arg(long, value_name = "ARCH", value_delimiter = ',', value_parser = PossibleValuesParser::new(["amd64", "arm64"]))]
    pub(super) arch: Vec<String>,

    /// Say which files would be written, and write none
    #[arg(short = 'C', long)]
    pub(super) check: bool,
}
