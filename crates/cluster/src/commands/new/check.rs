//! Everything that was said, checked against itself and against what is there: all mistakes at once, before anything is written.

use super::args::Args;
use super::facts::{self, Known};
use super::fields;
use super::wanted::{Egress, ImageName, Kind, SecretVariable, Server, Upstream, Volume, Wanted, What};
use crate::config::shown_folder;
use crate::exit::{Result, boxed};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::lint::Images;
use catalog::{Architecture, Catalog, Phase, Probe, Service, ServiceName};
use diagnostic::{Mistake, Mistakes, closest};

/// Where a plain program has its data.
pub(super) const DEFAULT_MOUNT: &str = "/data";

/// No user of the image, nobody of the machine: what charts take when an image says nothing.
const DEFAULT_USER: u32 = 1000;

/// What is there already.
pub(super) struct Surroundings {
    pub(super) root: Utf8PathBuf,
    pub(super) catalog: Catalog,
    pub(super) images: Images,
}

impl Surroundings {
    /// Reads the catalogue and the facts on images; a mistake in them has to be mended first.
    pub(super) fn read(root: Utf8PathBuf) -> Result<Self> {
        let catalog = Catalog::load(&shown_folder(&root)).map_err(boxed)?;
        let images = Images::load(&root).map_err(boxed)?;
        Ok(Self { root, catalog, images })
    }

    /// The folder of a service's playbook.
    pub(super) fn playbook(&self, name: &ServiceName) -> Utf8PathBuf {
        self.root.join("build/playbooks").join(name.as_str())
    }

    /// The folder of its chart.
    pub(super) fn chart(&self, name: &ServiceName) -> Utf8PathBuf {
        self.root.join("build/charts").join(name.as_str())
    }

    /// A name that is good and not taken.
    pub(super) fn free_name(&self, text: &str, namespace: &str) -> std::result::Result<ServiceName, Mistake> {
        let name = fields::name(text)?;
        if self.catalog.get(name.as_str()).is_some() {
            let hint = format!("choose another name; `cluster catalog show {name}` shows that service");
            return Err(Mistake::new(format!("service `{name}` exists already")).hinted(hint));
        }
        let folders = [self.playbook(&name), self.chart(&name)];
        // A link that leads nowhere is there, too.
        if let Some(folder) = folders.iter().find(|folder| folder.symlink_metadata().is_ok()) {
            let folder = shown(&self.root, folder);
            let hint = "choose another name, or remove it if it is left over";
            return Err(Mistake::new(format!("`{folder}` exists already")).hinted(hint));
        }
        let taken = |service: &&Service| service.release_name() == name.dns_label() && service.namespace == namespace;
        if let Some(other) = self.catalog.iter().find(taken) {
            let message =
                format!("release `{}` of service `{}` would be called the same", name.dns_label(), other.name);
            return Err(Mistake::new(message).hinted("choose another name"));
        }
        Ok(name)
    }

    /// The required services, each of which exists and comes early enough.
    fn required(&self, names: &[String], phase: Phase, mistakes: &mut Mistakes) -> Vec<&Service> {
        let mut found = Vec::new();
        for name in names {
            match self.catalog.get(name) {
                Some(service) if service.phase > phase => {
                    let message = format!(
                        "a service of phase {phase} can't require `{name}` of the later phase {}",
                        service.phase
                    );
                    mistakes.push(Mistake::new(message).hinted(format!("`--phase {}`", service.phase)));
                }
                Some(service) => found.push(service),
                None => {
                    let names = self.catalog.iter().map(|service| service.name.as_str());
                    let mistake = Mistake::new(format!("required service `{name}` does not exist"));
                    mistakes.push(match closest(name, names) {
                        Some(nearest) => mistake.hinted(format!("did you mean `{nearest}`?")),
                        None => mistake.hinted("`cluster catalog list` shows all services"),
                    });
                }
            }
        }
        found
    }
}

