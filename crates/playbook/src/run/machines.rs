//! The machines of a run: each is connected to once, when the first task needs it.

use super::fault::Fault;
use remote::{Machine, Transport};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Open connections, by the host's name and the way to it.
#[derive(Default)]
pub(crate) struct Machines {
    open: Mutex<HashMap<String, Vec<Open>>>,
}

/// A way to a machine, and the connection once it is there.
type Open = (Transport, Arc<OnceCell<Machine>>);

impl Machines {
    /// The machine, connected.
    pub(crate) async fn get(&self, host: &str, transport: &Transport) -> Result<Machine, Fault> {
        let cell = self.cell(host, transport);
        let connect = || Machine::connect(host, transport.clone());
        cell.get_or_try_init(connect).await.cloned().map_err(|error| Fault::machine(&error))
    }

    fn cell(&self, host: &str, transport: &Transport) -> Arc<OnceCell<Machine>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = open.entry(host.to_owned()).or_default();
        if let Some((_, cell)) = ways.iter().find(|(known, _)| known == transport) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(OnceCell::new());
        ways.push((transport.clone(), Arc::clone(&cell)));
        cell
    }

    /// Closes a host's connections (`meta: reset_connection`); the next task connects anew.
    pub(crate) async fn reset(&self, host: &str) {
        let ways = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
        close(ways.unwrap_or_default()).await;
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        futures::future::join_all(open.into_values().map(close)).await;
    }
}

async fn close(ways: Vec<Open>) {
    for (_, cell) in ways {
        if let Some(machine) = Arc::into_inner(cell).and_then(OnceCell::into_inner) {
            machine.close().await;
        }
    }
}
