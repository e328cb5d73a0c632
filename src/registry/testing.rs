//! What tests of readers of the registry start from.

use super::{StaticRows, Topology};
use crate::config::{Global, settings::GlobalDefs};

/// A topology without rows.
pub(crate) fn topology() -> Topology {
    let global = Global::empty();
    let GlobalDefs { default_interface, .. } = &*global.settings;
    Topology {
        banner: "Steadfast".into(),
        garp_groups: Vec::new(),
        statics: StaticRows::new((Vec::new(), default_interface), Vec::new(), Vec::new(), Vec::new()),
        global,
        sinks: Vec::new(),
        instances: Vec::new(),
        groups: Vec::new(),
        interfaces: Vec::new(),
        scripts: Vec::new(),
        files: Vec::new(),
        processes: Vec::new(),
        sessions: Vec::new(),
        process: Box::default(),
        server_groups: Vec::new(),
        ssl: None,
        snmp_agent: None,
        snmp_notify: None,
        virtual_servers: Vec::new(),
        departed: Vec::new(),
        departed_services: Vec::new(),
        unknown_vrids: Default::default(),
        link_changes: Default::default(),
    }
}