/// A path as one writes it in the project.
pub(super) fn shown<'p>(root: &Utf8Path, path: &'p Utf8Path) -> &'p Utf8Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// The service that the arguments describe.
pub(super) fn check(args: &Args, surroundings: &Surroundings) -> std::result::Result<Wanted, Mistakes> {
    let mut mistakes = Mistakes::new();
    mistakes.extend(missing(args));
    let mut said = Said(&mut mistakes);
    let namespace = said.take(Some(&args.namespace), fields::namespace);
    let name = said.take(args.name.as_deref(), |text| surroundings.free_name(text, &args.namespace));
    let summary = said.take(args.summary.as_deref(), fields::summary);
    let category = said.take(args.category.as_deref(), fields::category);
    let phase = phase(args.phase.as_deref());
    let requires = surroundings.required(&args.requires, phase, &mut mistakes);
    let runs = match &args.from_chart {
        Some(chart) => upstream(chart, args, &mut mistakes),
        None => server(args, name.as_ref(), &requires, surroundings, &mut mistakes),
    };
    mistakes.into_result()?;
    let (Some(name), Some(namespace), Some(runs)) = (name, namespace, runs) else {
        unreachable!("what is missing is a mistake")
    };
    Ok(Wanted {
        summary: summary.unwrap_or_else(|| default_summary(&runs.what)),
        category: category.unwrap_or_else(|| default_category(&runs.what).to_owned()),
        name,
        phase,
        requires: requires.iter().map(|service| service.name.clone()).collect(),
        architectures: runs.architectures,
        namespace,
        what: runs.what,
        new_facts: runs.new_facts,
    })
}

/// What runs, and where it can.
struct Runs {
    what: What,
    architectures: Vec<Architecture>,
    new_facts: Option<String>,
}

fn upstream(chart: &str, args: &Args, mistakes: &mut Mistakes) -> Option<Runs> {
    let upstream = Said(mistakes).take(Some(chart), fields::chart)?;
    let what = What::Chart(Upstream { crds: args.crds, ..upstream });
    Some(Runs { what, architectures: facts::said_or_all(&args.arch), new_facts: None })
}

fn server(
    args: &Args,
    name: Option<&ServiceName>,
    requires: &[&Service],
    surroundings: &Surroundings,
    mistakes: &mut Mistakes,
) -> Option<Runs> {
    let mut said = Said(mistakes);
    let image = said.take(args.image.as_deref(), fields::image);
    let port = said.take(args.port.as_deref(), fields::port);
    let health = said.take(args.health.as_deref(), fields::health);
    let user = said.take(args.user.as_deref(), fields::user).unwrap_or(DEFAULT_USER);
    let secrets = said.secrets(args, name);
    let volume = said.volume(args);
    let image = image?;
    let known = facts::of(&image, &args.arch, &surroundings.images);
    let known = known.map_err(|found| mistakes.extend(found)).ok()?;
    let (architectures, new_facts) = (known.architectures.clone(), known.entry(&image));
    let kind = if args.kind.as_deref() == Some("statefulset") { Kind::StatefulSet } else { Kind::Deployment };
    let egress = requires.iter().filter_map(|service| egress(service)).collect();
    let image = pinned(image, &known);
    let server = Server { image, port: port?, kind, volume, health, user, secrets, egress };
    Some(Runs { what: What::Image(Box::new(server)), architectures, new_facts })
}

fn default_summary(what: &What) -> String {
    match what {
        What::Image(server) => format!("what the image {} serves", server.image.repository),
        What::Chart(upstream) => format!("what the chart {} installs", upstream.chart),
    }
}

fn default_category(what: &What) -> &'static str {
    match what {
        What::Image(server) if server.health.is_some() => "web",
        _ => "other",
    }
}

/// The digest that is known is the one that is wanted.
fn pinned(image: ImageName, known: &Known) -> ImageName {
    ImageName { digest: known.digest.clone().unwrap_or_default(), ..image }
}

