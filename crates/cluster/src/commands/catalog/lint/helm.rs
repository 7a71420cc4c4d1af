//! Helm, away from any cluster and from the user's own settings.

use super::program::{self, Said};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::Service;
use sandbox::KUBERNETES_MINOR;

/// Helm, and where it is run.
pub(super) struct Helm {
    pub(super) program: Utf8PathBuf,
    pub(super) root: Utf8PathBuf,
}

impl Helm {
    /// `helm template`, hooks too.
    pub(super) fn template(&self, service: &Service, release: &str, values: Option<&Utf8Path>) -> Result<Said, String> {
        let chart = absolute(&service.chart_folder);
        let namespace = format!("--namespace={}", service.namespace);
        let version = format!("--kube-version={KUBERNETES_MINOR}.0");
        self.run(["template", release, chart.as_str(), &namespace, &version], values)
    }

    /// `helm lint --strict`.
    pub(super) fn lint(&self, service: &Service, values: Option<&Utf8Path>) -> Result<Said, String> {
        let chart = absolute(&service.chart_folder);
        let namespace = format!("--namespace={}", service.namespace);
        self.run(["lint", "--strict", chart.as_str(), &namespace], values)
    }

    fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>, values: Option<&Utf8Path>) -> Result<Said, String> {
        let values = values.map(|path| format!("--values={}", absolute(path)));
        let arguments: Vec<_> = arguments.into_iter().map(str::to_owned).chain(values).collect();
        // A folder in which nothing lies.
        let nowhere = "/nonexistent";
        let places =
            ["KUBECONFIG", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map(|name| (name, nowhere));
        // It lives for a few milliseconds, one on each core: collecting its garbage is a fifth of its work.
        let settings: Vec<_> = places.into_iter().chain([("GOGC", "off"), ("GOMAXPROCS", "1")]).collect();
        let mut said = program::run(&self.program, &self.root, &arguments, &settings)?;
        said.stderr = without_noise(&said.stderr);
        said.stdout = if said.stdout.contains(NOISE) { without_noise(&said.stdout) } else { said.stdout };
        Ok(said)
    }
}

/// Helm's remark about the library chart, which is reached by a link.
const NOISE: &str = "found symbolic link in path";

fn without_noise(text: &str) -> String {
    text.lines().filter(|line| !line.contains(NOISE)).map(|line| format!("{line}\n")).collect()
}

fn absolute(path: &Utf8Path) -> Utf8PathBuf {
    camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned())
}
