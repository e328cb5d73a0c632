//! net-snmp: the agent with its AgentX socket, the trap receiver, and the command line tools.
//!
//! Every daemon has files of its own in its host's directory; no configuration of the machine is
//! read. MIB modules are loaded only where a story asks for names.

mod agent;
mod client;
mod trapd;

pub use agent::{Snmpd, SnmpdBuilder};
pub use client::SnmpClient;
pub use trapd::{Snmptrapd, Trap};

use std::collections::HashMap;
use std::path::Path;

/// The community of every agent and every tool of the lab.
pub const COMMUNITY: &str = "public";

/// Keeps net-snmp away from the machine's configuration, state and MIB directories.
pub(crate) fn environment(dir: &Path) -> HashMap<String, String> {
    let dir = dir.to_string_lossy().into_owned();
    HashMap::from([
        ("SNMPCONFPATH".to_owned(), dir.clone()),
        ("SNMP_PERSISTENT_DIR".to_owned(), dir),
        ("MIBS".to_owned(), String::new()),
    ])
}
