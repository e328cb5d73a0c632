//! What the configuration and the command line ask of the subagent.

use agentx::MasterAddress;
use tracing::error;

use crate::{cli, config::Global, snmp::Parts};

/// How the subagent is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Setup {
    /// Where the master listens.
    pub(super) master: MasterAddress,
    /// What is served there.
    pub(super) parts: Parts,
    /// The SNMP context that it is served in (`snmp_context`); empty for the default one.
    pub(super) context: String,
    /// Whether notifications are sent (`enable_traps`).
    pub(super) traps: bool,
}

impl Setup {
    /// Whether notifications are sent with this set-up.
    pub(in crate::daemon) fn notifies(setup: Option<&Self>) -> bool {
        setup.is_some_and(|setup| setup.traps)
    }
}

/// What the command line asks for, whatever the configuration comes to.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Flags {
    /// `-x`: everything is served.
    all: bool,
    /// `-A`: the address that counts.
    socket: Option<String>,
}

impl Flags {
    /// Of this command line.
    pub(in crate::daemon) fn new(arguments: &cli::Arguments) -> Self {
        Self { all: arguments.snmp, socket: arguments.snmp_agent_socket.clone() }
    }

    /// What is to be served with this configuration, to whomever.
    pub(in crate::daemon) fn parts(&self, global: &Global) -> Parts {
        if self.all { Parts::ALL } else { Parts::of(global) }
    }

    /// The set-up with this configuration; `None` when neither asks for SNMP. An address that makes no sense is logged, and
    /// VRRP runs without SNMP: no output may stop it.
    pub(in crate::daemon) fn setup(&self, global: &Global) -> Option<Setup> {
        let parts = self.parts(global);
        if !parts.any() {
            return None;
        }
        let socket = self.socket.as_ref().or(global.snmp_socket.as_ref());
        match socket.map_or(Ok(MasterAddress::default()), |socket| socket.parse()) {
            Ok(master) => {
                let context = global.settings.snmp_context.as_deref().unwrap_or_default().to_owned();
                Some(Setup { master, parts, context, traps: global.enable_traps })
            }
            Err(error) => {
                error!("snmp_socket {error}; KEEPALIVED-MIB is not served until it is corrected");
                None
            }
        }
    }
}
