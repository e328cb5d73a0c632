//! Keys of the configuration, kept from others.

use tracing::{debug, warn};

use crate::{
    config::{Auth, Config, Instance},
    kernel::schedule,
};

/// From the first configuration on that has keys in it no file of the memory is written when the process crashes, and no program
/// of the same user looks into it.
pub(super) fn keep(config: &Config) {
    if !has_keys(config) {
        return;
    }
    match schedule::forbid_dumps() {
        Ok(()) => debug!("The configuration has keys: files of the memory are forbidden"),
        Err(error) => {
            warn!("{error}: keys of the configuration may be seen by others when the daemon crashes");
        }
    }
}

fn has_keys(config: &Config) -> bool {
    let signs = |instance: &Instance| !matches!(instance.auth, Auth::None);
    config.instances.iter().any(signs) || config.snmp_agent.is_some() || config.snmp_notify.is_some()
}
