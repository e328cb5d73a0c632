//! A virtual server.

use serde::Serialize;

use crate::registry::{RealServerRow, VirtualServerRow};

/// A virtual server with its real servers.
#[derive(Debug, Serialize)]
pub(in crate::control) struct Service {
    name: String,
    installed: bool,
    has_quorum: bool,
    servers_up: u32,
    connections: u64,
    servers: Vec<Server>,
}

/// A real server, or the sorry server.
#[derive(Debug, Serialize)]
struct Server {
    server: String,
    alive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<i64>,
    failed_checks: u32,
    pending_checks: u32,
    active: u32,
    inactive: u32,
}

pub(super) fn view(row: &VirtualServerRow) -> Service {
    let status = row.status();
    let servers = row.config.real_server.iter().zip(&row.servers).enumerate();
    let real =
        servers.map(|(place, (config, server))| of(config.heading.to_string(), row.weight(place), server));
    let sorry = row.sorry.as_ref().map(|server| of("sorry server".into(), None, server));
    Service {
        name: row.config.heading.to_string(),
        installed: status.installed,
        has_quorum: status.has_quorum,
        servers_up: status.servers_up,
        connections: row.traffic().connections,
        servers: real.chain(sorry).collect(),
    }
}

fn of(server: String, weight: Option<i64>, row: &RealServerRow) -> Server {
    let (status, traffic) = (row.status(), row.traffic());
    Server {
        server,
        alive: status.alive,
        weight,
        failed_checks: status.failed_checks,
        pending_checks: status.pending_checks,
        active: traffic.active,
        inactive: traffic.inactive,
    }
}
