//! What a service requires and nobody has deployed: worth a warning, since the service may come up and still not work.

use super::destination::Destination;
use super::locate::Item;
use crate::context::Context;
use crate::exit::{Result, boxed};
use crate::output::DeployEvent;
use catalog::{Catalog, Service};

/// Warns of every requirement that is neither part of this run nor released.
pub(super) async fn warn(
    catalog: &Catalog,
    items: &[Item],
    destination: &Destination,
    context: &Context,
) -> Result<()> {
    for item in items {
        for required in required_elsewhere(catalog, &item.service, items) {
            let release = required.release_name();
            let cluster = &destination.connection.cluster;
            if cluster.release(&required.namespace, &release).await.map_err(boxed)?.is_none() {
                let (service, required) = (&item.service.name, &required.name);
                let command = context.command(&format!("deploy {required}"));
                let message = format!("`{service}` requires `{required}`, which is not deployed: `{command}`");
                context.output.event(DeployEvent::Warning { message });
            }
        }
    }
    Ok(())
}

fn required_elsewhere<'c>(catalog: &'c Catalog, service: &Service, items: &[Item]) -> Vec<&'c Service> {
    let is_here = |service: &Service| items.iter().any(|item| item.service.name == service.name);
    let required = service.requires.iter().filter_map(|name| catalog.get(name.as_str()));
    required.filter(|service| !is_here(service)).collect()
}
