//! One connection to the bus: the daemon's name, its objects, and the signals that leave it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use tracing::warn;
use zbus::{
    Connection,
    connection::Builder,
    fdo::{RequestNameFlags, RequestNameReply},
};

use super::{
    Errands,
    objects::{INSTANCE, Instance, VRRP, Vrrp},
    path,
};
use crate::registry::{Registry, Topology};

/// Where the daemon itself is.
const ROOT: &str = "/org/keepalived/Vrrp1/Vrrp";

/// A connection.
pub(super) struct Station {
    connection: Connection,
    /// What is shown is of this one.
    topology: Arc<Topology>,
    /// Names of the instances that are shown, by path.
    shown: BTreeMap<String, String>,
}

impl Station {
    /// Connects to the system bus (`DBUS_SYSTEM_BUS_ADDRESS`) and shows what there is.
    pub(super) async fn open(
        registry: &Arc<Registry>,
        errands: &Arc<dyn Errands>,
        no_interface: &str,
    ) -> zbus::Result<Self> {
        let connection = Builder::system().serve_at(ROOT, Vrrp::new(errands)).build().await?;
        let topology = registry.topology();
        let mut station = Self { connection, topology: Arc::clone(&topology), shown: BTreeMap::new() };
        station.show(&topology, (registry, errands), no_interface).await?;
        Ok(station)
    }

    /// Asks for a name. Returns what stands in the way of having it; all else works without one.
    ///
    /// # Errors
    /// When the bus is gone.
    pub(super) async fn take_name(&self, name: &str) -> zbus::Result<Option<String>> {
        match self.connection.request_name_with_flags(name, RequestNameFlags::empty()).await {
            Ok(RequestNameReply::InQueue | RequestNameReply::Exists) => {
                Ok(Some(format!("another program has the name {name}")))
            }
            Ok(_) => Ok(None),
            Err(error @ zbus::Error::InputOutput(_)) => Err(error),
            Err(error) => Ok(Some(format!("the name {name}: {error}"))),
        }
    }

    /// Whether the bus is gone; pending while it is not.
    pub(super) async fn closed(&self) {
        self.connection.closed().await;
    }

    /// Shows the instances that there are now, and no other.
    pub(super) async fn follow(
        &mut self,
        (registry, errands): (&Arc<Registry>, &Arc<dyn Errands>),
        no_interface: &str,
    ) -> zbus::Result<()> {
        let topology = registry.topology();
        if Arc::ptr_eq(&topology, &self.topology) {
            return Ok(());
        }
        self.topology = Arc::clone(&topology);
        self.show(&topology, (registry, errands), no_interface).await
    }

    async fn show(
        &mut self,
        topology: &Topology,
        (registry, errands): (&Arc<Registry>, &Arc<dyn Errands>),
        no_interface: &str,
    ) -> zbus::Result<()> {
        let server = self.connection.object_server();
        let mut wanted = BTreeMap::new();
        for row in &topology.instances {
            let (name, path) = (row.config.name.clone(), path::of(&row.config, no_interface));
            if let Some(first) = wanted.get(&path) {
                warn!("D-Bus: ({name}) is not shown, {path} is ({first})");
            } else {
                wanted.insert(path, name);
            }
        }
        for (path, _) in self.shown.extract_if(.., |path, name| wanted.get(path) != Some(name)) {
            server.remove::<Instance, _>(path).await?;
        }
        for (path, name) in wanted {
            if let Entry::Vacant(place) = self.shown.entry(path) {
                server.at(place.key().as_str(), Instance::new(registry, errands, &name)).await?;
                place.insert(name);
            }
        }
        Ok(())
    }

    /// A signal of the daemon itself.
    pub(super) async fn tell_all(&self, member: &str) -> zbus::Result<()> {
        self.connection.emit_signal(None::<&str>, ROOT, VRRP, member, &()).await
    }

    /// `VrrpStatusChange` of the instance at that path.
    pub(super) async fn tell_status(&self, path: &str, status: u32) -> zbus::Result<()> {
        self.connection.emit_signal(None::<&str>, path, INSTANCE, "VrrpStatusChange", &(status,)).await
    }

    /// Hangs up; what was sent arrives.
    pub(super) async fn close(self) {
        // A bus that is gone is no loss now.
        let _ = self.connection.close().await;
    }
}
