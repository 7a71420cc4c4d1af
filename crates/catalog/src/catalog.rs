//! All services of a repository, read and checked together.

use crate::tree::{self, Node};
use crate::validate::validate;
use crate::{Chart, Error, Service, ServiceName, order, schema};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostic::{Mistake, Mistakes, Position, closest};
use std::collections::{BTreeMap, BTreeSet};

/// The services under `build/playbooks`, by name.
#[derive(Debug, Clone)]
pub struct Catalog {
    services: BTreeMap<ServiceName, Service>,
    charts: BTreeMap<ServiceName, Chart>,
}

/// A service with the document it came from, while it is being checked.
struct Loaded {
    service: Service,
    node: Node,
    file: String,
}

impl Catalog {
    /// Reads every `build/playbooks/*/service.yml` of the repository at `root`, and checks each and all together: names,
    /// requirements, cycles, phases, releases, and that playbook and chart are there.
    ///
    /// # Errors
    /// All mistakes at once, each with its place.
    pub fn load(root: &Utf8Path) -> Result<Self, Error> {
        let folder = display_path(root, "build/playbooks");
        if !folder.is_dir() {
            return Err(Error::NoCatalog { folder });
        }
        let mut mistakes = Mistakes::new();
        let mut loaded = Vec::new();
        for name in folders(&folder)? {
            match load_service(root, &folder.join(&name), &name) {
                Ok(Some(service)) => loaded.push(service),
                Ok(None) => {}
                Err(found) => mistakes.extend(found),
            }
        }
        let complete = mistakes.is_empty();
        let charts = read_charts(&loaded, &mut mistakes);
        check_together(&loaded, complete, &mut mistakes);
        mistakes.into_result()?;
        let services = loaded.into_iter().map(|loaded| (loaded.service.name.clone(), loaded.service)).collect();
        Ok(Self { services, charts })
    }

    /// Every service, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// How many services there are.
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The service of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.services.values().find(|service| service.name == *name)
    }

    /// The service of that name.
    ///
    /// # Errors
    /// Unknown, with the nearest name as hint.
    pub fn find(&self, name: &str) -> Result<&Service, Error> {
        self.get(name).ok_or_else(|| Error::UnknownService { name: name.to_owned(), nearest: self.nearest(name) })
    }

    /// Name and version of a service's chart.
    pub fn chart(&self, service: &Service) -> Option<&Chart> {
        self.charts.get(&service.name)
    }

    /// The services of those names in groups to be deployed one after another; the services of a group don't need each
    /// other. What they require is not added: see [`Catalog::with_requirements`].
    ///
    /// # Errors
    /// Every unknown name, with its nearest.
    pub fn order<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<Vec<&Service>>, Error> {
        let wanted = self.find_all(names)?.into_iter().map(|service| &service.name).collect();
        Ok(order::groups(self, &wanted))
    }

    /// The services of those names and everything that they require, in names' order.
    ///
    /// # Errors
    /// Every unknown name, with its nearest.
    pub fn with_requirements<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<&Service>, Error> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&ServiceName> = self.find_all(names)?.into_iter().map(|service| &service.name).collect();
        while let Some(name) = open.pop() {
            if found.insert(name) {
                open.extend(self.services.get(name).iter().flat_map(|service| &service.requires));
            }
        }
        Ok(found.into_iter().filter_map(|name| self.services.get(name)).collect())
    }

    fn find_all<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<&Service>, Error> {
        let (found, unknown): (Vec<_>, Vec<_>) =
            names.iter().map(|name| self.find(name.as_ref())).partition(Result::is_ok);
        let mut unknown: Vec<Error> = unknown.into_iter().filter_map(Result::err).collect();
        match unknown.len() {
            0 => Ok(found.into_iter().filter_map(Result::ok).collect()),
            1 => Err(unknown.remove(0)),
            _ => {
                let mut mistakes = Mistakes::new();
                mistakes.extend(unknown.iter().map(|error| {
                    let mistake = Mistake::new(error.to_string());
                    match diagnostic::Diagnose::hint(error) {
                        Some(hint) => mistake.hinted(hint),
                        None => mistake,
                    }
                }));
                Err(mistakes.into_result().err().unwrap_or_default().into())
            }
        }
    }

    fn nearest(&self, name: &str) -> Option<String> {
        closest(name, self.services.keys().map(ServiceName::as_str)).map(str::to_owned)
    }
}

/// `root/rest`, without the `./` that nobody types.
fn display_path(root: &Utf8Path, rest: &str) -> Utf8PathBuf {
    if root == "." || root == "" { rest.into() } else { root.join(rest) }
}

