//! The templates, with delimiters of their own so that Helm's and Ansible's braces stay what they are: `<< value >>`, `<% if … %>`.

use super::check::only;
use super::scalar::scalar;
use super::wanted::{Egress, Kind, SecretVariable, Server, Upstream, Wanted, What};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

/// Renders templates for one service.
pub(super) struct Renderer {
    environment: Environment<'static>,
    values: Value,
}

impl Renderer {
    /// For this service.
    pub(super) fn new(wanted: &Wanted) -> Self {
        let mut environment = Environment::new();
        environment.set_syntax(syntax());
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("scalar", |text: String| scalar(&text));
        environment.add_filter("capitalized", |text: String| capitalized(&text));
        environment.add_filter("sentence", |text: String| sentence(&text));
        Self { environment, values: values(wanted) }
    }

    /// A template's text.
    pub(super) fn render(&self, template: &str) -> String {
        let rendered = self.environment.render_str(template, self.values.clone());
        rendered.unwrap_or_else(|error| panic!("a test renders every template of this program: {error:#}"))
    }
}

fn syntax() -> SyntaxConfig {
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("<<", ">>")
        .block_delimiters("<%", "%>")
        .comment_delimiters("<#", "#>")
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    syntax.expect("these delimiters differ from each other")
}

/// Everything that the templates name.
fn values(wanted: &Wanted) -> Value {
    let common = context! {
        name => wanted.name.as_str(),
        release => wanted.name.dns_label(),
        namespace => wanted.namespace.clone(),
        // As kubectl and Helm want it; `default` need not be said.
        in_namespace => if wanted.namespace == "default" { String::new() } else { format!(" -n {}", wanted.namespace) },
        summary => wanted.summary.clone(),
        category => wanted.category.clone(),
        phase => wanted.phase.to_string(),
        requires => strings(&wanted.requires),
        architectures => strings(&wanted.architectures),
        only_architecture => only(&wanted.architectures).map(|one| one.to_string()),
    };
    let own = match &wanted.what {
        What::Image(server) => of_server(server),
        What::Chart(upstream) => of_upstream(upstream),
    };
    context! { ..own, ..common }
}

fn of_server(server: &Server) -> Value {
    let (kind, template) = match server.kind {
        Kind::Deployment => ("Deployment", "common.deployment"),
        Kind::StatefulSet => ("StatefulSet", "common.statefulSet"),
    };
    context! {
        upstream => false,
        crds => false,
        repository => server.image.repository.clone(),
        tag => server.image.tag.clone(),
        digest => server.image.digest.clone(),
        port => server.port,
        // What listens below 1024 here would need root on the laptop.
        local_port => if server.port < 1024 { server.port + 8000 } else { server.port },
        port_name => if server.health.is_some() { "http" } else { "tcp" },
        health => server.health.clone(),
        kind => kind,
        workload_template => template,
        headless => server.kind == Kind::StatefulSet,
        // Pods can't share a volume that one node at a time mounts.
        scales => server.kind == Kind::Deployment && server.volume.is_none(),
        storage => server.volume.as_ref().map(|volume| volume.size.clone()),
        mount => server.volume.as_ref().map(|volume| volume.mount.clone()),
        user => server.user,
        secrets => server.secrets.iter().map(secret).collect::<Vec<_>>(),
        egress => server.egress.iter().map(egress).collect::<Vec<_>>(),
    }
}

fn of_upstream(upstream: &Upstream) -> Value {
    context! {
        upstream => true,
        crds => upstream.crds,
        repository => upstream.repository.clone(),
        chart => upstream.chart.clone(),
        version => upstream.version.clone(),
        tag => upstream.version.clone(),
        port => (),
        health => (),
        secrets => Vec::<Value>::new(),
    }
}

fn strings(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn secret(secret: &SecretVariable) -> Value {
    context! { variable => secret.variable.clone(), key => secret.key.clone() }
}

fn egress(egress: &Egress) -> Value {
    context! { app => egress.app.clone(), ports => egress.ports.clone() }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{}{end}", capitalized(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("hub for events", "Hub for events.")]
    #[case("Done!", "Done!")]
    #[case("", ".")]
    fn summaries_become_sentences(#[case] text: &str, #[case] written: &str) {
        assert_eq!(sentence(text), written);
    }
}