fn phase(text: Option<&str>) -> Phase {
    let named = Phase::ALL.into_iter().find(|phase| Some(phase.to_string().as_str()) == text);
    named.unwrap_or(Phase::Application)
}

/// What can't be done without.
fn missing(args: &Args) -> Option<Mistake> {
    let of_image = args.from_chart.is_none();
    let needed = [
        (true, "NAME", &args.name, "NAME"),
        (of_image, "--image", &args.image, "--image REPOSITORY:TAG"),
        (of_image, "--port", &args.port, "--port N"),
    ];
    let needed = needed.iter().filter(|(is_needed, ..)| *is_needed);
    let missing: Vec<_> = needed.clone().filter(|(_, _, given, _)| given.is_none()).collect();
    if missing.is_empty() {
        return None;
    }
    let example: Vec<_> = needed
        .map(|(_, name, given, example)| match given {
            Some(given) if *name == "NAME" => given.clone(),
            Some(given) => format!("{name} {given}"),
            None => (*example).to_owned(),
        })
        .collect();
    let names: Vec<_> = missing.iter().map(|(_, name, ..)| format!("`{name}`")).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let hint = format!("run `cluster new` in a terminal to be asked, or give all: cluster new {}", example.join(" "));
    Some(Mistake::new(format!("{} {verb} missing", names.join(", "))).hinted(hint))
}

/// Answers are taken one by one; what is wrong in them is gathered.
struct Said<'m>(&'m mut Mistakes);

impl Said<'_> {
    fn take<T>(&mut self, given: Option<&str>, check: impl Fn(&str) -> std::result::Result<T, Mistake>) -> Option<T> {
        check(given?).map_err(|mistake| self.0.push(mistake)).ok()
    }

    fn volume(&mut self, args: &Args) -> Option<Volume> {
        let size = self.take(args.storage.as_deref(), fields::size);
        let mount = self.take(Some(args.mount.as_deref().unwrap_or(DEFAULT_MOUNT)), fields::mount);
        if args.mount.is_some() && args.storage.is_none() {
            let message = "`--mount` says where a volume goes, and there is none";
            self.0.push(Mistake::new(message).hinted("give its size: `--storage 1Gi`"));
        }
        Some(Volume { size: size?, mount: mount? })
    }

    fn secrets(&mut self, args: &Args, name: Option<&ServiceName>) -> Vec<SecretVariable> {
        let given: Vec<_> = args.secret_env.iter().filter_map(|text| self.take(Some(text), fields::secret)).collect();
        for (index, secret) in given.iter().enumerate() {
            if given[..index].iter().any(|earlier| earlier.key == secret.key) {
                self.0.push(Mistake::new(format!("variable `{}` is named twice", secret.variable)));
            }
        }
        match name {
            Some(name) if args.vault && args.secret_env.is_empty() => {
                let variable = format!("{}_TOKEN", name.dns_label().replace('-', "_").to_uppercase());
                vec![SecretVariable { variable, key: "token".to_owned() }]
            }
            _ => given,
        }
    }
}

/// The ports that a required service is verified at are those that others reach it at.
fn egress(service: &Service) -> Option<Egress> {
    let mut ports: Vec<u16> = service.verify.iter().filter_map(port_of).collect();
    ports.sort_unstable();
    ports.dedup();
    (!ports.is_empty()).then(|| Egress { app: service.name.dns_label(), ports })
}

fn port_of(probe: &Probe) -> Option<u16> {
    match probe {
        Probe::Http { port, .. } | Probe::Tcp { port, .. } => Some(*port),
        Probe::Exec(_) => None,
    }
}

/// The architecture, when there is only one.
pub(super) fn only(architectures: &[Architecture]) -> Option<Architecture> {
    match architectures {
        [one] => Some(*one),
        _ => None,
    }
}