fn folders(path: &Utf8Path) -> Result<Vec<String>, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut names = Vec::new();
    for entry in path.read_dir_utf8().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() && !entry.file_name().starts_with('.') {
            names.push(entry.file_name().to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Nothing for a folder that holds no service (shared files, an empty folder that git left behind).
fn load_service(root: &Utf8Path, folder: &Utf8Path, name: &str) -> Result<Option<Loaded>, Mistakes> {
    let path = folder.join("service.yml");
    let has_playbook = folder.join("build.yml").is_file();
    if !path.exists() {
        return match has_playbook {
            true => Err(Mistake::new(format!("`{folder}` has a playbook but no `service.yml`"))
                .hinted("docs/reference/service.yml shows every key")
                .into()),
            false => Ok(None),
        };
    }
    let text = diagnostic::text("file", path.as_str(), std::fs::read(&path))?;
    let (mut service, node) = parse(&text, path.as_str())?;
    let at = |key: &str| node.get(key).unwrap_or(&node).position(path.as_str());
    let mut mistakes = Mistakes::new();
    if service.name != *name {
        mistakes.push(
            Mistake::at(at("name"), format!("service `{}` lies in folder `{name}`", service.name))
                .hinted(format!("write `name: {name}`, or rename the folder")),
        );
    }
    if !has_playbook {
        let message = format!("service `{}` has no playbook: `{folder}/build.yml` is missing", service.name);
        mistakes.push(Mistake::at(at("name"), message).hinted(MAKE_ONE));
    }
    service.chart_folder = display_path(root, "build/charts").join(service.chart_name());
    if !service.chart_folder.join("Chart.yaml").is_file() {
        let message =
            format!("service `{}` has no chart: `{}/Chart.yaml` is missing", service.name, service.chart_folder);
        let place = at(if service.chart.is_some() { "chart" } else { "name" });
        mistakes.push(Mistake::at(place, message).hinted(MAKE_ONE));
    }
    service.folder = folder.to_owned();
    mistakes.into_result()?;
    Ok(Some(Loaded { service, node, file: path.into_string() }))
}

/// How one gets all files of a service.
const MAKE_ONE: &str = "`cluster new` writes all files of a service; build/charts/README.md goes through them";

/// A `service.yml` by itself.
fn parse(text: &str, file: &str) -> Result<(Service, Node), Mistakes> {
    let node = Node::parse(text, file).map_err(|mistake| *mistake)?;
    validate(&node, schema::schema(), file).into_result()?;
    // The schema says all that serde would; this is only reached with a document that fits.
    let service = serde_saphyr::from_str(text).map_err(|error| tree::mistake(&error, file))?;
    Ok((service, node))
}

fn read_charts(loaded: &[Loaded], mistakes: &mut Mistakes) -> BTreeMap<ServiceName, Chart> {
    let mut charts = BTreeMap::new();
    for loaded in loaded {
        match Chart::read(&loaded.service.chart_folder) {
            Ok(chart) => {
                charts.insert(loaded.service.name.clone(), chart);
            }
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    charts
}

/// What only shows when all services are known. When some could not be read (`complete` is false), a requirement that seems
/// unknown may be one of those, and is not told.
fn check_together(loaded: &[Loaded], complete: bool, mistakes: &mut Mistakes) {
    let services: BTreeMap<_, _> =
        loaded.iter().map(|loaded| (loaded.service.name.clone(), loaded.service.clone())).collect();
    let mut in_cycle = BTreeSet::new();
    for Loaded { service, node, file } in loaded {
        let items = node.get("requires").map(Node::items).unwrap_or_default();
        for (required, item) in service.requires.iter().zip(items) {
            match services.get(required) {
                None if complete => mistakes.push(unknown_requirement(&services, required, item.position(file))),
                Some(other) if other.phase > service.phase => {
                    mistakes.push(later_phase(service, other, item.position(file)))
                }
                _ => {}
            }
        }
        if !in_cycle.contains(&service.name)
            && let Some(cycle) = order::cycle(&services, &service.name)
        {
            let path = cycle.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" requires ");
            let place = node.get("requires").unwrap_or(node).position(file);
            mistakes.push(Mistake::at(place, format!("the requirements go round in a circle: {path}")));
            in_cycle.extend(cycle);
        }
    }
    check_releases(loaded, mistakes);
}

fn unknown_requirement(services: &BTreeMap<ServiceName, Service>, name: &ServiceName, place: Position) -> Mistake {
    let mistake = Mistake::at(place, format!("required service `{name}` does not exist"));
    match closest(name.as_str(), services.keys().map(ServiceName::as_str)) {
        Some(nearest) => mistake.hinted(format!("did you mean `{nearest}`?")),
        None => {
            let names = services.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            mistake.hinted(format!("the services are {names}"))
        }
    }
}

fn later_phase(service: &Service, required: &Service, place: Position) -> Mistake {
    let message = format!(
        "`{}` of phase {} can't require `{}` of the later phase {}",
        service.name, service.phase, required.name, required.phase
    );
    Mistake::at(place, message)
}

/// Two services with one release would overwrite each other.
fn check_releases(loaded: &[Loaded], mistakes: &mut Mistakes) {
    let mut taken: BTreeMap<(String, String), &ServiceName> = BTreeMap::new();
    for Loaded { service, node, file } in loaded {
        let release = (service.namespace.clone(), service.release_name());
        if let Some(other) = taken.get(&release) {
            let place = node.get("release").or(node.get("name")).unwrap_or(node).position(file);
            let message =
                format!("release `{}` in namespace `{}` belongs to service `{other}` already", release.1, release.0);
            mistakes.push(Mistake::at(place, message).hinted("give one of them another `release`"));
        } else {
            taken.insert(release, &service.name);
        }
    }
}
