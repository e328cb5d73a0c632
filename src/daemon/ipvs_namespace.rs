//! Where IPVS is: its table and its daemons may be in another network namespace than everything else.

use std::path::{Path, PathBuf};

use crate::config::{NAMESPACES, settings::ProcessSettings};

/// `net_namespace_ipvs NAME`; without a name that of process 1, which is the one that everything was started in. `None` where
/// the daemon is.
pub(super) fn of(process: &ProcessSettings) -> Option<PathBuf> {
    let words = process.net_namespace_ipvs.as_ref()?;
    let named = words.iter().next().map(|name| Path::new(NAMESPACES).join(name));
    Some(named.unwrap_or_else(|| PathBuf::from("/proc/1/ns/net")))
}
