//! The interfaces of this host as the kernel last reported them, with the sockets open on them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    net::IpAddr,
    time::Duration,
};

use super::{
    buffers::Buffers,
    sockets::{Access, Sockets},
    source,
};
use crate::{
    kernel::{AddressInfo, AnnounceSocket, Detection, Devices, Link, error::describe, nd, raw::Hears},
    units::{Family, IfIndex, Time},
    vrrp::Source,
};

/// How long it is believed whether an interface forwards IPv6.
const FORWARDING_KNOWN: Duration = Duration::from_secs(5);

/// Every interface there is.
#[derive(Debug)]
pub(super) struct Interfaces {
    known: BTreeMap<IfIndex, Interface>,
    index_of: HashMap<String, IfIndex>,
    /// What is open on them.
    pub(super) sockets: Sockets,
    /// What addresses on any of them are announced through.
    announcer: Option<AnnounceSocket>,
    /// Holdings that virtual routers put on interfaces, which are never a source of advertisements.
    virtual_addresses: HashSet<IpAddr>,
    /// How large the receive buffers of the sockets are.
    buffers: Buffers,
}

/// One interface.
#[derive(Debug)]
pub(super) struct Interface {
    /// What the kernel says of it.
    pub(super) link: Link,
    /// Its addresses of both families: those of a listing in the kernel's order, the primary ones of each subnet first, then
    /// what was added since.
    addresses: Vec<AddressInfo>,
    /// By [`key`].
    held: HashMap<(IpAddr, u8), Detection>,
    /// Whether it forwards IPv6, and when that was looked at.
    forwards: Option<(Time, bool)>,
}

impl Interfaces {
    /// No interfaces yet; `virtual_addresses` are those of all virtual routers.
    pub(super) fn new(virtual_addresses: HashSet<IpAddr>, sockets: Sockets, buffers: Buffers) -> Self {
        let (known, index_of) = (BTreeMap::new(), HashMap::new());
        Self { known, index_of, sockets, announcer: None, virtual_addresses, buffers }
    }

    /// After a reload: these are the addresses of virtual routers, and so large are the buffers of new sockets.
    pub(super) fn follow(&mut self, virtual_addresses: HashSet<IpAddr>, buffers: Buffers) {
        (self.virtual_addresses, self.buffers) = (virtual_addresses, buffers);
    }

