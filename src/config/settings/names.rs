//! What services and servers are called in logs, FIFOs and scripts, as keepalived has it.

use std::net::IpAddr;

use super::{Destination, Forwarding, RealServer, VirtualServer};

/// The names of a virtual server and of its servers: `[10.0.0.1]:tcp:80`, `FWM 7`, `[GROUP]:0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Of the virtual server.
    pub service: String,
    /// Of its real servers, in the order of the configuration.
    pub servers: Vec<String>,
    /// Of its sorry server.
    pub sorry: Option<String>,
}

impl Names {
    /// The names in a configuration.
    pub fn new(config: &VirtualServer) -> Self {
        let sorry = |endpoint: super::Endpoint| {
            named(config, endpoint.address, port(config, *config.sorry_server_lvs_method, endpoint.port))
        };
        Self {
            service: service_name(config),
            servers: config.real_server.iter().map(|server| server_name(config, server)).collect(),
            sorry: config.sorry_server.map(sorry),
        }
    }
}

/// The name of a virtual server.
pub fn service_name(config: &VirtualServer) -> String {
    match &config.heading {
        Destination::Address(endpoint) => named(config, endpoint.address, endpoint.port),
        Destination::Mark(mark) => format!("FWM {mark}"),
        Destination::Group(name) => format!("[{name}]:0"),
    }
}

/// The name of a real server of that virtual server.
pub fn server_name(config: &VirtualServer, server: &RealServer) -> String {
    named(config, server.heading.address, port(config, *server.lvs_method, server.heading.port))
}

fn named(config: &VirtualServer, address: IpAddr, port: u16) -> String {
    let protocol = match &config.heading {
        Destination::Mark(_) => "none",
        _ => config.protocol.name(),
    };
    format!("[{address}]:{protocol}:{port}")
}

/// The port that a server is reached at.
fn port(config: &VirtualServer, method: Forwarding, written: u16) -> u16 {
    match &config.heading {
        Destination::Address(endpoint) => method.port(written, endpoint.port),
        Destination::Mark(_) => method.port(written, 0),
        Destination::Group(_) => written,
    }
}
