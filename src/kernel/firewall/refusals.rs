//! The rules that keep packets to and from virtual addresses out (`no_accept`, strict mode).
//!
//! A MASTER that does not own the addresses forwards what is for others and answers ARP and neighbour discovery, and
//! nothing else that is sent to them (RFC 9568 §6.1 (6.1-1), §6.4.3 (6.4.3-6, 6.4.3-7)). They are on the host all the same, or it would not
//! answer for them.

use std::net::{IpAddr, Ipv6Addr};

use super::{IN, OUT, Refusing, Ruleset, icmpv6};
use crate::{
    kernel::{
        KernelError,
        nft::{
            Batch, Chain, DataType, Element, Expression, Family, Header, Hook, Meta, Register, Set, Verdict,
        },
    },
    units::IfIndex,
};

/// The addresses.
const OF_IPV4: Set = Set::of("vips", DataType::Ipv4Address);
const OF_IPV6: Set = Set::of("vips", DataType::Ipv6Address);
/// Those that another host may have on another link.
const LINK_LOCAL: Set = Set::of("vips_link_local", DataType::Ipv6AddressOnInterface);
/// Messages without which nobody would find the addresses: neighbour solicitations and advertisements (RFC 4861 §4.3,
/// §4.4).
const DISCOVERY: Set = Set { constant: true, ..Set::of("neighbor-discovery", DataType::Icmpv6Type) };
const DISCOVERY_TYPES: [u8; 2] = [135, 136];

/// fe80::/10 (RFC 4291 §2.5.6): address and mask.
const LINK_LOCAL_NETWORK: (Ipv6Addr, Ipv6Addr) =
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), Ipv6Addr::new(0xffc0, 0, 0, 0, 0, 0, 0, 0));

/// One direction of packets.
struct Direction {
    chain: &'static str,
    link_local_chain: &'static str,
    /// Where the IP header has the address that is ours: IPv4 and IPv6.
    offsets: (u32, u32),
    interface: Meta,
}

const RECEIVED: Direction = Direction {
    chain: IN,
    link_local_chain: "in_link_local",
    offsets: (16, 24),
    interface: Meta::InputInterface,
};
const SENT: Direction = Direction {
    chain: OUT,
    link_local_chain: "out_link_local",
    offsets: (12, 8),
    interface: Meta::OutputInterface,
};

/// A virtual address whose packets are thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    address: IpAddr,
    /// The interface that it is on, for one that is valid on one link alone.
    index: Option<IfIndex>,
}

impl Refusal {
    /// The address on an interface.
    pub fn new(address: IpAddr, index: IfIndex) -> Self {
        let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        Self { address, index: link_local.then_some(index) }
    }

    fn family(&self) -> Family {
        if self.address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
    }

    fn set(&self) -> &'static Set {
        match (self.address, self.index) {
            (IpAddr::V4(_), _) => &OF_IPV4,
            (IpAddr::V6(_), None) => &OF_IPV6,
            (IpAddr::V6(_), Some(_)) => &LINK_LOCAL,
        }
    }

    fn element(&self) -> Element {
        match (self.address, self.index) {
            (IpAddr::V4(address), _) => Element::key(address.octets()),
            (IpAddr::V6(address), None) => Element::key(address.octets()),
            (IpAddr::V6(address), Some(index)) => {
                Element::key([&address.octets()[..], &index.0.to_ne_bytes()].concat())
            }
        }
    }
}

impl Refusing {
    /// Together with the kind of an address.
    #[must_use]
    pub fn and(mut self, refusal: &Refusal) -> Self {
        match refusal.family() {
            Family::Ipv4 => self.ipv4 = true,
            Family::Ipv6 => self.ipv6 = true,
        }
        self.link_local |= refusal.index.is_some();
        self
    }
}

impl Ruleset {
    /// Has the kernel throw away packets of `added` and take those of `removed` again, in tables that have rules for
    /// their kinds. Waits for the kernel.
    pub fn change(&self, added: &[Refusal], removed: &[Refusal]) -> Result<(), KernelError> {
        let mut batch = Batch::new(&self.table);
        for (refusals, add) in [(added, true), (removed, false)] {
            for (family, set) in
                [(Family::Ipv4, &OF_IPV4), (Family::Ipv6, &OF_IPV6), (Family::Ipv6, &LINK_LOCAL)]
            {
                let elements = elements(refusals.iter(), set);
                match add {
                    true => batch.add_elements(family, set.name, &elements),
                    false => batch.delete_elements(family, set.name, &elements),
                }
            }
        }
        batch.commit(&format!("changing the nf_tables tables `{}`", self.table))
    }

    /// Whether there are rules for addresses of a family.
    pub(super) fn is_refusing(&self, family: Family) -> bool {
        match family {
            Family::Ipv4 => self.refusing.ipv4,
            Family::Ipv6 => self.refusing.ipv6,
        }
    }

    /// Adds the rules for addresses of a family, if there are to be any.
    pub(super) fn refuse(&self, family: Family, batch: &mut Batch) {
        if !self.is_refusing(family) {
            return;
        }
        batch.add_chain(family, Chain { name: IN, hook: Hook::Input, priority: self.priority });
        let addresses = if family == Family::Ipv4 { &OF_IPV4 } else { &OF_IPV6 };
        batch.add_set(family, addresses, &elements(self.refused.iter(), addresses));
        if family == Family::Ipv6 {
            batch.add_set(family, &DISCOVERY, &DISCOVERY_TYPES.map(|kind| Element::key([kind])));
        }
        if self.refusing.link_local && family == Family::Ipv6 {
            batch.add_set(family, &LINK_LOCAL, &elements(self.refused.iter(), &LINK_LOCAL));
        }
        for direction in [RECEIVED, SENT] {
            self.refuse_in(family, &direction, batch);
        }
    }

    fn refuse_in(&self, family: Family, direction: &Direction, batch: &mut Batch) {
        let Direction { chain, link_local_chain, offsets, interface } = direction;
        if family == Family::Ipv4 {
            let rule = vec![
                Expression::Load(Header::Network, offsets.0, 4, Register::One),
                Expression::IsIn(Register::One, OF_IPV4.name),
            ];
            return batch.add_rule(family, chain, &self.rule(rule, Verdict::Drop));
        }
        let address = Expression::Load(Header::Network, offsets.1, 16, Register::One);
        let mut discovery = icmpv6();
        discovery.push(Expression::IsIn(Register::One, DISCOVERY.name));
        batch.add_rule(family, chain, &self.rule(discovery, Verdict::Accept));
        if self.refusing.link_local {
            batch.add_plain_chain(family, link_local_chain);
            let rule = vec![
                address.clone(),
                Expression::Know(*interface, Register::Two),
                Expression::IsIn(Register::One, LINK_LOCAL.name),
            ];
            batch.add_rule(family, link_local_chain, &self.rule(rule, Verdict::Drop));
            let (network, mask) = LINK_LOCAL_NETWORK;
            let rule = vec![
                address.clone(),
                Expression::Mask(Register::One, mask.octets().into()),
                Expression::Is(Register::One, network.octets().into()),
            ];
            batch.add_rule(family, chain, &self.rule(rule, Verdict::Goto(link_local_chain)));
        }
        let rule = vec![address, Expression::IsIn(Register::One, OF_IPV6.name)];
        batch.add_rule(family, chain, &self.rule(rule, Verdict::Drop));
    }
}

/// The elements of a set.
fn elements<'a>(refusals: impl Iterator<Item = &'a Refusal>, set: &Set) -> Vec<Element> {
    refusals.filter(|refusal| refusal.set() == set).map(Refusal::element).collect()
}