    /// The interface of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Interface> {
        self.known.get(self.index_of.get(name)?)
    }

    /// The interface of that index.
    pub(super) fn at(&self, index: IfIndex) -> Option<&Interface> {
        self.known.get(&index)
    }

    /// An interface appeared or changed. Returns the name it had before, if it was renamed.
    pub(super) fn link(&mut self, link: Link) -> Option<String> {
        let (index, name) = (link.index, link.name.clone());
        let renamed = match self.known.get_mut(&index) {
            Some(known) => {
                let before = std::mem::replace(&mut known.link, link).name;
                (before != name).then_some(before)
            }
            None => {
                let (addresses, held) = (Vec::new(), HashMap::new());
                self.known.insert(index, Interface { link, addresses, held, forwards: None });
                None
            }
        };
        if let Some(before) = &renamed
            && self.index_of.get(before) == Some(&index)
        {
            self.index_of.remove(before);
        }
        self.index_of.insert(name, index);
        renamed
    }

    /// An interface is gone, and its sockets with it.
    pub(super) fn link_gone(&mut self, index: IfIndex) -> Option<Interface> {
        let gone = self.known.remove(&index)?;
        self.sockets.close(index);
        if self.index_of.get(&gone.link.name) == Some(&index) {
            self.index_of.remove(&gone.link.name);
        }
        Some(gone)
    }

    /// An address appeared or changed. Returns whether what routers usually send from is another one now.
    pub(super) fn address_added(&mut self, address: AddressInfo) -> bool {
        let (index, ip) = (address.index, address.address);
        let before = self.source_near(index, ip);
        if let Some(interface) = self.known.get_mut(&index) {
            if interface.held.insert(key(ip, address.prefix), address.detection).is_none() {
                interface.addresses.push(address);
            } else if let Some(known) = interface.addresses.iter_mut().find(|known| same(known, &address)) {
                *known = address;
            }
        }
        self.source_near(index, ip) != before
    }

    /// An address is gone. Returns whether what routers usually send from is another one now.
    pub(super) fn address_removed(&mut self, address: &AddressInfo) -> bool {
        let before = self.source_near(address.index, address.address);
        if let Some(interface) = self.known.get_mut(&address.index)
            && interface.held.remove(&key(address.address, address.prefix)).is_some()
            && let Some(place) = interface.addresses.iter().position(|known| same(known, address))
        {
            interface.addresses.remove(place);
        }
        self.source_near(address.index, address.address) != before
    }

    /// What routers usually send from on an interface, if `address` may have to do with it: of many addresses that come
    /// and go few do.
    fn source_near(&self, index: IfIndex, address: IpAddr) -> Option<Source> {
        let family = Family::of(address);
        let may_be_one = source::is_source(family, address) && !self.virtual_addresses.contains(&address);
        may_be_one.then(|| self.usual_source(index, family))
    }

    /// What routers of a family send from on an interface unless they are told otherwise: the first of its addresses
    /// that no virtual router put there.
    pub(super) fn usual_source(&self, index: IfIndex, family: Family) -> Source {
        let own = |known: &AddressInfo| !self.virtual_addresses.contains(&known.address);
        self.known.get(&index).map_or(Source::Missing, |interface| source::choose(interface, family, own))
    }

    /// Has opened what a router of a family needs on an interface, and `group` joined; once is enough. One that expects
    /// authentication headers hears also those without, to say so.
    pub(super) fn listen(
        &mut self,
        (index, family): (IfIndex, Family),
        is_authenticated: bool,
        group: Option<IpAddr>,
        now: Time,
    ) -> Access {
        if let Err(error) = self.open_announcer() {
            return Access::Refused(describe(&error));
        }
        let Self { known, sockets, buffers, .. } = self;
        let Some(Interface { link, .. }) = known.get(&index) else {
            return Access::Refused(describe(&io::ErrorKind::NotFound.into()));
        };
        let room = |name: &str| buffers.of(name, family, link.mtu);
        let mut listen = |hears| sockets.listen((&link.name, now), (index, family), hears, group, room);
        let plain = listen(Hears::Vrrp);
        if is_authenticated { listen(Hears::Authenticated).and(plain) } else { plain }
    }

    /// Opens what addresses are announced through; once is enough. Nothing of it waits.
    fn open_announcer(&mut self) -> io::Result<()> {
        if self.announcer.is_none() {
            self.announcer = Some(AnnounceSocket::open()?);
        }
        Ok(())
    }

    /// Tells the link of the interface of that name that `address` is here. Nothing happens on a link without neighbours.
    pub(super) fn announce(&mut self, name: &str, now: Time, address: IpAddr) -> io::Result<()> {
        let Self { known, index_of, announcer, .. } = self;
        let interface = index_of.get(name).and_then(|index| known.get_mut(index));
        let Some((announcer, interface)) = announcer.as_ref().zip(interface) else { return Ok(()) };
        let Some(mac) = interface.link.mac.filter(|_| !interface.link.noarp) else { return Ok(()) };
        let router = address.is_ipv6() && interface.forwards(now);
        announcer.announce(interface.link.index, mac, address, router)
    }

    /// The index of every interface, in no particular order.
    pub(super) fn indexes(&self) -> impl Iterator<Item = IfIndex> {
        self.known.keys().copied()
    }

    /// Every address of every interface, in no particular order of interfaces.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &AddressInfo> {
        self.known.values().flat_map(Interface::addresses)
    }
}

impl Devices for Interfaces {
    fn index(&self, name: &str) -> Option<IfIndex> {
        self.named(name).map(|interface| interface.link.index)
    }

