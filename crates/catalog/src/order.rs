//! In which order services are deployed: by phase, and within a phase what is required first.

use crate::{Catalog, Service, ServiceName};
use std::collections::{BTreeMap, BTreeSet};

/// The groups of a deployment in order; the services of one group don't need each other.
pub(crate) fn groups<'a>(catalog: &'a Catalog, wanted: &BTreeSet<&ServiceName>) -> Vec<Vec<&'a Service>> {
    let mut groups: BTreeMap<_, Vec<&Service>> = BTreeMap::new();
    for service in catalog.iter().filter(|service| wanted.contains(&service.name)) {
        groups.entry((service.phase, depth(catalog, service))).or_default().push(service);
    }
    groups.into_values().collect()
}

/// The longest chain of requirements below a service. Also through services that are not deployed now, so that the order is
/// the same whichever are.
fn depth(catalog: &Catalog, service: &Service) -> usize {
    let requirements = service.requires.iter().filter_map(|name| catalog.get(name.as_str()));
    requirements.map(|required| 1 + depth(catalog, required)).max().unwrap_or(0)
}

/// The first cycle of requirements that goes through `start`: `a`, `b`, `a`.
pub(crate) fn cycle(services: &BTreeMap<ServiceName, Service>, start: &ServiceName) -> Option<Vec<ServiceName>> {
    let mut path = vec![start.clone()];
    let mut seen = BTreeSet::new();
    find_back(services, start, &mut path, &mut seen).then_some(path)
}

fn find_back(
    services: &BTreeMap<ServiceName, Service>,
    start: &ServiceName,
    path: &mut Vec<ServiceName>,
    seen: &mut BTreeSet<ServiceName>,
) -> bool {
    let Some(service) = path.last().and_then(|name| services.get(name)) else { return false };
    for required in &service.requires {
        if required == start {
            path.push(required.clone());
            return true;
        }
        if seen.insert(required.clone()) {
            path.push(required.clone());
            if find_back(services, start, path, seen) {
                return true;
            }
            path.pop();
        }
    }
    false
}
