//! What services and servers are called in logs, FIFOs and scripts, as keepalived has it.

use std::net::IpAddr;

use crate::config::settings::{Destination, Forwarding, Protocol, VirtualServer};

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
        let protocol = match (&config.heading, *config.protocol) {
            (Destination::Mark(_), _) => "none",
            (_, Protocol::Tcp) => "tcp",
            (_, Protocol::Udp) => "udp",
            (_, Protocol::Sctp) => "sctp",
        };
        let named = |address: IpAddr, port: u16| format!("[{address}]:{protocol}:{port}");
        let port = |method: Forwarding, written| match &config.heading {
            Destination::Address(endpoint) => method.port(written, endpoint.port),
            Destination::Mark(_) => method.port(written, 0),
            Destination::Group(_) => written,
        };
        let server = |server: &crate::config::settings::RealServer| {
            named(server.heading.address, port(*server.lvs_method, server.heading.port))
        };
        Self {
            service: match &config.heading {
                Destination::Address(endpoint) => named(endpoint.address, endpoint.port),
                Destination::Mark(mark) => format!("FWM {mark}"),
                Destination::Group(name) => format!("[{name}]:0"),
            },
            servers: config.real_server.iter().map(server).collect(),
            sorry: config
                .sorry_server
                .map(|sorry| named(sorry.address, port(*config.sorry_server_lvs_method, sorry.port))),
        }
    }
}