    fn vrf_table(&self, name: &str) -> Option<u32> {
        self.named(name)?.link.vrf_table
    }
}

impl Interface {
    fn forwards(&mut self, now: Time) -> bool {
        match self.forwards {
            Some((seen, forwards)) if now.since(seen) < FORWARDING_KNOWN => forwards,
            _ => self.forwards.insert((now, nd::is_router(&self.link.name))).1,
        }
    }

    /// Whether it has this address.
    pub(super) fn has(&self, address: IpAddr, prefix: u8) -> bool {
        self.held.contains_key(&key(address, prefix))
    }

    /// Where duplicate address detection of this address has come to, if it is there.
    pub(super) fn detection(&self, address: IpAddr, prefix: u8) -> Option<Detection> {
        self.held.get(&key(address, prefix)).copied()
    }

    /// Whether this is the broadcast address of one of its subnets, in today's form or in that of old hosts with all bits
    /// zero: the kernel delivers a packet to it like one to the host's own address (RFC 1812 §4.2.2.11, §5.3.5.2).
    pub(super) fn is_broadcast(&self, destination: IpAddr) -> bool {
        let IpAddr::V4(destination) = destination else { return false };
        self.addresses.iter().any(|known| match known.address {
            IpAddr::V4(own) if known.prefix < 31 && own != destination => {
                let host = u32::MAX.checked_shr(known.prefix.into()).unwrap_or(0);
                let (own, destination) = (own.to_bits(), destination.to_bits());
                (own ^ destination) & !host == 0
                    && matches!(destination & host, rest if rest == 0 || rest == host)
            }
            _ => false,
        })
    }

    /// Whether it has an address of IPv6.
    pub(super) fn speaks_ipv6(&self) -> bool {
        self.addresses.iter().any(|known| known.address.is_ipv6())
    }

    /// Its addresses.
    pub(super) fn addresses(&self) -> &[AddressInfo] {
        &self.addresses
    }
}

/// What the kernel tells the addresses of an interface apart by: over IPv6 the address alone.
fn key(address: IpAddr, prefix: u8) -> (IpAddr, u8) {
    match address {
        IpAddr::V4(_) => (address, prefix),
        IpAddr::V6(_) => (address, Family::V6.bits()),
    }
}

fn same(a: &AddressInfo, b: &AddressInfo) -> bool {
    a.address == b.address && (a.prefix == b.prefix || a.address.is_ipv6())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broadcast_addresses_of_a_subnet_are_known_in_both_forms() {
        let address = |text: &str, prefix| AddressInfo {
            index: IfIndex(7),
            address: text.parse().unwrap(),
            prefix,
            label: None,
            secondary: false,
            scope: 0,
            detection: Detection::Passed,
        };
        let own = [("10.9.0.1", 24), ("10.7.0.1", 31), ("10.6.0.1", 32), ("fe80::1", 64), ("10.5.4.3", 0)];
        let is_broadcast = |count: usize, text: &str| {
            let link = Link::sample(7, "eth7");
            let addresses = own[..count].iter().map(|(text, prefix)| address(text, *prefix)).collect();
            let interface = Interface { link, addresses, held: HashMap::new(), forwards: None };
            interface.is_broadcast(text.parse().unwrap())
        };
        for text in ["10.9.0.255", "10.9.0.0"] {
            assert!(is_broadcast(4, text), "{text}");
        }
        for text in [
            "10.9.0.1",
            "10.9.0.254",
            "10.9.1.255",
            "10.7.0.0",
            "10.7.0.1",
            "10.6.0.1",
            "fe80::1",
            "ff02::12",
        ] {
            assert!(!is_broadcast(4, text), "{text}");
        }
        assert!(is_broadcast(5, "255.255.255.255") && is_broadcast(5, "0.0.0.0"));
        assert!(!is_broadcast(5, "10.9.0.7"));
    }
}
