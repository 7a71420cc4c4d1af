//! Which services, in which order, by which playbooks.

use super::args::Args;
use crate::exit::{Result, boxed};
use camino::Utf8PathBuf;
use catalog::{Catalog, Service};

/// One service of the run.
pub(super) struct Item {
    pub(super) service: Service,
    /// Its playbook, as the user would name it.
    pub(super) path: Utf8PathBuf,
}

/// The services in the order of their phases and of what they require.
pub(super) fn locate(catalog: &Catalog, args: &Args) -> Result<Vec<Item>> {
    let all = || catalog.iter().map(|service| service.name.to_string()).collect();
    let names: Vec<String> = if args.all { all() } else { args.services.clone() };
    let ordered = catalog.order(&names).map_err(boxed)?;
    let item = |service: &Service| Item { service: service.clone(), path: crate::config::shown(&service.playbook()) };
    Ok(ordered.into_iter().flatten().map(item).collect())
}
