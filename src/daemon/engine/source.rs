//! Which address a router sends its advertisements from.

use std::net::IpAddr;

use super::interfaces::{Interface, Interfaces};
use crate::{
    kernel::{AddressInfo, Detection},
    registry::InstanceRow,
    units::{Family, IfIndex, Priority},
    vrrp::Source,
};

/// The source of a router's advertisements on its interface: what the configuration names, else the primary address
/// of IPv4, the link-local one of IPv6 (RFC 9568 §5.1.1.1 (5.1.1.1-1), §5.1.2.1 (5.1.2.1-1), §7.2 (7.2-3)). An
/// owner of the addresses may have no other than those.
pub(super) fn of(interfaces: &Interfaces, row: &InstanceRow, index: IfIndex) -> Source {
    let Some(interface) = interfaces.at(index) else { return Source::Missing };
    if let Some(configured) = row.config.source {
        let is_it = |known: &&AddressInfo| known.address == configured;
        let own = interface.addresses().iter().find(is_it);
        // A source need not be on the router's own interface, but somewhere.
        return own.or_else(|| interfaces.addresses().find(is_it)).map_or(Source::Missing, usable);
    }
    let family = row.config.family;
    let usual = interfaces.usual_source(index, family);
    if usual != Source::Missing || row.config.priority != Priority::OWNER {
        return usual;
    }
    let owned =
        |known: &AddressInfo| row.config.virtual_addresses.iter().any(|vip| vip.address == known.address);
    choose(interface, family, owned)
}

/// RFC 9568 §8.2.2 (8.2.2-4): nothing is sent while it is not certain.
///
/// The best of an interface's addresses that may be a source and that `fits`: the first that is certain to be ours,
/// else the first that may turn out to be, else one that is not.
pub(super) fn choose(interface: &Interface, family: Family, fits: impl Fn(&AddressInfo) -> bool) -> Source {
    let mut best = Source::Missing;
    for known in interface.addresses() {
        if !is_source(family, known.address) || !fits(known) {
            continue;
        }
        match (usable(known), best) {
            (Source::Address(address), _) => return Source::Address(address),
            (Source::Tentative(_), Source::Duplicate(_)) | (_, Source::Missing) => best = usable(known),
            _ => {}
        }
    }
    best
}

/// Whether advertisements of a family may leave from an address without being told to (RFC 9568 §5.1.2.1).
pub(super) fn is_source(family: Family, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => family == Family::V4,
        IpAddr::V6(address) => family == Family::V6 && address.is_unicast_link_local(),
    }
}

fn usable(known: &AddressInfo) -> Source {
    match known.detection {
        Detection::Passed => Source::Address(known.address),
        Detection::Tentative => Source::Tentative(known.address),
        Detection::Duplicate => Source::Duplicate(known.address),
    }
}
