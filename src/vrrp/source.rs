//! What a virtual router sends its advertisements from.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What there is to send advertisements from, as far as the kernel has told.
///
/// The driver chooses it: what the configuration names, else the primary address of the interface for IPv4, its
/// link-local address for IPv6 (RFC 9568 §5.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// This address.
    Address(IpAddr),
    /// This one when nobody else turns out to have it: nothing may be sent from it yet (RFC 4862 §5.4). A router that
    /// takes part already goes on; one that does not waits.
    Tentative(IpAddr),
    /// This one, but another host on the link has it.
    Duplicate(IpAddr),
    /// Nothing.
    Missing,
}
