//! The interfaces of this host as the kernel last reported them, with the sockets open on them.

use std::{
    collections::{HashMap, HashSet},
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr},
    task::Poll,
};

use crate::{
    kernel::{AddressInfo, ArpSocket, Link, VrrpSocket},
    units::IfIndex,
};

/// Every interface there is.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    known: HashMap<IfIndex, Interface>,
    index_of: HashMap<String, IfIndex>,
    sockets: Vec<VrrpSocket>,
    /// Addresses that virtual routers put on interfaces, which are never a source of advertisements.
    virtual_addresses: HashSet<Ipv4Addr>,
}

/// One interface.
#[derive(Debug)]
pub(super) struct Interface {
    /// What the kernel says of it.
    pub(super) link: Link,
    /// Its IPv4 addresses: those of a listing in the kernel's order, the primary ones of each subnet first, then
    /// what was added since.
    addresses: Vec<AddressInfo>,
    held: HashSet<(Ipv4Addr, u8)>,
    arp: Option<ArpSocket>,
}

impl Interfaces {
    /// No interfaces yet; `virtual_addresses` are those of all virtual routers.
    pub(super) fn new(virtual_addresses: HashSet<Ipv4Addr>) -> Self {
        Self { virtual_addresses, ..Self::default() }
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
                self.known.insert(
                    index,
                    Interface { link, addresses: Vec::new(), held: HashSet::new(), arp: None },
                );
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
        self.sockets.retain(|socket| socket.index() != index);
        if self.index_of.get(&gone.link.name) == Some(&index) {
            self.index_of.remove(&gone.link.name);
        }
        Some(gone)
    }

    /// An address appeared. Returns whether the interface's primary address is another one now.
    pub(super) fn address_added(&mut self, address: AddressInfo) -> bool {
        let index = address.index;
        let before = self.primary_address(index);
        if let Some(interface) = self.known.get_mut(&index) {
            if interface.held.insert((address.address, address.prefix)) {
                interface.addresses.push(address);
            } else if let Some(known) = interface.addresses.iter_mut().find(|known| same(known, &address)) {
                *known = address;
            }
        }
        self.primary_address(index) != before
    }

    /// An address is gone. Returns whether the interface's primary address is another one now.
    pub(super) fn address_removed(&mut self, address: &AddressInfo) -> bool {
        let before = self.primary_address(address.index);
        if let Some(interface) = self.known.get_mut(&address.index)
            && interface.held.remove(&(address.address, address.prefix))
        {
            interface.addresses.retain(|known| !same(known, address));
        }
        self.primary_address(address.index) != before
    }

    /// The first address of the interface that no virtual router put there.
    pub(super) fn primary_address(&self, index: IfIndex) -> Option<Ipv4Addr> {
        let addresses = &self.known.get(&index)?.addresses;
        addresses.iter().map(|known| known.address).find(|address| !self.virtual_addresses.contains(address))
    }

    /// Opens the VRRP socket of an interface and joins `group` on it; once is enough.
    pub(super) fn listen(&mut self, index: IfIndex, group: IpAddr) -> io::Result<()> {
        let Some(interface) = self.known.get_mut(&index) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if interface.arp.is_none() && !interface.link.noarp {
            interface.arp = Some(ArpSocket::open(index)?);
        }
        if self.socket(index).is_some() {
            return Ok(());
        }
        let socket = VrrpSocket::open(&self.known[&index].link.name, index)?;
        socket.join(group)?;
        self.sockets.push(socket);
        Ok(())
    }

    /// The VRRP socket of an interface, if it is open.
    pub(super) fn socket(&self, index: IfIndex) -> Option<&VrrpSocket> {
        self.sockets.iter().find(|socket| socket.index() == index)
    }

    /// The socket at a place in the list, for whoever drains them all.
    pub(super) fn socket_at(&self, place: usize) -> Option<&VrrpSocket> {
        self.sockets.get(place)
    }

    /// Waits until a packet is there to be read from any socket. Cancelling it loses nothing.
    pub(super) async fn readable(&self) {
        poll_fn(|context| {
            let ready = self.sockets.iter().any(|socket| socket.poll_readable(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
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

impl Interface {
    /// Tells the link that `address` is here. Nothing happens on a link without ARP.
    pub(super) fn announce(&self, address: Ipv4Addr) -> io::Result<()> {
        match (&self.arp, self.link.mac) {
            (Some(arp), Some(mac)) => arp.gratuitous(mac, address),
            _ => Ok(()),
        }
    }

    /// Whether it has this address.
    pub(super) fn has(&self, address: Ipv4Addr, prefix: u8) -> bool {
        self.held.contains(&(address, prefix))
    }

    /// Its addresses.
    pub(super) fn addresses(&self) -> &[AddressInfo] {
        &self.addresses
    }
}

fn same(a: &AddressInfo, b: &AddressInfo) -> bool {
    (a.address, a.prefix) == (b.address, b.prefix)
}
