//! What can be asked of the daemon and of an instance, as the files of keepalived's package declare it.

use std::sync::Arc;

use tracing::info;
use zbus::{Connection, fdo, interface, message::Header, object_server::SignalEmitter};

use super::{Errands, caller};
use crate::registry::{Registry, State};

/// Interface of the daemon itself.
pub(super) const VRRP: &str = "org.keepalived.Vrrp1.Vrrp";
/// Interface of an instance.
pub(super) const INSTANCE: &str = "org.keepalived.Vrrp1.Instance";

/// The daemon itself.
pub(super) struct Vrrp {
    errands: Arc<dyn Errands>,
}

impl Vrrp {
    pub(super) fn new(errands: &Arc<dyn Errands>) -> Self {
        Self { errands: Arc::clone(errands) }
    }
}

#[interface(name = "org.keepalived.Vrrp1.Vrrp")]
impl Vrrp {
    fn print_data(&self) {
        info!("D-Bus: the data are asked for");
        self.errands.print_data();
    }

    fn print_stats(&self) {
        info!("D-Bus: the statistics are asked for");
        self.errands.print_stats(false);
    }

    fn print_stats_clear(&self) {
        info!("D-Bus: the statistics are asked for, and to begin anew");
        self.errands.print_stats(true);
    }

    async fn reload_config(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
    ) {
        info!("D-Bus: a reload is asked for");
        self.errands.reload(caller::of(&header, connection).await);
    }

    #[zbus(signal)]
    async fn vrrp_started(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn vrrp_reloaded(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn vrrp_stopped(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// An instance.
pub(super) struct Instance {
    registry: Arc<Registry>,
    errands: Arc<dyn Errands>,
    name: String,
}

impl Instance {
    pub(super) fn new(registry: &Arc<Registry>, errands: &Arc<dyn Errands>, name: &str) -> Self {
        Self { registry: Arc::clone(registry), errands: Arc::clone(errands), name: name.to_owned() }
    }
}

#[interface(name = "org.keepalived.Vrrp1.Instance")]
impl Instance {
    fn send_garp(&self) {
        info!("D-Bus: ({}) is to announce its addresses", self.name);
        self.errands.announce(&self.name);
    }

    #[zbus(signal)]
    async fn vrrp_status_change(emitter: &SignalEmitter<'_>, status: u32) -> zbus::Result<()>;

    #[zbus(property(emits_changed_signal = "const"))]
    fn name(&self) -> &str {
        &self.name
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn state(&self) -> fdo::Result<(u32, &'static str)> {
        let topology = self.registry.topology();
        let row = topology.instances.iter().find(|row| row.config.name == self.name);
        let gone = || fdo::Error::UnknownObject("a reload has removed the instance".to_owned());
        let state = row.ok_or_else(gone)?.status().state;
        Ok((status(state), word(state)))
    }
}

/// keepalived's number of a state, in the property and in `VrrpStatusChange`.
pub(super) const fn status(state: State) -> u32 {
    match state {
        // The last two are no instance's.
        State::Init | State::Up | State::Down => 0,
        State::Backup => 1,
        State::Master => 2,
        State::Fault => 3,
        State::Deleted => 97,
        State::Stop => 98,
    }
}

/// How keepalived calls a state here.
const fn word(state: State) -> &'static str {
    match state {
        State::Init | State::Up | State::Down => "Init",
        State::Backup => "Backup",
        State::Master => "Master",
        State::Fault => "Fault",
        State::Deleted => "Deleted",
        State::Stop => "Stop",
    }
}
