//! Tunnels and realms, which routes and their next hops have columns of.

use agentx::{Syntax, Value};

use crate::{
    config::{Encap, IpTunnel},
    snmp::{integer, text, unsigned},
    units::Family,
};

/// EncapType: the kernel's numbers.
pub(super) const ENCAP_TYPE: Syntax = Syntax::Enum(&[("mpls", 1), ("ip", 2), ("ila", 3), ("ip6", 4)]);

/// The kind of a tunnel.
pub(super) fn kind(encap: &Encap) -> Option<Value> {
    integer(match encap {
        Encap::Mpls(_) => 1,
        Encap::Ip(tunnel) if tunnel.family == Family::V4 => 2,
        Encap::Ila(_) => 3,
        Encap::Ip(_) => 4,
    })
}

/// The labels of MPLS, outermost first.
pub(super) fn labels(encap: &Encap) -> Option<Value> {
    let Encap::Mpls(labels) = encap else { return None };
    let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
    text(&labels.join("/"))
}

/// What a tunnel over IP says.
pub(super) fn ip(encap: &Encap) -> Option<&IpTunnel> {
    match encap {
        Encap::Ip(tunnel) => Some(tunnel),
        _ => None,
    }
}

/// The id of a tunnel over IP.
pub(super) fn id(encap: &Encap) -> Option<Value> {
    Some(Value::Counter64(ip(encap)?.id?))
}

/// The locator of ILA.
pub(super) fn locator(encap: &Encap) -> Option<Value> {
    match encap {
        Encap::Ila(locator) => Some(Value::Counter64(*locator)),
        _ => None,
    }
}

/// Realm, which is never 0.
pub(super) fn realm(number: u16) -> Option<Value> {
    unsigned(number).filter(|_| number != 0)
}
